import type { Live } from '@aldaba/client';
import {
  advance,
  askHealth,
  icons,
  type Language,
  languages,
  translate,
  translateCount,
  unknown,
} from '@aldaba/ui';
import { type MouseEvent, useEffect, useId, useReducer, useRef, useSyncExternalStore } from 'react';

/** The value of something that changes, drawn again after each change. */
export function useLive<T>(live: Live<T>): T {
  return useSyncExternalStore(
    (changed) => live.subscribe(changed),
    () => live.get(),
    () => live.get(),
  );
}

/** An outline beside words that say the same, hence hidden from screen readers. */
export function Icon({ name, className = '' }: { name: keyof typeof icons; className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
}

/** One button per language, each in its own language. */
export function Languages({ language, choose }: { language: Language; choose: (l: Language) => void }) {
  return (
    <fieldset className="languages" aria-label={translate(language, 'language')}>
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

/** Whether the server answers, and a way to ask again. */
export function ServerHealth({ language }: { language: Language }) {
  const [health, dispatch] = useReducer(advance, unknown);
  const status = useRef<HTMLDivElement>(null);

  useEffect(() => {
    void askHealth(fetch).then(dispatch);
  }, []);

  const retry = async ({ currentTarget }: MouseEvent<HTMLButtonElement>) => {
    if (health.state !== 'unreachable') return;
    dispatch({ type: 'ask' });
    const reply = await askHealth(fetch);
    // The button is about to go: whoever stands on it must not fall out of the page.
    if (reply.type === 'answer' && document.activeElement === currentTarget) status.current?.focus();
    dispatch(reply);
  };

  const failures = health.state === 'ready' ? 0 : health.failures;
  return (
    <div className="health" data-state={health.state}>
      <div ref={status} className="status" role="status" tabIndex={-1}>
        <Icon name={health.state} />
        <span>
          {translate(
            language,
            `status.${health.state}`,
            health.state === 'ready' ? { version: health.version } : {},
          )}
          {health.state === 'unreachable' && (
            <small>{translateCount(language, 'status.failures', failures)}</small>
          )}
        </span>
      </div>
      {failures > 0 && (
        <button type="button" className="button" aria-disabled={health.state === 'loading'} onClick={retry}>
          {translate(language, 'status.retry')}
        </button>
      )}
    </div>
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
        className={`button ${className}`}
        aria-label={question.name ?? button}
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        {button}
      </button>
      <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`}>
        <h2 id={`${id}-title`}>{title}</h2>
        <p id={`${id}-text`}>{text}</p>
        <div className="choices">
          <button type="button" className="button" onClick={close}>
            {translate(language, 'cancel')}
          </button>
          <button
            type="button"
            className={`button ${className || 'primary'}`}
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
