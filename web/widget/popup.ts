import { useEffect, useRef, useState } from 'preact/hooks';

/** Something that a button opens beside itself: Escape, a press or a step elsewhere close it. */
export function usePopup() {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const away = ({ target }: Event) => {
      if (!place.current?.contains(target as Node | null)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      // A question within it is answered first.
      if (event.key !== 'Escape' || place.current?.querySelector('dialog[open]')) return;
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('focusin', away);
    document.addEventListener('keydown', onEscape, { capture: true });
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('focusin', away);
      document.removeEventListener('keydown', onEscape, { capture: true });
    };
  }, [open]);
  return { open, setOpen, place, button };
}
