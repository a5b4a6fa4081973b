// Where one is: the last part of the address. Every page of the console is a
// neighbour of the first one (`/supervision`, not `/a/b`), so that the built
// files are found from each by one relative address, whatever the console is
// served under. The query (language, theme) goes along.
import { type MouseEvent, type ReactNode, useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();

/** The page's name, empty for the first one. */
function here(): string {
  return location.pathname.replace(/^.*\//, '');
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  addEventListener('popstate', changed);
  return () => {
    listeners.delete(changed);
    removeEventListener('popstate', changed);
  };
}

/** The address of a page beside this one. */
function addressOf(page: string): string {
  return `${location.pathname.replace(/[^/]*$/, '')}${page}${location.search}`;
}

/** Shows another page; `replace` leaves no way back to this one. */
export function go(page: string, replace = false): void {
  if (replace) history.replaceState(null, '', addressOf(page));
  else history.pushState(null, '', addressOf(page));
  for (const changed of [...listeners]) changed();
}

/** The page that is shown now. */
export function useRoute(): string {
  return useSyncExternalStore(subscribe, here, () => '');
}

interface Linked {
  readonly to: string;
  readonly className?: string | undefined;
  readonly current?: boolean;
  readonly children: ReactNode;
}

/** A link to another page of the console. With a modifier key the browser does what it does with links. */
export function Link({ to, className, current = false, children }: Linked) {
  useRoute(); // the query may have changed
  return (
    <a
      href={typeof location === 'undefined' ? to : addressOf(to)}
      className={className}
      aria-current={current ? 'page' : undefined}
      onClick={(event: MouseEvent) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
