import type { SiteView, VisitorChat, VisitorView } from '@aldaba/client';
import { explain, isFinal, type Language, lockOf, translate } from '@aldaba/ui';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Before, isComplete, type Told } from './before.tsx';
import { Advice, Readers } from './card.tsx';
import { Composer } from './composer.tsx';
import { Contact } from './contact.tsx';
import { Notice, Skeleton } from './frame.tsx';
import { Log } from './log.tsx';
import { Confirmed, Icon } from './parts.tsx';
import { Waiting, Writing } from './waiting.tsx';

export function Erase({ language, erase }: { language: Language; erase: () => void }) {
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

/** A site that the server has not told of yet asks nothing. */
export const unknown: SiteView = {
  name: '',
  languages: [],
  departments: [],
  fields: [],
  contact: {},
  open: true,
};

interface Shown {
  readonly language: Language;
  readonly chat: VisitorChat;
  /** Nothing of it is kept after this page. */
  readonly fleeting: boolean;
  readonly view: VisitorView;
  /** Whether somebody may see the chat. */
  readonly seen: boolean;
  readonly site: SiteView;
  readonly told: Told;
  readonly tell: (told: Told) => void;
  readonly draft: string;
  readonly write: (text: string) => void;
  readonly say: (text: string) => void;
  readonly erase: () => void;
}

/** What is below the log: the field, or how to go on after the end. */
function Foot({ language, chat, view, site, told, draft, write, say, erase }: Shown) {
  const { conversation } = view;
  const closed = conversation?.closed ?? false;
  const asks = view.stage === 'none' && !isComplete(site, told);
  const place = useRef<HTMLDivElement>(null);
  const before = useRef(closed);
  const asked = useRef(asks);
  asked.current ||= asks;
  useLayoutEffect(() => {
    if (before.current === closed) return;
    before.current = closed;
    // The button that ended or opened it is gone: whoever stood on it goes on here.
    const lost = document.activeElement === document.body;
    // Never on a button that acts: whoever is writing would press it with the next space.
    if (lost) place.current?.querySelector<HTMLElement>('textarea, [tabindex="-1"]')?.focus();
  }, [closed]);
  if (asks) return null;

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
          <Erase language={language} erase={erase} />
        </div>
      ) : (
        <Composer
          language={language}
          barred={barred}
          text={draft}
          write={write}
          say={say}
          eager={asked.current}
        />
      )}
    </div>
  );
}

function Banners({ language, chat, view, fleeting }: Pick<Shown, 'language' | 'chat' | 'view' | 'fleeting'>) {
  const problem = view.conversation?.problem ?? view.problem;
  return (
    <>
      {fleeting && (
        <div class="banner">
          <Icon name="key" />
          <p>{translate(language, 'blocked.ends')}</p>
        </div>
      )}
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

/** Before the first message: what this is, what it asks, and what happens with it. */
function Beginning({ language, site, told, tell }: Shown) {
  const away = !site.open;
  return (
    <section class="beginning">
      <Advice language={language} />
      <h2>{translate(language, away ? 'away.title' : 'before.title')}</h2>
      <p>{translate(language, away ? 'away.text' : 'before.text')}</p>
      {away && <Contact language={language} contact={site.contact} />}
      <Before language={language} site={site} told={told} tell={tell} />
      <p class="consent">
        {translate(language, 'before.consent', { site: site.name || translate(language, 'card.company') })}
      </p>
    </section>
  );
}

/** What there is to read: how to begin, what is being fetched, or the log. */
function Reading(shown: Shown) {
  const { language, chat, view, seen } = shown;
  const { conversation } = view;
  if (view.stage === 'none') return <Beginning {...shown} />;
  const answered = conversation?.lines.some((line) => line.kind === 'message' && !line.from.mine) ?? false;
  const bare = !conversation || conversation.lines.length + conversation.outgoing.length === 0;
  return (
    <>
      {!answered && <Advice language={language} />}
      {bare ? (
        <Skeleton language={language} />
      ) : (
        <Log
          language={language}
          view={conversation}
          retry={(cid) => chat.retry(cid)}
          seen={seen}
          read={() => chat.seen()}
          above={answered && <Advice language={language} />}
          below={<Writing language={language} view={conversation} />}
        />
      )}
    </>
  );
}

export function Body(shown: Shown & { open: () => void }) {
  const { language, chat, view, site, open } = shown;
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
        <Contact language={language} contact={site.contact} />
      </Notice>
    );
  }
  // One shape before and after the first message, so that the field keeps the focus.
  return (
    <>
      {view.stage === 'talking' && conversation && conversation.members.length > 0 && (
        <Readers language={language} view={conversation} open={open} />
      )}
      <Banners {...shown} />
      <Reading {...shown} />
      <Waiting language={language} place={view.place} />
      <Foot {...shown} />
    </>
  );
}
