// What a visitor has typed and the log does not hold, kept over a reload.
//
// It lies in this tab's sessionStorage, in the chat's own origin: the page
// around the frame cannot read it, another tab does not see it, and it ends
// with the tab. It is not sealed, for whoever could open this storage could
// also ask the vault beside it. Nothing is written before the visitor types,
// and where storage is blocked it lives as long as the page.

import type { Outgoing } from '@aldaba/client';

interface Shelved {
  readonly draft: string;
  /** By the name of the field; empty when it was passed over. */
  readonly answers: Readonly<Record<string, string>>;
  /** Identifier of the department that was chosen. */
  readonly department?: string;
  /** Messages on their way, by the name under which they are sent: the log knows that name again. */
  readonly outbox: readonly Pick<Outgoing, 'cid' | 'text' | 'fields'>[];
  /** Sequence of the newest message that the visitor has seen. */
  readonly read?: number;
}

export interface Shelf {
  load(): Shelved;
  save(part: Partial<Shelved>): void;
}

const empty: Shelved = { draft: '', answers: {}, outbox: [] };

/** `storage` is asked each time, because its very name throws where it is blocked. */
export function shelf(name: string, storage: () => Storage): Shelf {
  let kept = empty;
  try {
    const found: unknown = JSON.parse(storage().getItem(name) ?? '{}');
    if (typeof found === 'object') kept = { ...empty, ...found };
  } catch {
    // Blocked, or not ours: begin with nothing.
  }
  return {
    load: () => kept,
    save(part) {
      kept = { ...kept, ...part };
      try {
        storage().setItem(name, JSON.stringify(kept));
      } catch {
        // Blocked or full: this page remembers it, and a reload does not.
      }
    },
  };
}
