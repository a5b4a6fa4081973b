import { useSyncExternalStore } from 'react';

function subscribe(changed: () => void): () => void {
  const signs = ['focus', 'blur'] as const;
  for (const sign of signs) addEventListener(sign, changed);
  document.addEventListener('visibilitychange', changed);
  return () => {
    for (const sign of signs) removeEventListener(sign, changed);
    document.removeEventListener('visibilitychange', changed);
  };
}

/** Whether somebody looks at the page: it is in front, and the browser too. */
export function useLooking(): boolean {
  return useSyncExternalStore(
    subscribe,
    () => !document.hidden && document.hasFocus(),
    () => true,
  );
}
