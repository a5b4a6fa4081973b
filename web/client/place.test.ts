import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { waiting } from './place.ts';
import { Failure } from './problem.ts';

const conv = new Uint8Array(32);
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Answers in their order; the last one again and again. */
function asking(...answers: (number | Failure)[]) {
  const ask = vi.fn(async () => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof next !== 'number') throw next;
    return { place: next, open: true };
  });
  return { ask, queue: waiting(ask) };
}

describe('the place in the queue', () => {
  test('is asked at once and every ten seconds, and a change is told once', async () => {
    const { ask, queue } = asking(3, 3, 1);
    const told: (number | undefined)[] = [];
    queue.place.subscribe(() => told.push(queue.place.get()?.place));
    queue.watch(conv);
    queue.watch(conv);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(ask).toHaveBeenCalledTimes(3);
    expect(told).toEqual([3, 1]);
  });

  test('is forgotten when nobody waits any more, and not asked again', async () => {
    const { ask, queue } = asking(3);
    queue.watch(conv);
    await vi.advanceTimersByTimeAsync(1);
    queue.watch(undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(queue.place.get()).toBeUndefined();
  });

  test.each([
    ['a server that does not tell is left alone', new Failure(404, 'not_found'), 1],
    ['no network: it is asked again', new Failure(0, 'offline'), 3],
  ])('%s', async (_, failure, times) => {
    const { ask, queue } = asking(failure);
    queue.watch(conv);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(ask).toHaveBeenCalledTimes(times);
  });
});
