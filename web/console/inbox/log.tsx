import { type ConversationView, type Outgoing, progress } from '@aldaba/client';
import {
  capitalise,
  clock,
  dayName,
  explain,
  introduce,
  type Row,
  rows,
  type Stick,
  stickToEnd,
} from '@aldaba/ui';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Icon } from '../icon.tsx';
import { useLooking } from '../looking.ts';
import { useWords } from '../words.tsx';
import css from './log.module.css';

/** One row of the log. */
function Entry({ row, state }: { row: Row; state: 'sent' | 'delivered' | 'read' | undefined }) {
  const { say, language } = useWords();
  if (row.kind === 'day') return <li className="day">{dayName(language, row.time, Date.now())}</li>;
  if (row.kind === 'note') return <li className={row.warns ? 'note warns' : 'note'}>{row.text}</li>;
  const shape = [row.mine && 'mine', row.first && 'first', row.last && 'last'].filter(Boolean).join(' ');
  return (
    <li className={`message ${shape}`} aria-live={row.mine ? 'off' : undefined}>
      <span className={row.first && !row.mine ? 'author' : 'hidden'} dir="auto">
        {row.first && !row.mine ? row.name : say('log.author', { name: row.name })}
      </span>
      <p className="bubble" dir="auto">
        {row.text}
      </p>
      {row.last && (
        <span className="meta">
          <time dateTime={new Date(row.time).toISOString()}>{clock(language, row.time)}</time>
          {state && (
            <span className={css.state} data-state={state}>
              <Icon name={state === 'sent' ? 'ready' : 'checks'} />
              <span>{say(`state.${state}`)}</span>
            </span>
          )}
        </span>
      )}
    </li>
  );
}

/** How far my own message has come. */
function stateOf(row: Row, view: ConversationView) {
  return row.kind === 'message' && row.mine ? progress(view, Number(row.key)) : undefined;
}

interface Sending {
  readonly message: Outgoing;
  readonly retry: (cid: string) => void;
}

/** A message that the log does not hold yet. */
function Pending({ message, retry }: Sending) {
  const { say, language } = useWords();
  const failed = message.state === 'failed';
  return (
    <li className="message mine first">
      <p className="bubble" dir="auto">
        {message.text}
      </p>
      <div className={failed ? 'meta failed' : 'meta'}>
        {failed ? (
          <>
            <span>
              {say('outgoing.failed')} {message.problem && explain(language, message.problem)}
            </span>
            <button type="button" className="button" onClick={() => retry(message.cid)}>
              {say('outgoing.retry')}
            </button>
          </>
        ) : (
          say('outgoing.sending')
        )}
      </div>
    </li>
  );
}

interface Logged {
  readonly view: ConversationView;
  readonly retry: (cid: string) => void;
  /** Somebody sees the end. */
  readonly seen: () => void;
}

/** The lines of a conversation and what is on its way, kept at the end while the reader is there. */
export function Log({ view, retry, seen }: Logged) {
  const { say, language } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const stick = useRef<Stick | undefined>(undefined);
  const [unseen, setUnseen] = useState(false);
  const { lines, outgoing } = view;
  const made = useMemo(() => rows(language, lines), [language, lines]);
  const sent = outgoing.at(-1)?.cid;
  const seat = view.members.find(({ leaf, mine }) => !mine && view.typing.includes(leaf));
  const writing = seat && capitalise(language, introduce(language, seat));

  useLayoutEffect(() => {
    if (!box.current) return;
    const made = stickToEnd(box.current, setUnseen);
    stick.current = made;
    made.end();
    const watch = new ResizeObserver(made.grown);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (sent !== undefined) stick.current?.end(); // who sends wants to see it
  }, [sent]);
  useLayoutEffect(() => stick.current?.grown());
  const last = lines.at(-1)?.seq;
  const looking = useLooking();
  const told = useRef<number>(undefined);
  useEffect(() => {
    if (!looking || unseen || last === undefined || last === told.current) return;
    told.current = last;
    seen();
  });

  return (
    <div className="room">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={box} className="scroll" tabIndex={0} onScroll={() => stick.current?.scrolled()}>
        <div role="log" aria-label={say('log')} aria-busy={view.loading}>
          <ol>
            {made.map((row) => (
              <Entry key={row.key} row={row} state={stateOf(row, view)} />
            ))}
          </ol>
        </div>
        {writing && (
          <p className={css.typing} role="status">
            <span aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {say('typing', { name: writing })}
          </p>
        )}
        {outgoing.length > 0 && (
          <ul aria-label={say('outgoing')}>
            {outgoing.map((message) => (
              <Pending key={message.cid} message={message} retry={retry} />
            ))}
          </ul>
        )}
      </div>
      {unseen && (
        <button type="button" className="button unseen" onClick={() => stick.current?.end()}>
          <Icon name="down" />
          {say('log.news')}
        </button>
      )}
    </div>
  );
}
