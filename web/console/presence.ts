import { useEffect } from 'react';
import { api, type Me } from './api.ts';

/** Milliseconds without a key or the pointer after which somebody counts as away. */
const idle = 10 * 60_000;

/** Whoever is online and does nothing for a while is away until they come back. */
export function usePresence({ presence }: Me, changed: () => void): void {
  const online = presence?.state === 'online';
  const idled = presence?.state === 'away' && presence.reason === 'idle';
  useEffect(() => {
    if (!online && !idled) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const put = (state: 'online' | 'away', reason?: string) => {
      if (gone) return;
      gone = true;
      api.presence({ state, reason }).then(changed, () => {
        gone = false; // offline: the next move tries again
      });
    };
    const moved = () => {
      clearTimeout(timer);
      if (idled) put('online');
      else timer = setTimeout(() => put('away', 'idle'), idle);
    };
    if (online) moved();
    const signs = ['pointermove', 'pointerdown', 'keydown'] as const;
    for (const sign of signs) addEventListener(sign, moved, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const sign of signs) removeEventListener(sign, moved);
    };
  }, [online, idled, changed]);
}
