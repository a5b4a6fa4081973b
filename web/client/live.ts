import type { Live } from './chat.ts';

/** A {@link Live} that its maker sets; setting the value that it has tells nobody. */
export interface Source<T> extends Live<T> {
  set(value: T): void;
}

export function live<T>(value: T): Source<T> {
  const heard = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const changed of [...heard]) changed();
    },
    subscribe(changed) {
      const own = () => changed(); // the same function may subscribe twice
      heard.add(own);
      return () => void heard.delete(own);
    },
  };
}
