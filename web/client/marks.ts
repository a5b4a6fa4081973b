// How far this person has received and read a conversation, told to the others:
// seldom, and only what is new.
import type { Line } from '@aldaba/crypto';
import { again } from './pace.ts';

/** Milliseconds at least between two marks of one device (SPEC section 4.3), and before the first. */
const markPause = 2_000;
const firstPause = 300;

export interface Marks {
  /** Takes lines that are new, of anybody. */
  take(lines: readonly Line[]): void;
  /** A person sees the end of the log. */
  seen(): void;
  /** Something has changed that may let marks through. */
  look(): void;
  /** The highest sequence that others have received, and read. */
  readonly others: { readonly delivered: number; readonly read: number };
  stop(): void;
}

const isOwn = ({ from }: { readonly from: { readonly mine: boolean; readonly alsoMine?: true } }) =>
  from.mine || from.alsoMine === true;

/** `post` tells the server; it says whether that was possible now, and rejects when it should be tried again. */
export function marks(post: (delivered: number, read: number) => Promise<boolean>): Marks {
  let others = { delivered: 0, read: 0 };
  let told = { delivered: 0, read: 0 };
  /** Of what others said: marks of marks would never end. */
  let received = 0;
  let read = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let busy = false;
  let stopped = false;
  const retry = again(markPause, 60_000);

  const raise = (old: typeof told, { delivered, read }: typeof told) => ({
    delivered: Math.max(old.delivered, delivered),
    read: Math.max(old.read, read),
  });

  function look(): void {
    const due = received > told.delivered || read > told.read;
    if (!due || timer !== undefined || busy || stopped) return;
    timer = setTimeout(() => void tell(), Math.max(firstPause, last + markPause - Date.now()));
  }

  async function tell(): Promise<void> {
    timer = undefined;
    const next = raise(told, { delivered: received, read });
    busy = true;
    try {
      if (!(await post(next.delivered, next.read))) return;
      last = Date.now();
      told = raise(told, next);
      retry.reset();
    } catch {
      // Nothing that a person must know: later marks say the same.
      if (!stopped) retry.later(look);
      return;
    } finally {
      busy = false;
    }
    look();
  }

  return {
    take(lines) {
      for (const line of lines) {
        if (line.kind === 'marks') {
          if (isOwn(line)) told = line.from.mine ? raise(told, line) : told;
          else others = raise(others, line);
        } else if (line.kind === 'message' || line.kind === 'form' || line.kind === 'closed') {
          if (!isOwn(line)) received = Math.max(received, line.seq);
        }
      }
      look();
    },
    seen() {
      read = received;
      look();
    },
    look,
    get others() {
      return others;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      retry.stop();
    },
  };
}
