import type { Live } from '@aldaba/client';
import { icons, type Language, languages, translate } from '@aldaba/ui';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

/** The value of something that changes, drawn again after each change. */
export function useLive<T>(live: Live<T>): T {
  const [value, setValue] = useState(() => live.get());
  useEffect(() => {
    const read = () => setValue(() => live.get());
    read(); // it may have changed between the drawing and now
    return live.subscribe(read);
  }, [live]);
  return value;
}

/** An outline beside words that say the same, hence hidden from screen readers. */
export function Icon({ name, className = '' }: { name: keyof typeof icons; className?: string }) {
  return (
    <svg class={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
}

/** One button per language, each in its own language. */
export function Languages({ language, choose }: { language: Language; choose: (l: Language) => void }) {
  return (
    <fieldset class="languages">
      <legend>{translate(language, 'language')}</legend>
      {languages.map(([tag, name]) => (
        <button
          key={tag}
          type="button"
          lang={tag}
          aria-pressed={tag === language}
          onClick={() => choose(tag)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

interface Question {
  readonly language: Language;
  /** What the button shows, and what it is called when that is more. */
  readonly button: string;
  readonly name?: string;
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly className?: string;
  readonly act: () => void;
}

/** A button for what is not easily undone: it asks first. */
export function Confirmed(question: Question) {
  const { language, button, title, text, confirm, className = '', act } = question;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const close = () => dialog.current?.close();
  return (
    <>
      <button
        type="button"
        class={`button ${className}`}
        aria-label={question.name ?? button}
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        {button}
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`}>
        <h2 id={`${id}-title`}>{title}</h2>
        <p id={`${id}-text`}>{text}</p>
        <div class="choices">
          <button type="button" class="button" onClick={close}>
            {translate(language, 'cancel')}
          </button>
          <button
            type="button"
            class={`button ${className || 'primary'}`}
            onClick={() => {
              close();
              act();
            }}
          >
            {confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
