import { useEffect } from 'react';
import { Dialog } from '../dialog.tsx';
import { getPrefs } from '../prefs.ts';
import { useWords } from '../words.tsx';
import css from './keys.module.css';

/** What a key does on the inbox. */
export interface Keys {
  /** To the next or the one before, in the list's order. */
  move(step: 1 | -1): void;
  reply(): void;
  accept(): void;
  close(): void;
  help(): void;
  /** Opens the conversation of mine with that place, from 0. */
  nth(at: number): void;
}

const typed = 'input, textarea, select, [contenteditable]';

/** Listens to single keys, unless they are switched off, something is being typed or a dialog is open; to Alt and a digit always. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return;
      const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
      if (event.altKey && !event.ctrlKey && !event.metaKey && digit) {
        event.preventDefault();
        return keys.nth(Number(digit) - 1);
      }
      if (event.altKey || event.ctrlKey || event.metaKey || !getPrefs().keys) return;
      if (event.target instanceof Element && event.target.closest(typed)) return;
      const acts: Readonly<Record<string, () => void>> = {
        j: () => keys.move(1),
        k: () => keys.move(-1),
        r: () => keys.reply(),
        a: () => keys.accept(),
        e: () => keys.close(),
        '?': () => keys.help(),
      };
      const act = acts[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [keys]);
}

const rows = [
  ['J', 'K', 'keys.move'],
  ['R', '', 'keys.reply'],
  ['A', '', 'keys.accept'],
  ['E', '', 'keys.close'],
  ['Alt 1', 'Alt 9', 'keys.nth'],
  ['?', '', 'keys.help'],
] as const;

/** The list of keys. */
export function KeysHelp({ close }: { close: () => void }) {
  const { say } = useWords();
  return (
    <Dialog title={say('keys.title')} close={close}>
      <dl className={css.keys}>
        {rows.map(([one, other, what]) => (
          <div key={what}>
            <dt>
              <kbd>{one}</kbd>
              {other && (
                <>
                  {' '}
                  {one.startsWith('Alt') ? '…' : ''} <kbd>{other}</kbd>
                </>
              )}
            </dt>
            <dd>{say(what)}</dd>
          </div>
        ))}
      </dl>
      <p className={css.note}>{say('keys.note')}</p>
    </Dialog>
  );
}
