import type { ConversationView, Outgoing } from '@aldaba/client';
import {
  clock,
  dayName,
  explain,
  type Language,
  type Row,
  rows,
  type Stick,
  stickToEnd,
  translate,
} from '@aldaba/ui';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Icon } from './parts.tsx';

/** One row of the log. */
function Entry({ language, row }: { language: Language; row: Row }) {
  if (row.kind === 'day') return <li className="day">{dayName(language, row.time, Date.now())}</li>;
  if (row.kind === 'note') return <li className={row.warns ? 'note warns' : 'note'}>{row.text}</li>;
  const shape = [row.mine && 'mine', row.first && 'first', row.last && 'last'].filter(Boolean).join(' ');
  return (
    <li className={`message ${shape}`} aria-live={row.mine ? 'off' : undefined}>
      <span className={row.first && !row.mine ? 'author' : 'hidden'} dir="auto">
        {row.first && !row.mine ? row.name : translate(language, 'log.author', { name: row.name })}
      </span>
      <p className="bubble" dir="auto">
        {row.text}
      </p>
      {row.last && (
        <time className="meta" dateTime={new Date(row.time).toISOString()}>
          {clock(language, row.time)}
        </time>
      )}
    </li>
  );
}

interface Sending {
  readonly language: Language;
  readonly message: Outgoing;
  readonly retry: (cid: string) => void;
}

/** A message that the log does not hold yet. */
function Pending({ language, message, retry }: Sending) {
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
              {translate(language, 'outgoing.failed')} {message.problem && explain(language, message.problem)}
            </span>
            <button type="button" className="button" onClick={() => retry(message.cid)}>
              {translate(language, 'outgoing.retry')}
            </button>
          </>
        ) : (
          translate(language, 'outgoing.sending')
        )}
      </div>
    </li>
  );
}

interface Logged {
  readonly language: Language;
  readonly view: ConversationView;
  readonly retry: (cid: string) => void;
}

/** The lines of a conversation and what is on its way, kept at the end while the reader is there. */
export function Log({ language, view, retry }: Logged) {
  const box = useRef<HTMLDivElement>(null);
  const stick = useRef<Stick | undefined>(undefined);
  const [unseen, setUnseen] = useState(false);
  const { lines, outgoing } = view;
  const made = useMemo(() => rows(language, lines), [language, lines]);
  const sent = outgoing.at(-1)?.cid;

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

  return (
    <div className="room">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={box} className="scroll" tabIndex={0} onScroll={() => stick.current?.scrolled()}>
        <div role="log" aria-label={translate(language, 'log')} aria-busy={view.loading}>
          <ol>
            {made.map((row) => (
              <Entry key={row.key} language={language} row={row} />
            ))}
          </ol>
        </div>
        {outgoing.length > 0 && (
          <ul aria-label={translate(language, 'outgoing')}>
            {outgoing.map((message) => (
              <Pending key={message.cid} language={language} message={message} retry={retry} />
            ))}
          </ul>
        )}
      </div>
      {unseen && (
        <button type="button" className="button unseen" onClick={() => stick.current?.end()}>
          <Icon name="down" />
          {translate(language, 'log.news')}
        </button>
      )}
    </div>
  );
}
