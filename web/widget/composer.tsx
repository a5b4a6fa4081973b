import { grow, type Language, longest, measure, sends, translate } from '@aldaba/ui';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './parts.tsx';

interface Composing {
  readonly language: Language;
  /** Why nobody can write now, if nobody can. */
  readonly barred?: string | undefined;
  /** What was written and not sent. */
  readonly text: string;
  readonly write: (text: string) => void;
  readonly say: (text: string) => void;
}

/** Where one writes: Enter sends, and the field grows to five lines. */
export function Composer({ language, barred, text, write, say }: Composing) {
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { used, shown, over, fits } = measure(text);
  const can = fits && barred === undefined;
  const number = (count: number) => new Intl.NumberFormat(language).format(count);

  useLayoutEffect(() => {
    if (field.current) grow(field.current);
  });

  const send = () => {
    if (!can) return;
    say(text.trim());
    write('');
    field.current?.focus();
  };

  return (
    <form
      class="composer"
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
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (!sends(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <button
        type="submit"
        class="button primary"
        aria-label={translate(language, 'composer.send')}
        aria-disabled={!can}
      >
        <Icon name="send" />
      </button>
      <div id={id} class="remark">
        {barred !== undefined && <p>{barred}</p>}
        {barred === undefined && !shown && <p class="hint">{translate(language, 'composer.hint')}</p>}
        {barred === undefined && shown && (
          <p class={over > 0 ? 'over' : ''} role={over > 0 ? 'alert' : undefined}>
            {over > 0
              ? translate(language, 'composer.over', { over: number(over) })
              : translate(language, 'composer.counter', { used: number(used), limit: number(longest) })}
          </p>
        )}
      </div>
    </form>
  );
}
