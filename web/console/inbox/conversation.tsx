import type { AgentDesk, ConversationView, Problem, QueueItem } from '@aldaba/client';
import { explain, isFinal, type Language, listPeople, lockOf } from '@aldaba/ui';
import { type ReactNode, useState } from 'react';
import type { Me } from '../api.ts';
import { VisitorAvatar } from '../avatar.tsx';
import { Dialog } from '../dialog.tsx';
import { Icon } from '../icon.tsx';
import { Skeleton } from '../parts.tsx';
import { translate, useWords } from '../words.tsx';
import { Composer } from './composer.tsx';
import css from './conversation.module.css';
import { shortName } from './list.tsx';
import { Log } from './log.tsx';
import { VisitorPanel } from './visitor.tsx';

/** What a person can only wait for: to begin again would change nothing. */
const waits = ['at_capacity'];

interface Troubled {
  readonly problem: Problem | undefined;
  readonly again: () => void;
}

/** What went wrong while the page goes on. That the server does not answer is said elsewhere. */
export function Trouble({ problem, again }: Troubled) {
  const { say, language } = useWords();
  if (!problem || (problem.code === 'offline' && !problem.rule)) return null;
  return (
    <div className="banner bad" role="alert">
      <Icon name="unreachable" />
      <p>{explain(language, problem)}</p>
      {!isFinal(problem) && !waits.includes(problem.rule ?? '') && (
        <button type="button" className="button" onClick={again}>
          {say('failed.again')}
        </button>
      )}
    </div>
  );
}

interface Shown {
  readonly me: Me;
  readonly desk: AgentDesk;
  readonly view: ConversationView;
  readonly item: QueueItem | undefined;
  readonly drafts: Map<string, string>;
  /** On a narrow page: shows the list again. */
  readonly back: () => void;
  /** Whether it is being asked if it should be closed. */
  readonly closing: boolean;
  readonly close: (asking: boolean) => void;
}

/** Why an agent cannot write in a conversation that is neither closed nor waiting. */
function bar(language: Language, view: ConversationView, agents: readonly string[]): string | undefined {
  const rule = lockOf(view.lines);
  const names = new Intl.ListFormat(language).format(agents);
  const elsewhere = names
    ? translate(language, 'agent.elsewhere.who', { names })
    : translate(language, 'agent.elsewhere');
  // Not to be a member is no failure of keys: somebody else has accepted.
  if (rule === 'W1') return elsewhere;
  if (rule !== undefined) return translate(language, 'composer.locked', { rule });
  if (view.open) return undefined;
  return view.loading ? translate(language, 'composer.waits') : elsewhere;
}

/** What is below the log: the field, the acceptance, or why there is neither. */
function Foot({ desk, view, item, drafts }: Pick<Shown, 'desk' | 'view' | 'item' | 'drafts'>) {
  const { say, language } = useWords();
  if (view.closed) {
    return (
      <div className={css.instead}>
        <Icon name="lock" />
        <p>{say('agent.closed')}</p>
        <button type="button" className="button" onClick={() => desk.reopen()}>
          {say('agent.reopen')}
        </button>
      </div>
    );
  }
  if (view.acceptable && !view.open) {
    return (
      <section className={css.instead} aria-labelledby="accept">
        <div>
          <h3 id="accept">{say('agent.waiting.title')}</h3>
          <p>{say('agent.waiting.text')}</p>
        </div>
        <button type="button" className="button primary" onClick={() => desk.accept()}>
          <Icon name="ready" />
          {say('agent.accept')}
        </button>
      </section>
    );
  }
  return (
    <Composer
      key={view.conv}
      barred={bar(language, view, item?.agents ?? [])}
      say={(text) => desk.say(text)}
      typing={() => desk.typing()}
      drafts={drafts}
      conv={view.conv}
    />
  );
}

/** Who it is, who can read it, and what can be done with it. */
function Top({
  view,
  item,
  me,
  back,
  close,
  panel,
}: Pick<Shown, 'view' | 'item' | 'me' | 'back' | 'close'> & { panel: ReactNode }) {
  const { say, language } = useWords();
  const department = me.departments.find(({ id }) => id === item?.dept);
  return (
    <div className={css.top}>
      <button
        type="button"
        className={`button bare ${css.back}`}
        aria-label={say('agent.back')}
        onClick={back}
      >
        <Icon name="back" />
      </button>
      <VisitorAvatar id={view.conv} />
      <div className={css.title}>
        <h2 id="conversation" tabIndex={-1}>
          <span className="hidden">{say('agent.conversation.title', { id: shortName(view.conv) })}</span>
          <span aria-hidden="true">{say('agent.conversation', { id: shortName(view.conv) })}</span>
        </h2>
        <p className={css.chips}>
          <span className={css.chip}>
            <Icon name="user" />
            {say('identity.none.short')}
          </span>
          {view.members.length > 0 && (
            <span className={css.chip} data-good={department?.mode !== 'assisted'}>
              <Icon name="lock" />
              {say(`mode.${department?.mode ?? 'sealed'}`)}
            </span>
          )}
          {view.members.length > 0 && (
            <span className={css.readers}>
              {say('inbox.readers', { names: listPeople(language, view.members) })}
            </span>
          )}
        </p>
      </div>
      {panel}
      {view.open && !view.closed && (
        <button type="button" className="button primary" aria-haspopup="dialog" onClick={() => close(true)}>
          <Icon name="ready" />
          <span className={css.word}>{say('inbox.close')}</span>
        </button>
      )}
    </div>
  );
}

/** The open conversation, and beside it what is known of the visitor. */
export function Conversation({ me, desk, view, item, drafts, back, closing, close }: Shown) {
  const { say, language } = useWords();
  const [panel, setPanel] = useState(false);
  const empty = view.loading && view.lines.length + view.outgoing.length === 0;
  return (
    <>
      <section className={css.conversation} aria-labelledby="conversation">
        <Top
          view={view}
          item={item}
          me={me}
          back={back}
          close={close}
          panel={
            <button
              type="button"
              className={`button bare ${css.details}`}
              aria-label={say('panel.open')}
              aria-haspopup="dialog"
              onClick={() => setPanel(true)}
            >
              <Icon name="panel" />
            </button>
          }
        />
        <Trouble problem={view.problem} again={() => desk.restart()} />
        {empty ? (
          <Skeleton language={language} />
        ) : (
          <Log key={view.conv} view={view} retry={(cid) => desk.retry(cid)} seen={() => desk.seen()} />
        )}
        <Foot desk={desk} view={view} item={item} drafts={drafts} />
      </section>
      <aside className={css.panel} aria-label={say('panel')}>
        <VisitorPanel me={me} view={view} item={item} />
      </aside>
      {panel && (
        <Dialog title={say('panel')} close={() => setPanel(false)}>
          <VisitorPanel me={me} view={view} item={item} />
        </Dialog>
      )}
      {closing && (
        <Dialog title={say('agent.close.title')} close={() => close(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              close(false);
              desk.close();
            }}
          >
            <p className={css.question}>{say('agent.close.text')}</p>
            <div className="choices">
              <button type="button" className="button" onClick={() => close(false)}>
                {say('cancel')}
              </button>
              <button type="submit" className="button primary">
                {say('agent.close')}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}
