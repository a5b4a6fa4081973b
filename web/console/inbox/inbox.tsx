import type { AgentDesk, DeskView } from '@aldaba/client';
import { explain, isFinal } from '@aldaba/ui';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Me } from '../api.ts';
import { Icon } from '../icon.tsx';
import { useLooking } from '../looking.ts';
import { Loading, Notice } from '../notice.tsx';
import { useWords } from '../words.tsx';
import { Conversation, Trouble } from './conversation.tsx';
import { Enrol, Steps } from './enrol.tsx';
import css from './inbox.module.css';
import { type Keys, KeysHelp, useKeys } from './keys.tsx';
import { ConversationList, inGroup } from './list.tsx';

interface Working {
  readonly me: Me;
  readonly desk: AgentDesk;
  readonly view: DeskView;
  readonly invitation: string;
}

/** Unfinished texts by conversation: they outlive the page that is shown, and a session that ends. */
const drafts = new Map<string, string>();

/** The agent's page, from the first invitation to the conversations. */
export function Inbox({ me, desk, view, invitation }: Working) {
  const { say, language } = useWords();
  if (view.stage === 'starting') return <Loading title={say('agent.title')} />;
  const problem = view.problem ?? { code: 'offline' };
  return (
    <main id="main" className={css.main} tabIndex={-1}>
      {view.stage === 'ready' && view.link === 'offline' && (
        <div className="banner" role="status">
          <Icon name="unreachable" />
          <p>{say('offline')}</p>
        </div>
      )}
      {['asked', 'certified', 'ready'].includes(view.stage) && (
        <Trouble problem={view.problem} again={() => desk.restart()} />
      )}
      {view.stage === 'failed' && (
        <Notice
          icon="unreachable"
          level="h1"
          bad
          title={say('agent.failed.title')}
          text={explain(language, problem)}
        >
          {!isFinal(problem) && (
            <button type="button" className="button primary" onClick={() => desk.restart()}>
              {say('failed.again')}
            </button>
          )}
        </Notice>
      )}
      {view.stage === 'enrol' && (
        <Enrol view={view} invitation={invitation} enrol={(typed) => desk.enrol(typed)} />
      )}
      {(view.stage === 'asked' || view.stage === 'certified') && (
        <Steps stage={view.stage} another={() => desk.another()} />
      )}
      {view.stage === 'ready' && <h1 className="hidden">{say('agent.title')}</h1>}
      {view.stage === 'ready' && <Panes me={me} desk={desk} view={view} />}
    </main>
  );
}

/** The list and the open conversation; on a narrow page one of them. */
function Panes({ me, desk, view }: Omit<Working, 'invitation'>) {
  const { say } = useWords();
  const [side, setSide] = useState<'list' | 'conversation'>('list');
  const [closing, setClosing] = useState(false);
  const [help, setHelp] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const { queue, current } = view;
  const looking = useLooking();
  useEffect(() => desk.look(looking), [desk, looking]);
  useEffect(() => () => desk.look(false), [desk]); // another page of the console

  const open = (conv: string) => {
    desk.select(conv);
    setSide('conversation');
  };
  const latest = useRef({ queue, current, open });
  latest.current = { queue, current, open };
  const keys = useMemo<Keys>(() => {
    const now = () => latest.current;
    const order = () =>
      (['mine', 'waiting', 'team', 'closed'] as const).flatMap((group) => inGroup(now().queue, group));
    return {
      move(step) {
        const list = order();
        const here = list.findIndex(({ conv }) => conv === now().current?.conv);
        const next = list[here < 0 ? 0 : Math.min(Math.max(here + step, 0), list.length - 1)];
        if (next) now().open(next.conv);
      },
      reply: () => box.current?.querySelector<HTMLElement>('textarea:enabled')?.focus(),
      accept() {
        if (now().current?.acceptable && !now().current?.open) desk.accept();
      },
      close() {
        if (now().current?.open && !now().current?.closed) setClosing(true);
      },
      help: () => setHelp(true),
      nth(at) {
        const one = inGroup(now().queue, 'mine')[at];
        if (one) now().open(one.conv);
      },
    };
  }, [desk]);
  useKeys(keys);

  const conv = side === 'conversation' ? current?.conv : undefined;
  const shape = `${current?.open} ${current?.closed}`;
  const stood = useRef({ conv, shape });
  // Whoever opens one goes on there: in the field, or at its name when there is none. So does who
  // accepts or closes it, whose button is gone; nobody is fetched from another place of the page.
  useEffect(() => {
    const opened = stood.current.conv !== conv;
    const changed = stood.current.shape !== shape;
    stood.current = { conv, shape };
    const at = document.activeElement;
    const lost = at === document.body || at?.id === 'conversation';
    if (conv === undefined || !(opened || (changed && lost))) return;
    const to = (selector: string) => box.current?.querySelector<HTMLElement>(selector);
    (to('textarea:enabled') ?? to('#conversation'))?.focus();
  }, [conv, shape]);
  const back = () => {
    setSide('list');
    // The list is drawn again in this turn of the page; only then can the focus go there.
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[aria-current="true"]')?.focus());
  };

  const cap = me.cap ?? 0;
  const waiting = inGroup(queue, 'waiting');
  const mine = inGroup(queue, 'mine').length;
  return (
    <div
      ref={box}
      className={css.panes}
      data-side={current ? side : 'list'}
      data-panel={current !== undefined}
      data-empty={queue.length === 0}
    >
      <div className={css.list}>
        <header>
          <p className={css.name} aria-hidden="true">
            {say('agent.title')}
          </p>
          {cap > 0 && (
            <p className={css.cap} data-full={mine >= cap}>
              {say('inbox.cap', { open: String(mine), cap: String(cap) })}
            </p>
          )}
          {view.link !== 'online' && (
            <p className={css.link} role="status" data-link={view.link}>
              {say(`link.${view.link}`)}
            </p>
          )}
        </header>
        {queue.length > 0 ? (
          <ConversationList
            items={queue}
            current={current?.conv}
            unread={view.unread}
            departments={new Map(me.departments.map(({ id, name }) => [id, name]))}
            open={open}
          />
        ) : (
          <p className={css.none}>{say('inbox.none')}</p>
        )}
      </div>
      {current ? (
        <Conversation
          me={me}
          desk={desk}
          view={current}
          item={queue.find((item) => item.conv === current.conv)}
          drafts={drafts}
          back={back}
          closing={closing}
          close={setClosing}
        />
      ) : (
        <Pick
          first={waiting[0]?.conv}
          open={open}
          waiting={waiting.length}
          any={queue.length > 0}
          cap={cap}
        />
      )}
      {help && <KeysHelp close={() => setHelp(false)} />}
    </div>
  );
}

/** Beside the list while none is open: what to do next. */
function Pick({
  first,
  waiting,
  any,
  cap,
  open,
}: {
  first: string | undefined;
  waiting: number;
  any: boolean;
  cap: number;
  open: (conv: string) => void;
}) {
  const { say, count } = useWords();
  const text = any
    ? say('agent.pick.text')
    : `${say('agent.empty.text')} ${cap === 0 ? '' : say('inbox.most', { cap: String(cap) })}`;
  return (
    <div className={css.pick}>
      <Notice
        icon={any ? 'chat' : 'inbox'}
        title={say(any ? 'agent.pick.title' : 'agent.empty.title')}
        text={text}
      >
        {first && (
          <button type="button" className="button primary" onClick={() => open(first)}>
            {count('inbox.take', waiting)}
          </button>
        )}
      </Notice>
    </div>
  );
}
