import { grow, longest, measure, sends } from '@aldaba/ui';
import { useId, useLayoutEffect, useRef, useState } from 'react';
import { useWords } from '../words.tsx';
import css from './composer.module.css';
import { Emoji } from './emoji.tsx';

interface Composing {
  /** Why nobody can write now, if nobody can. */
  readonly barred?: string | undefined;
  readonly say: (text: string) => void;
  /** Something is being written. */
  readonly typing: () => void;
  /** Where an unfinished text waits while another conversation is open. */
  readonly drafts: Map<string, string>;
  readonly conv: string;
}

/** Where one writes: Enter sends, and the field grows to eight lines. */
export function Composer({ barred, say: send, typing, drafts, conv }: Composing) {
  const { say, language } = useWords();
  const [text, setText] = useState(drafts.get(conv) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { used, shown, over, fits } = measure(text);
  const closed = barred !== undefined;
  const can = fits && !closed;
  const number = (count: number) => new Intl.NumberFormat(language).format(count);

  useLayoutEffect(() => {
    if (field.current) grow(field.current);
  });

  const write = (next: string) => {
    setText(next);
    drafts.set(conv, next);
    if (next.trim()) typing();
  };
  const submit = () => {
    if (!can) return;
    send(text.trim());
    write('');
    field.current?.focus();
  };
  const put = (emoji: string) => {
    const { selectionStart: from = text.length, selectionEnd: to = from } = field.current ?? {};
    write(text.slice(0, from) + emoji + text.slice(to));
    const after = from + emoji.length;
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(after, after);
    });
  };

  return (
    <form
      className={css.composer}
      data-barred={closed}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={field}
        rows={2}
        dir="auto"
        value={text}
        disabled={closed}
        placeholder={say('inbox.placeholder')}
        aria-label={say('inbox.answer')}
        aria-describedby={id}
        aria-invalid={over > 0}
        onChange={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
          if (!sends(event.nativeEvent)) return;
          event.preventDefault();
          submit();
        }}
      />
      <div className={css.bar}>
        <Emoji put={put} disabled={closed} />
        <div id={id} className={css.remark}>
          {closed && <p>{barred}</p>}
          {!closed && !shown && <p className={css.hint}>{say('composer.hint')}</p>}
          {!closed && shown && (
            <p className={over > 0 ? css.over : ''} role={over > 0 ? 'alert' : undefined}>
              {over > 0
                ? say('composer.over', { over: number(over) })
                : say('composer.counter', { used: number(used), limit: number(longest) })}
            </p>
          )}
        </div>
        <button type="submit" className="button primary" aria-disabled={!can}>
          {say('composer.send')}
        </button>
      </div>
    </form>
  );
}
