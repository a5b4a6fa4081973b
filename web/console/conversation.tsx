import type { AgentDesk, ConversationView, Problem } from '@aldaba/client';
import { explain, isFinal, type Language, listPeople, lockOf, translate, translateCount } from '@aldaba/ui';
import { Composer } from './composer.tsx';
import { Log } from './log.tsx';
import { Confirmed, Icon } from './parts.tsx';
import { shortName } from './queue.tsx';

/** The shape of what is being fetched. */
export function Skeleton({ language }: { language: Language }) {
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{translate(language, 'log.loading')}</span>
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}

/** Who can read, and behind it the number that proves it. */
function Sealed({ language, view }: { language: Language; view: ConversationView }) {
  return (
    <details className="sealed">
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
        <p className="digits">
          {(view.safety.match(/\d{5}/g) ?? []).map((group, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the place is what a group has of its own
            <span key={at}>{group} </span>
          ))}
        </p>
      </div>
    </details>
  );
}

interface Troubled {
  readonly language: Language;
  readonly problem: Problem | undefined;
  readonly again: () => void;
}

/** What went wrong while the page goes on. That the server does not answer is said elsewhere. */
export function Trouble({ language, problem, again }: Troubled) {
  if (!problem || (problem.code === 'offline' && !problem.rule)) return null;
  return (
    <div className="banner bad" role="alert">
      <Icon name="unreachable" />
      <p>{explain(language, problem)}</p>
      {!isFinal(problem) && (
        <button type="button" className="button" onClick={again}>
          {translate(language, 'failed.again')}
        </button>
      )}
    </div>
  );
}

interface Shown {
  readonly language: Language;
  readonly desk: AgentDesk;
  readonly view: ConversationView;
  readonly drafts: Map<string, string>;
  /** On a narrow page: shows the list again. */
  readonly back: () => void;
}

/** Why an agent cannot write in a conversation that is neither closed nor waiting. */
function bar(language: Language, view: ConversationView): string | undefined {
  const rule = lockOf(view.lines);
  // Not to be a member is no failure of keys: somebody else has accepted.
  if (rule === 'W1') return translate(language, 'agent.elsewhere');
  if (rule !== undefined) return translate(language, 'composer.locked', { rule });
  if (view.open) return undefined;
  return translate(language, view.loading ? 'composer.waits' : 'agent.elsewhere');
}

/** What is below the log: the field, the acceptance, or why there is neither. */
function Foot({ language, desk, view, drafts }: Omit<Shown, 'back'>) {
  if (view.closed) {
    return (
      <div className="instead">
        <p>{translate(language, 'agent.closed')}</p>
      </div>
    );
  }
  if (view.acceptable && !view.open) {
    return (
      <section className="instead accept" aria-labelledby="accept">
        <div>
          <h2 id="accept">{translate(language, 'agent.waiting.title')}</h2>
          <p>{translate(language, 'agent.waiting.text')}</p>
        </div>
        <button type="button" className="button primary" onClick={() => desk.accept()}>
          {translate(language, 'agent.accept')}
        </button>
      </section>
    );
  }
  return (
    <Composer
      key={view.conv}
      language={language}
      barred={bar(language, view)}
      say={(text) => desk.say(text)}
      drafts={drafts}
      conv={view.conv}
    />
  );
}

/** The open conversation. */
export function Conversation({ language, desk, view, drafts, back }: Shown) {
  const empty = view.loading && view.lines.length + view.outgoing.length === 0;
  return (
    <section className="conversation" aria-labelledby="conversation">
      <div className="top">
        <button
          type="button"
          className="button back"
          aria-label={translate(language, 'agent.back')}
          onClick={back}
        >
          <Icon name="back" />
        </button>
        <h2 id="conversation" tabIndex={-1}>
          <span className="hidden">
            {translate(language, 'agent.conversation.title', { id: shortName(view.conv) })}
          </span>
          <span aria-hidden="true">
            {translate(language, 'agent.conversation', { id: shortName(view.conv) })}
          </span>
        </h2>
        {view.open && !view.closed && (
          <Confirmed
            language={language}
            button={translate(language, 'agent.close')}
            title={translate(language, 'agent.close.title')}
            text={translate(language, 'agent.close.text')}
            confirm={translate(language, 'agent.close')}
            act={() => desk.close()}
          />
        )}
      </div>
      {view.members.length > 0 && <Sealed language={language} view={view} />}
      <Trouble language={language} problem={view.problem} again={() => desk.restart()} />
      {empty ? (
        <Skeleton language={language} />
      ) : (
        <Log key={view.conv} language={language} view={view} retry={(cid) => desk.retry(cid)} />
      )}
      <Foot language={language} desk={desk} view={view} drafts={drafts} />
    </section>
  );
}
