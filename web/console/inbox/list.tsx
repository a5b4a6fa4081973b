import type { QueueItem } from '@aldaba/client';
import { lately } from '@aldaba/ui';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { VisitorAvatar } from '../avatar.tsx';
import { Icon } from '../icon.tsx';
import { useWords } from '../words.tsx';
import css from './list.module.css';

/** The groups from top to bottom, and whether each is open at first. */
const groups = [
  ['mine', true],
  ['waiting', true],
  ['team', false],
  ['closed', false],
] as const;

/** How far a key goes in the list, or to which end of it. */
const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** The visible name of a conversation, whose visitor has none. */
export function shortName(conv: string): string {
  return conv.slice(0, 6);
}

/** The conversations of one group: who waits longest is first; of the others, who spoke last. */
export function inGroup(items: readonly QueueItem[], group: QueueItem['state']): readonly QueueItem[] {
  const order = group === 'waiting' ? 1 : -1;
  return items
    .filter((item) => item.state === group)
    .sort((a, b) => order * (group === 'waiting' ? (a.since ?? a.at) - (b.since ?? b.at) : a.at - b.at));
}

/** A clock for what says how long something takes. */
export function useNow(every: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

interface Listed {
  readonly items: readonly QueueItem[];
  readonly current: string | undefined;
  readonly unread: ReadonlyMap<string, number>;
  /** The departments' names by identifier. */
  readonly departments: ReadonlyMap<string, string>;
  readonly open: (conv: string) => void;
}

/** The conversations by group. The arrows move in the list, and Enter opens. */
export function ConversationList({ items, current, unread, departments, open }: Listed) {
  const { say } = useWords();
  const list = useRef<HTMLElement>(null);
  const now = useNow(15_000);

  const move = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>('button, summary') ?? [])].filter(
      (one) => one.checkVisibility?.() ?? true,
    );
    const here = buttons.findIndex((button) => button.matches(':focus'));
    buttons[Math.min(Math.max(here + step, 0), buttons.length - 1)]?.focus();
  };

  return (
    <nav ref={list} className={css.groups} aria-label={say('queue')} onKeyDown={move}>
      {groups.map(([group, opened]) => {
        const some = inGroup(items, group);
        if (some.length === 0) return null;
        return (
          <section key={group} aria-labelledby={`queue-${group}`}>
            <details open={opened || some.some(({ conv }) => conv === current)}>
              <summary>
                <h2 id={`queue-${group}`}>
                  {say(`queue.${group}`)} <span>{some.length}</span>
                </h2>
                <Icon name="chevron" className={css.arrow} />
              </summary>
              <ul>
                {some.map((item) => (
                  <Row
                    key={item.conv}
                    item={item}
                    now={now}
                    current={item.conv === current}
                    unread={unread.get(item.conv) ?? 0}
                    department={departments.get(item.dept ?? '') ?? ''}
                    open={open}
                  />
                ))}
              </ul>
            </details>
          </section>
        );
      })}
    </nav>
  );
}

interface Shown {
  readonly item: QueueItem;
  readonly now: number;
  readonly current: boolean;
  readonly unread: number;
  readonly department: string;
  readonly open: (conv: string) => void;
}

/** One conversation: who, since when, where, and what is new. Never a word of what was said. */
function Row({ item, now, current, unread, department, open }: Shown) {
  const { say, count, language } = useWords();
  const minutes = Math.max(0, Math.floor((now - (item.since ?? item.at)) / 60_000));
  const about = [
    department,
    item.state === 'waiting' && (minutes > 0 ? count('queue.waits', minutes) : say('queue.fresh')),
    item.state === 'team' && new Intl.ListFormat(language).format(item.agents),
  ].filter(Boolean);
  return (
    <li>
      <button
        type="button"
        className={css.row}
        aria-current={current ? 'true' : undefined}
        data-late={item.state === 'waiting' && minutes >= 5}
        onClick={() => open(item.conv)}
      >
        <VisitorAvatar id={item.conv} />
        <span className={css.middle}>
          <span className={css.name}>
            <b>{say('agent.conversation', { id: shortName(item.conv) })}</b>
            <time dateTime={new Date(item.at).toISOString()}>{lately(language, item.at, now)}</time>
          </span>
          <span className={css.about}>
            <span>{about.join(' · ')}</span>
            {unread > 0 && (
              <i className={css.badge}>
                <span aria-hidden="true">{new Intl.NumberFormat(language).format(Math.min(unread, 99))}</span>
                <span className="hidden">{count('inbox.unread', unread)}</span>
              </i>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}
