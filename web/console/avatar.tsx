import css from './avatar.module.css';

/** The first letters of a name's first and last word. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ''].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toLocaleUpperCase();
}

/** A person's letters, beside the name itself. */
export function Avatar({ name, size = 'middle' }: { name: string; size?: 'small' | 'middle' | 'large' }) {
  return (
    <span className={css.avatar} data-size={size} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

/** A visitor has no name: an outline, and a tone by which one row differs from its neighbours. */
export function VisitorAvatar({ id, size = 'middle' }: { id: string; size?: 'middle' | 'large' }) {
  return (
    <span className={css.avatar} data-size={size} data-visitor="" aria-hidden="true">
      {id.slice(0, 2)}
    </span>
  );
}
