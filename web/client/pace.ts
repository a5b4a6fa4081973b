// When things happen: again after a while, or one after the other.

/** One act that waits for its next try. */
export interface Again {
  /** Does the act after the next delay, or at once when the browser is back on the network. Replaces a waiting one. */
  later(act: () => void): void;
  /** After a success: the next delay is the first one again. */
  reset(): void;
  stop(): void;
}

/** Delays that double from `first` to `most` milliseconds, each between half of it and all of it, so that many clients do not come back together. */
export function again(first = 200, most = 20_000): Again {
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: (() => void) | undefined;
  const fire = () => {
    const act = waiting;
    stop();
    act?.();
  };
  // Not before the event is told to everybody: an act that waits anew must not hear it again.
  const online = () => queueMicrotask(fire);
  const stop = () => {
    clearTimeout(timer);
    globalThis.removeEventListener?.('online', online);
    waiting = undefined;
  };
  return {
    later(act) {
      stop();
      waiting = act;
      timer = setTimeout(fire, Math.min(most, first * 2 ** tries++) * (0.5 + Math.random() / 2));
      globalThis.addEventListener?.('online', online);
    },
    reset() {
      tries = 0;
    },
    stop,
  };
}

/** Runs acts one after the other; one that fails does not hold up the next. */
export function inOrder(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const result = last.then(act);
    last = result.catch(() => {});
    return result;
  };
}
