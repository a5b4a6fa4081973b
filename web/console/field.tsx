import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import css from './form.module.css';
import { Icon } from './icon.tsx';
import { useWords } from './words.tsx';

interface Said {
  readonly label: string;
  readonly hint?: string | undefined;
  /** What is wrong with it; whoever sent it is taken there. */
  readonly error?: string | undefined;
}

function Labelled({ id, label, hint, error, children }: Said & { id: string; children: ReactNode }) {
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      {children}
      {hint && (
        <p id={`${id}-hint`} className={css.hint}>
          {hint}
        </p>
      )}
      <p id={`${id}-error`} className={css.error} role="alert">
        {error}
      </p>
    </div>
  );
}

const described = (id: string, { hint, error }: Said) =>
  [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;

/** A line of text with its name, what it wants, and what is wrong with it. */
export function Field({
  label,
  hint,
  error,
  focused = false,
  ...input
}: Said & ComponentProps<'input'> & { /** Whether the page that came goes on here. */ focused?: boolean }) {
  const id = useId();
  const own = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (error || focused) own.current?.focus();
  }, [error, focused]);
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <input
        ref={own}
        {...input}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      />
    </Labelled>
  );
}

/** A password, which can be looked at. */
export function PasswordField({ label, hint, error, ...input }: Said & ComponentProps<'input'>) {
  const { say } = useWords();
  const [shown, setShown] = useState(false);
  const id = useId();
  const own = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (error) own.current?.focus();
  }, [error]);
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <div className={css.beside}>
        <input
          ref={own}
          {...input}
          id={id}
          type={shown ? 'text' : 'password'}
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={error ? true : undefined}
          aria-describedby={described(id, { label, hint, error })}
        />
        <button
          type="button"
          className={css.look}
          aria-pressed={shown}
          aria-label={say('password.show')}
          onClick={() => setShown(!shown)}
        >
          <Icon name={shown ? 'hide' : 'eye'} />
        </button>
      </div>
    </Labelled>
  );
}

/** One of several. */
export function Choice({ label, hint, error, children, ...select }: Said & ComponentProps<'select'>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <select {...select} id={id} aria-describedby={described(id, { label, hint, error })}>
        {children}
      </select>
    </Labelled>
  );
}

/** Several lines. */
export function Lines({ label, hint, error, ...area }: Said & ComponentProps<'textarea'>) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} error={error}>
      <textarea
        {...area}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, { label, hint, error })}
      />
    </Labelled>
  );
}

/** Any number of some, each by its own box. */
export function Boxes({
  legend,
  hint,
  error,
  choices,
  chosen,
  choose,
}: {
  legend: string;
  hint?: string;
  error?: string | undefined;
  choices: readonly (readonly [id: string, name: string, more?: string])[];
  chosen: readonly string[];
  choose: (chosen: readonly string[]) => void;
}) {
  return (
    <fieldset className={css.boxes}>
      <legend>{legend}</legend>
      {hint && <p className={css.hint}>{hint}</p>}
      {choices.map(([id, name, more]) => (
        <label key={id}>
          <input
            type="checkbox"
            checked={chosen.includes(id)}
            onChange={({ currentTarget }) =>
              choose(currentTarget.checked ? [...chosen, id] : chosen.filter((one) => one !== id))
            }
          />
          <span>
            {name}
            {more && <small>{more}</small>}
          </span>
        </label>
      ))}
      <p className={css.error} role="alert">
        {error}
      </p>
    </fieldset>
  );
}

/** A switch: on or off, at once. */
export function Switch({
  label,
  hint,
  on,
  turn,
}: {
  label: string;
  hint?: string;
  on: boolean;
  turn: (on: boolean) => void;
}) {
  const id = useId();
  return (
    <div className={css.switch}>
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && (
          <p id={`${id}-hint`} className={css.hint}>
            {hint}
          </p>
        )}
      </div>
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={on}
        checked={on}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={({ currentTarget }) => turn(currentTarget.checked)}
      />
    </div>
  );
}

/** Puts a text on the clipboard, and says so. */
export function Copy({ text, name }: { text: string; name?: string }) {
  const { say } = useWords();
  const [done, setDone] = useState<boolean>();
  useEffect(() => {
    if (done === undefined) return;
    const timer = setTimeout(() => setDone(undefined), 4000);
    return () => clearTimeout(timer);
  }, [done]);
  const word = say(done === undefined ? 'copy' : done ? 'copy.done' : 'copy.failed');
  return (
    <button
      type="button"
      className={`button ${css.copy}`}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setDone(true),
          () => setDone(false),
        );
      }}
    >
      <Icon name={done ? 'ready' : 'copy'} />
      <span role="status">
        {word}
        {name && <span className="hidden"> {name}</span>}
      </span>
    </button>
  );
}
