import { type ReactNode, useEffect, useId, useRef } from 'react';
import css from './dialog.module.css';
import { Icon } from './icon.tsx';
import { useWords } from './words.tsx';

interface Asked {
  readonly title: string;
  readonly wide?: boolean;
  /** It was closed, by Escape too. */
  readonly close: () => void;
  readonly children: ReactNode;
}

/** A dialog that stands while it is drawn. The focus goes back to where it came from. */
export function Dialog({ title, wide = false, close, children }: Asked) {
  const { say } = useWords();
  const own = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const from = document.activeElement;
    own.current?.showModal();
    return () => {
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, []);
  return (
    <dialog ref={own} className={css.dialog} data-wide={wide} aria-labelledby={id} onClose={close}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className={css.close} aria-label={say('close')} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** What stands at a form's foot. */
export function Choices({
  busy,
  confirm,
  cancel,
  danger = false,
}: {
  busy: boolean;
  confirm: string;
  cancel: () => void;
  danger?: boolean;
}) {
  const { say } = useWords();
  return (
    <div className="choices">
      <button type="button" className="button" onClick={cancel}>
        {say('cancel')}
      </button>
      <button type="submit" className={danger ? 'button danger' : 'button primary'} aria-disabled={busy}>
        {busy ? say('working') : confirm}
      </button>
    </div>
  );
}
