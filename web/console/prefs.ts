// What a person set for this browser. A browser that keeps nothing forgets it with the page.
import { useSyncExternalStore } from 'react';

export interface Prefs {
  readonly sound: boolean;
  /** Whether single keys act (WCAG 2.1.4). */
  readonly keys: boolean;
  readonly theme: 'system' | 'light' | 'dark';
}

const place = 'aldaba-console';
const initial: Prefs = { sound: false, keys: true, theme: 'system' };
const listeners = new Set<() => void>();

function read(): Prefs {
  try {
    const kept: unknown = JSON.parse(globalThis.localStorage?.getItem(place) ?? '{}');
    if (typeof kept !== 'object' || !kept) return initial;
    const { sound, keys, theme } = kept as Record<string, unknown>;
    return {
      sound: sound === true,
      keys: keys !== false,
      theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    };
  } catch {
    return initial;
  }
}

let prefs = read();

export function setPrefs(change: Partial<Prefs>): void {
  prefs = { ...prefs, ...change };
  try {
    localStorage.setItem(place, JSON.stringify(prefs));
  } catch {
    // Private browsing: it holds until the page is closed.
  }
  for (const changed of [...listeners]) changed();
}

export function getPrefs(): Prefs {
  return prefs;
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    getPrefs,
    () => initial,
  );
}
