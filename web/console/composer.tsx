import { grow, type Language, longest, measure, sends, translate } from '@aldaba/ui';
import { useId, useLayoutEffect, useRef, useState } from 'react';
import { Icon } from './parts.tsx';

interface Composing {
  readonly language: Language;
  /** Why nobody can write now, if nobody can. */
  readonly barred?: string | undefined;
  readonly say: (text: string) => void;
  /** Where an unfinished text waits while another conversation is open. */
  readonly drafts: Map<string, string>;
  readonly conv: string;
}

/** Where one writes: Enter sends, and the field grows to five lines. */
export function Composer({ language, barred, say, drafts, conv }: Composing) {
  const [text, setText] = useState(drafts.get(conv) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { used, shown, over, fits } = measure(text);
  const can = fits && barred === undefined;
  const number = (count: number) => new Intl.NumberFormat(language).format(count);

  useLayoutEffect(() => {
    if (field.current) grow(field.current);
  });

  const write = (next: string) => {
    setText(next);
    drafts.set(conv, next);
  };
  const send = () => {
    if (!can) return;
    say(text.trim());
    write('');
    field.current?.focus();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        value={text}
        disabled={barred !== undefined}
        placeholder={translate(language, 'composer.placeholder')}
        aria-label={translate(language, 'composer')}
        aria-describedby={id}
        aria-invalid={over > 0}
        onChange={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (!sends(event.nativeEvent)) return;
          event.preventDefault();
          send();
        }}
      />
      <button
        type="submit"
        className="button primary"
        aria-label={translate(language, 'composer.send')}
        aria-disabled={!can}
      >
        <Icon name="send" />
      </button>
      <div id={id} className="remark">
        {barred !== undefined && <p>{barred}</p>}
        {barred === undefined && !shown && <p className="hint">{translate(language, 'composer.hint')}</p>}
        {barred === undefined && shown && (
          <p className={over > 0 ? 'over' : ''} role={over > 0 ? 'alert' : undefined}>
            {over > 0
              ? translate(language, 'composer.over', { over: number(over) })
              : translate(language, 'composer.counter', { used: number(used), limit: number(longest) })}
          </p>
        )}
      </div>
    </form>
  );
}
