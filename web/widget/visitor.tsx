import type { ConversationView, VisitorChat, VisitorView } from '@aldaba/client';
import {
  answerer,
  explain,
  type Language,
  listPeople,
  lockOf,
  type Need,
  translate,
  translateCount,
} from '@aldaba/ui';
import type { ComponentChildren } from 'preact';
import { Composer } from './composer.tsx';
import { Log } from './log.tsx';
import { Confirmed, Icon, Languages, ServerHealth, useLive } from './parts.tsx';

interface Framed {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  readonly title: string;
  /** Under the title. */
  readonly state?: string;
  readonly act?: ComponentChildren;
  /** Whether the page says already that the server is away. */
  readonly offline?: boolean;
  readonly children: ComponentChildren;
}

/** The header and the foot around whatever the page is about. */
function Frame({ language, choose, title, state, act, offline = false, children }: Framed) {
  return (
    <main class="visitor">
      <header>
        <Icon name="mark" className="mark" />
        <div class="who">
          <h1 dir="auto">{title}</h1>
          {state && <p role="status">{state}</p>}
        </div>
        {act}
      </header>
      {children}
      <footer>
        {!offline && <ServerHealth language={language} />}
        <Languages language={language} choose={choose} />
      </footer>
    </main>
  );
}

/** One thing to say instead of a conversation. */
function Notice(props: {
  icon: 'chat' | 'unreachable';
  title: string;
  text: string;
  children?: ComponentChildren;
}) {
  return (
    <section class="empty" aria-labelledby="empty">
      <Icon name={props.icon} />
      <h2 id="empty">{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </section>
  );
}

/** The shape of a conversation that is being fetched. */
function Skeleton({ language }: { language: Language }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{translate(language, 'log.loading')}</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}

/** Who can read, and behind it what proves it and what ends it. */
function Sealed(props: { language: Language; view: ConversationView; erase: () => void }) {
  const { language, view, erase } = props;
  return (
    <details class="sealed">
      <summary>
        <Icon name="lock" />
        <span>
          {translateCount(language, 'readers', view.members.length)} {listPeople(language, view.members)}
        </span>
        <b>{translate(language, 'safety.compare')}</b>
      </summary>
      <div>
        <h2>{translate(language, 'safety.title')}</h2>
        <p>{translate(language, 'safety.text')}</p>
        <Digits safety={view.safety} />
        <Erase language={language} erase={erase} />
      </div>
    </details>
  );
}

function Digits({ safety }: { safety: string }) {
  return (
    <p class="digits">
      {(safety.match(/\d{5}/g) ?? []).map((group, at) => (
        <span key={at}>{group} </span>
      ))}
    </p>
  );
}

function Erase({ language, erase }: { language: Language; erase: () => void }) {
  return (
    <Confirmed
      language={language}
      className="danger"
      button={translate(language, 'visitor.erase')}
      title={translate(language, 'visitor.erase.title')}
      text={translate(language, 'visitor.erase.text')}
      confirm={translate(language, 'visitor.erase.confirm')}
      act={erase}
    />
  );
}

/** What is below the log: the field, or how to go on after the end. */
function Foot({ language, chat, view }: { language: Language; chat: VisitorChat; view: ConversationView }) {
  if (view.closed) {
    return (
      <div class="instead">
        <p>{translate(language, 'visitor.ended')}</p>
        <button type="button" class="button primary" onClick={() => chat.reopen()}>
          {translate(language, 'visitor.reopen')}
        </button>
        <Erase language={language} erase={() => chat.erase()} />
      </div>
    );
  }
  // A text written before the keys are there waits on its way; one for a locked epoch would wait for ever.
  const rule = lockOf(view.lines);
  const barred = rule === undefined ? undefined : translate(language, 'composer.locked', { rule });
  return <Composer language={language} barred={barred} say={(text) => chat.say(text)} />;
}

function Banners({ language, chat, view }: { language: Language; chat: VisitorChat; view: VisitorView }) {
  const problem = view.conversation?.problem ?? view.problem;
  return (
    <>
      {view.link === 'offline' && (
        <div class="banner" role="status">
          <Icon name="unreachable" />
          <p>{translate(language, 'offline')}</p>
        </div>
      )}
      {problem && problem.code !== 'offline' && (
        <div class="banner bad" role="alert">
          <Icon name="unreachable" />
          <p>{explain(language, problem)}</p>
          <button type="button" class="button" onClick={() => chat.restart()}>
            {translate(language, 'failed.again')}
          </button>
        </div>
      )}
    </>
  );
}

function Body({ language, chat, view }: { language: Language; chat: VisitorChat; view: VisitorView }) {
  const { conversation } = view;
  if (view.stage === 'failed') {
    return (
      <Notice
        icon="unreachable"
        title={translate(language, 'failed.title')}
        text={explain(language, view.problem ?? { code: 'offline' })}
      >
        <button type="button" class="button primary" onClick={() => chat.restart()}>
          {translate(language, 'failed.again')}
        </button>
      </Notice>
    );
  }
  if (view.stage === 'none') {
    return (
      <>
        <Banners language={language} chat={chat} view={view} />
        <Notice
          icon="chat"
          title={translate(language, 'visitor.empty.title')}
          text={translate(language, 'visitor.empty.text')}
        />
        <Composer language={language} say={(text) => chat.say(text)} />
      </>
    );
  }
  if (view.stage === 'starting' || !conversation) return <Skeleton language={language} />;
  const empty = conversation.loading && conversation.lines.length + conversation.outgoing.length === 0;
  return (
    <>
      {conversation.members.length > 0 && (
        <Sealed language={language} view={conversation} erase={() => chat.erase()} />
      )}
      <Banners language={language} chat={chat} view={view} />
      {empty ? (
        <Skeleton language={language} />
      ) : (
        <Log language={language} view={conversation} retry={(cid) => chat.retry(cid)} />
      )}
      <Foot language={language} chat={chat} view={conversation} />
    </>
  );
}

interface Talking {
  readonly language: Language;
  readonly choose: (language: Language) => void;
  readonly chat: VisitorChat;
}

/** The visitor's chat. */
export function Visitor({ language, choose, chat }: Talking) {
  const view = useLive(chat.view);
  const { conversation } = view;
  const agent = answerer(conversation?.members ?? []);
  const link = translate(language, `link.${view.link}`);
  const talks = view.stage === 'talking' && conversation && !conversation.closed;
  return (
    <Frame
      language={language}
      choose={choose}
      title={agent?.name ?? translate(language, 'visitor.team')}
      state={agent?.title ? `${agent.title} · ${link}` : link}
      offline={view.link === 'offline'}
      act={
        talks && (
          <Confirmed
            language={language}
            button={translate(language, 'visitor.end')}
            name={translate(language, 'visitor.end.name')}
            title={translate(language, 'visitor.end.title')}
            text={translate(language, 'visitor.end.text')}
            confirm={translate(language, 'visitor.end')}
            act={() => chat.close()}
          />
        )
      }
    >
      <Body language={language} chat={chat} view={view} />
    </Frame>
  );
}

/** In place of the chat, where the browser lacks what it needs; nothing yet while that is being found out. */
export function Ground({ language, choose, lacks }: Omit<Talking, 'chat'> & { lacks?: readonly Need[] }) {
  const what = new Intl.ListFormat(language).format(
    (lacks ?? []).map((need) => (need === 'https' ? translate(language, 'unsupported.https') : need)),
  );
  return (
    <Frame language={language} choose={choose} title="Aldaba">
      {lacks ? (
        <Notice
          icon="unreachable"
          title={translate(language, 'unsupported.title')}
          text={translate(language, 'unsupported.text', { what })}
        />
      ) : (
        <Skeleton language={language} />
      )}
    </Frame>
  );
}
