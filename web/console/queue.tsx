import type { QueueItem } from '@aldaba/client';
import { type Language, lately, translate } from '@aldaba/ui';
import { type KeyboardEvent, useRef } from 'react';
import { Icon } from './parts.tsx';

const groups = ['waiting', 'mine', 'closed'] as const;

/** How far a key goes in the list, or to which end of it. */
const steps: Readonly<Record<string, number>> = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** The visible name of a conversation, whose visitor has none. */
export function shortName(conv: string): string {
  return conv.slice(0, 6);
}

interface Queued {
  readonly language: Language;
  readonly items: readonly QueueItem[];
  readonly current: string | undefined;
  /** Conversations of mine with entries that were not looked at. */
  readonly news: ReadonlySet<string>;
  readonly open: (conv: string) => void;
}

/** The conversations by group. In the list, J and K or the arrows move, and Enter opens. */
export function Queue({ language, items, current, news, open }: Queued) {
  const list = useRef<HTMLElement>(null);

  const move = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const here = buttons.findIndex((button) => button.matches(':focus'));
    buttons[Math.min(Math.max(here + step, 0), buttons.length - 1)]?.focus();
  };

  return (
    <nav ref={list} className="queue" aria-label={translate(language, 'queue')} onKeyDown={move}>
      {groups.map((group) => {
        // Who waits longest is first; of the others, who spoke last.
        const order = group === 'waiting' ? 1 : -1;
        const some = items.filter((item) => item.state === group).sort((a, b) => order * (a.at - b.at));
        if (some.length === 0) return null;
        return (
          <section key={group} aria-labelledby={`queue-${group}`}>
            <h2 id={`queue-${group}`}>
              {translate(language, `queue.${group}`)} <span>{some.length}</span>
            </h2>
            <ul>
              {some.map((item) => (
                <li key={item.conv}>
                  <button
                    type="button"
                    aria-current={item.conv === current ? 'true' : undefined}
                    onClick={() => open(item.conv)}
                  >
                    <Icon name={group === 'closed' ? 'ready' : group === 'waiting' ? 'loading' : 'chat'} />
                    <span>{translate(language, 'agent.conversation', { id: shortName(item.conv) })}</span>
                    {news.has(item.conv) && <b>{translate(language, 'queue.news')}</b>}
                    <time dateTime={new Date(item.at).toISOString()}>
                      {lately(language, item.at, Date.now())}
                    </time>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}
