// Who is writing now: a hint without memory, never the text. The server says
// which seat; after a few seconds without another hint it is over.
import { type Bytes, toText } from './api.ts';
import type { Live } from './chat.ts';
import { live, type Source } from './live.ts';
import type { Socket } from './socket.ts';

/** Milliseconds between two hints of mine, and for which one of another is shown. */
const pause = 3_000;
const shown = 6_000;

export interface Typing {
  /** Seats that are writing. */
  readonly leaves: Live<readonly number[]>;
  /** Follows a conversation's hints until `leave`. */
  enter(conv: Bytes, socket: Socket): void;
  leave(): void;
  /** This person is writing. Says nothing where the server does not pass it on. */
  mine(): void;
  /** A message of that seat has come: what was being written is there. */
  done(leaf: number): void;
}

export function typing(post: (conv: Bytes) => Promise<void>): Typing {
  const leaves: Source<readonly number[]> = live<readonly number[]>([]);
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  let conv: Bytes | undefined;
  let end: (() => void) | undefined;
  let heard = false;
  let last = Number.NEGATIVE_INFINITY;

  const done = (leaf: number) => {
    clearTimeout(timers.get(leaf));
    if (timers.delete(leaf)) leaves.set([...timers.keys()]);
  };

  return {
    leaves,
    enter(named, socket) {
      if (end) return;
      conv = named;
      heard = true;
      end = socket.follow(`t:${toText(named)}`, {
        publication(data) {
          const leaf = typeof data === 'object' && data && 'leaf' in data ? data.leaf : undefined;
          if (typeof leaf !== 'number' || !Number.isSafeInteger(leaf)) return;
          const fresh = !timers.has(leaf);
          clearTimeout(timers.get(leaf));
          timers.set(
            leaf,
            setTimeout(() => done(leaf), shown),
          );
          if (fresh) leaves.set([...timers.keys()]);
        },
        gap: () => undefined,
        refused: () => {
          heard = false;
        },
      });
    },
    leave() {
      end?.();
      end = undefined;
      for (const leaf of [...timers.keys()]) done(leaf);
    },
    mine() {
      const now = Date.now();
      if (!conv || !end || !heard || now - last < pause) return;
      last = now;
      post(conv).catch(() => {}); // the next one says it again
    },
    done,
  };
}
