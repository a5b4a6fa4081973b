import { grow, type Language, longest, measure, sends, translate } from '@aldaba/ui';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './parts.tsx';
import { usePopup } from './popup.ts';

/** A short list; the system's own picker has the others. */
const emoji = '🙂 😀 😂 😉 😍 🤔 😮 😕 😢 😡 👍 👎 👋 🙏 👏 💪 ❤️ 🎉 ✅ ❌ ❓ ⏳ 📎 ☎️'.split(' ');

/** Puts one of a few pictures where one writes; the names are read from the characters themselves. */
function Emoji({ language, put }: { language: Language; put: (picture: string) => void }) {
  const { open, setOpen, place, button } = usePopup();
  const id = useId();
  return (
    <div ref={place} class="emoji">
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-label={translate(language, 'composer.emoji')}
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <Icon name="smile" />
      </button>
      <fieldset id={id} class="drop" aria-label={translate(language, 'composer.emoji')} hidden={!open}>
        {emoji.map((picture) => (
          <button
            key={picture}
            type="button"
            onClick={() => {
              setOpen(false);
              put(picture);
            }}
          >
            {picture}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

interface Composing {
  readonly language: Language;
  /** Why nobody can write now, if nobody can. */
  readonly barred?: string | undefined;
  /** What was written and not sent. */
  readonly text: string;
  readonly write: (text: string) => void;
  readonly say: (text: string) => void;
  /** Somebody waits for the field: it takes the focus when it appears. */
  readonly eager?: boolean;
}

/** Where one writes: Enter sends, and the field grows to five lines. */
export function Composer({ language, barred, text, write, say, eager = false }: Composing) {
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const { used, shown, over, fits } = measure(text);
  const can = fits && barred === undefined;
  const number = (count: number) => new Intl.NumberFormat(language).format(count);

  useLayoutEffect(() => {
    if (field.current) grow(field.current);
  });
  useLayoutEffect(() => {
    if (eager) field.current?.focus();
  }, [eager]);

  const send = () => {
    if (!can) return;
    say(text.trim());
    write('');
    field.current?.focus();
  };
  const put = (picture: string) => {
    const here = field.current;
    if (!here) return;
    here.focus();
    here.setRangeText(picture, here.selectionStart, here.selectionEnd, 'end');
    write(here.value);
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="box">
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
        <div class="acts">
          <Emoji language={language} put={put} />
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
          <button
            type="submit"
            class="button primary"
            aria-label={translate(language, 'composer.send')}
            aria-disabled={!can}
          >
            <Icon name="send" />
          </button>
        </div>
      </div>
    </form>
  );
}
