import type { ConversationView, VisitorChat, VisitorView } from '@aldaba/client';
import {
  answerer,
  explain,
  isFinal,
  type Language,
  listPeople,
  lockOf,
  type Need,
  translate,
  translateCount,
} from '@aldaba/ui';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Composer } from './composer.tsx';
import { Frame, Notice, Skeleton } from './frame.tsx';
import { Log } from './log.tsx';
import { Confirmed, Icon, useLive } from './parts.tsx';

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
        {!view.closed && <Erase language={language} erase={erase} />}
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

interface Shown {
  readonly language: Language;
  readonly chat: VisitorChat;
  readonly view: VisitorView;
  readonly draft: string;
  readonly write: (text: string) => void;
}

/** What is below the log: the field, or how to go on after the end. */
function Foot({ language, chat, view, draft, write }: Shown) {
  const { conversation } = view;
  const closed = conversation?.closed ?? false;
  const place = useRef<HTMLDivElement>(null);
  const before = useRef(closed);
  useLayoutEffect(() => {
    if (before.current === closed) return;
    before.current = closed;
    // The button that ended or opened it is gone: whoever stood on it goes on here.
    const lost = document.activeElement === document.body;
    // Never on a button that acts: whoever is writing would press it with the next space.
    if (lost) place.current?.querySelector<HTMLElement>('textarea, [tabindex="-1"]')?.focus();
  }, [closed]);

  // A text written before the keys are there waits on its way; one for a locked epoch would wait for ever.
  const rule = lockOf(conversation?.lines ?? []);
  const barred = rule === undefined ? undefined : translate(language, 'composer.locked', { rule });
  return (
    <div ref={place}>
      {closed ? (
        <div class="instead">
          <p tabIndex={-1}>{translate(language, 'visitor.ended')}</p>
          <button type="button" class="button primary" onClick={() => chat.reopen()}>
            {translate(language, 'visitor.reopen')}
          </button>
          <Erase language={language} erase={() => chat.erase()} />
        </div>
      ) : (
        <Composer
          language={language}
          barred={barred}
          text={draft}
          write={write}
          say={(text) => chat.say(text)}
        />
      )}
    </div>
  );
}

function Banners({ language, chat, view }: Omit<Shown, 'draft' | 'write'>) {
  const problem = view.conversation?.problem ?? view.problem;
  return (
    <>
      {view.link === 'offline' && (
        <div class="banner" role="status">
          <Icon name="unreachable" />
          <p>{translate(language, 'offline')}</p>
        </div>
      )}
      {problem && (problem.code !== 'offline' || problem.rule) && (
        <div class="banner bad" role="alert">
          <Icon name="unreachable" />
          <p>{explain(language, problem)}</p>
          {!isFinal(problem) && (
            <button type="button" class="button" onClick={() => chat.restart()}>
              {translate(language, 'failed.again')}
            </button>
          )}
        </div>
      )}
    </>
  );
}

/** What there is to read: how to begin, what is being fetched, or the log. */
function Reading({ language, chat, view }: Omit<Shown, 'draft' | 'write'>) {
  const { conversation } = view;
  if (view.stage === 'none') {
    return (
      <Notice
        icon="chat"
        title={translate(language, 'visitor.empty.title')}
        text={translate(language, 'visitor.empty.text')}
      />
    );
  }
  const bare = !conversation || conversation.lines.length + conversation.outgoing.length === 0;
  if (bare) return <Skeleton language={language} />;
  return <Log language={language} view={conversation} retry={(cid) => chat.retry(cid)} />;
}

function Body(shown: Shown) {
  const { language, chat, view } = shown;
  const { conversation } = view;
  if (view.stage === 'starting') return <Skeleton language={language} />;
  if (view.stage === 'failed') {
    const problem = view.problem ?? { code: 'offline' };
    return (
      <Notice
        icon="unreachable"
        title={translate(language, 'failed.title')}
        text={explain(language, problem)}
      >
        {!isFinal(problem) && (
          <button type="button" class="button primary" onClick={() => chat.restart()}>
            {translate(language, 'failed.again')}
          </button>
        )}
      </Notice>
    );
  }
  // One shape before and after the first message, so that the field keeps the focus.
  return (
    <>
      {view.stage === 'talking' && conversation && conversation.members.length > 0 && (
        <Sealed language={language} view={conversation} erase={() => chat.erase()} />
      )}
      <Banners language={language} chat={chat} view={view} />
      <Reading language={language} chat={chat} view={view} />
      <Foot {...shown} />
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
  const [draft, setDraft] = useState('');
  const { conversation } = view;
  const agent = answerer(conversation?.members ?? []);
  const link = translate(language, `link.${view.link}`);
  const talks = view.stage === 'talking' && conversation && !conversation.closed;
  return (
    <Frame
      language={language}
      choose={choose}
      title={agent?.name || translate(language, 'visitor.team')}
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
      <Body language={language} chat={chat} view={view} draft={draft} write={setDraft} />
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
