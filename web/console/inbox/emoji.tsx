import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { Icon } from '../icon.tsx';
import { useWords } from '../words.tsx';
import css from './composer.module.css';

/** A short list; everything else comes from the system's own picker. */
const all = [
  ...['🙂', '😊', '😀', '😅', '😉', '😍', '🤔', '😕', '😢', '😮', '🙏', '👍'],
  ...['👎', '👏', '👋', '🤝', '💪', '❤️', '🎉', '✅', '❌', '⚠️', 'ℹ️', '🔒'],
  ...['🔑', '📎', '📄', '📷', '📞', '📧', '💳', '💶', '📦', '🚚', '⏳', '📅'],
];

/** Places in one row, for the arrows up and down. */
const perRow = 8;

/** A button that opens a grid of emoji; one of them goes where the text is written. */
export function Emoji({ put, disabled }: { put: (emoji: string) => void; disabled: boolean }) {
  const { say } = useWords();
  const id = useId();
  const grid = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: perRow,
      ArrowUp: -perRow,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...(grid.current?.querySelectorAll('button') ?? [])];
    const here = buttons.findIndex((button) => button.matches(':focus'));
    buttons[Math.min(Math.max(here + step, 0), buttons.length - 1)]?.focus();
  };

  return (
    <>
      <button
        type="button"
        className={css.tool}
        popoverTarget={id}
        aria-expanded={open}
        aria-label={say('emoji')}
        disabled={disabled}
      >
        <Icon name="smile" />
      </button>
      <div
        ref={grid}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={say('emoji')}
        className={css.emoji}
        onKeyDown={move}
        onToggle={({ newState }) => {
          setOpen(newState === 'open');
          if (newState === 'open') grid.current?.querySelector('button')?.focus();
        }}
      >
        {all.map((one) => (
          <button
            key={one}
            type="button"
            onClick={() => {
              grid.current?.hidePopover();
              put(one);
            }}
          >
            {one}
          </button>
        ))}
      </div>
    </>
  );
}
