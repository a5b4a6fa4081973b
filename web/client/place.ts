// How long a visitor still waits: the server is asked while nobody answers.
import type { Bytes } from './api.ts';
import type { Live, Place } from './chat.ts';
import { live } from './live.ts';
import { passing } from './problem.ts';

/** Milliseconds between two questions. */
const pause = 10_000;

export interface Waiting {
  readonly place: Live<Place | undefined>;
  /** Asks from now on for a conversation, or stops when there is none that waits. */
  watch(conv: Bytes | undefined): void;
}

export function waiting(ask: (conv: Bytes) => Promise<Place>): Waiting {
  const place = live<Place | undefined>(undefined);
  let watched: Bytes | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(conv: Bytes): Promise<void> {
    let goes = true;
    try {
      const found = await ask(conv);
      if (conv !== watched) return;
      const { place: before, open } = place.get() ?? {};
      if (found.place !== before || found.open !== open) place.set(found);
    } catch (error) {
      goes = passing(error); // a server that does not tell is not asked again
    }
    if (goes && conv === watched) timer = setTimeout(() => void look(conv), pause);
  }

  return {
    place,
    watch(conv) {
      if (conv === watched) return;
      watched = conv;
      clearTimeout(timer);
      place.set(undefined);
      if (conv) void look(conv);
    },
  };
}
