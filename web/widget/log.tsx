import { type ConversationView, type Outgoing, progress } from '@aldaba/client';
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
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Icon } from './parts.tsx';
import { Leaving, type Link, Text } from './text.tsx';

type Reach = ReturnType<typeof progress>;

function Ticks({ language, reach }: { language: Language; reach: Reach }) {
  return (
    <span class={`ticks ${reach}`}>
      <Icon name={reach === 'sent' ? 'ready' : 'checks'} />
      {translate(language, `reach.${reach}`)}
    </span>
  );
}

interface Rowed {
  readonly language: Language;
  readonly row: Row;
  readonly reach: Reach;
  readonly follow: (link: Link) => void;
}

/** One row of the log. */
function Entry({ language, row, reach, follow }: Rowed) {
  if (row.kind === 'day') return <li class="day">{dayName(language, row.time, Date.now())}</li>;
  if (row.kind === 'note') return <li class={row.warns ? 'note warns' : 'note'}>{row.text}</li>;
  const shape = [row.mine && 'mine', row.first && 'first', row.last && 'last'].filter(Boolean).join(' ');
  return (
    <li class={`message ${shape}`} aria-live={row.mine ? 'off' : undefined}>
      <span class={row.first && !row.mine ? 'author' : 'hidden'} dir="auto">
        {row.first && !row.mine ? row.name : translate(language, 'log.author', { name: row.name })}
      </span>
      <p class="bubble" dir="auto">
        <Text text={row.text} follow={follow} />
      </p>
      {row.last && (
        <div class="meta">
          <time dateTime={new Date(row.time).toISOString()}>{clock(language, row.time)}</time>
          {row.mine && <Ticks language={language} reach={reach} />}
        </div>
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
    <li class="message mine first">
      <p class="bubble" dir="auto">
        {message.fields ? message.fields.map(({ value }) => value).join(' · ') : message.text}
      </p>
      <div class={failed ? 'meta failed' : 'meta'}>
        <Icon name={failed ? 'unreachable' : 'loading'} />
        {failed ? (
          <>
            <span>
              {translate(language, 'outgoing.failed')} {message.problem && explain(language, message.problem)}
            </span>
            <button type="button" class="button" onClick={() => retry(message.cid)}>
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
  /** Whether somebody may see it, and who hears that its end was seen. */
  readonly seen: boolean;
  readonly read: () => void;
  /** What scrolls with the log, above and below it. */
  readonly above?: ComponentChildren;
  readonly below?: ComponentChildren;
}

/** The lines of a conversation and what is on its way, kept at the end while the reader is there. */
export function Log({ language, view, retry, seen, read, above, below }: Logged) {
  const box = useRef<HTMLDivElement>(null);
  const stick = useRef<Stick | undefined>(undefined);
  const [unseen, setUnseen] = useState(false);
  const [leaving, setLeaving] = useState<Link>();
  const { lines, outgoing } = view;
  // What was answered before is no message: it shows once it is in the log, or when it failed.
  const texts = outgoing.filter(({ fields, state }) => !fields || state === 'failed');
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
  const last = lines.at(-1)?.seq;
  useEffect(() => {
    if (seen && stick.current?.there()) read();
  }, [seen, last, unseen]);

  return (
    <div class="room">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={box} class="scroll" tabIndex={0} onScroll={() => stick.current?.scrolled()}>
        {above}
        <div role="log" aria-label={translate(language, 'log')} aria-busy={view.loading}>
          <ol>
            {made.map((row) => (
              <Entry
                key={row.key}
                language={language}
                row={row}
                reach={progress(view, Number(row.key))}
                follow={setLeaving}
              />
            ))}
          </ol>
        </div>
        {texts.length > 0 && (
          <ul aria-label={translate(language, 'outgoing')}>
            {texts.map((message) => (
              <Pending key={message.cid} language={language} message={message} retry={retry} />
            ))}
          </ul>
        )}
        {below}
      </div>
      {unseen && (
        <button type="button" class="button unseen" onClick={() => stick.current?.end()}>
          <Icon name="down" />
          {translate(language, 'log.news')}
        </button>
      )}
      {leaving && <Leaving language={language} link={leaving} stay={() => setLeaving(undefined)} />}
    </div>
  );
}
