import { afterEach, expect, test, vi } from 'vitest';
import { again } from './pace.ts';

const scope = new EventTarget();
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('back on the network it acts at once, and once, also when it waits anew', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('addEventListener', scope.addEventListener.bind(scope));
  vi.stubGlobal('removeEventListener', scope.removeEventListener.bind(scope));
  // Two, because Node tells an event to those that listen anew behind another one.
  const both = [again(30_000, 30_000), again(30_000, 30_000)];
  let acts = 0;
  for (const waits of both) {
    const act = () => {
      if (++acts < 50) waits.later(act);
    };
    waits.later(act);
  }
  scope.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(0);
  expect(acts).toBe(2);
  scope.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(0);
  expect(acts).toBe(4);
  for (const waits of both) waits.stop();
  scope.dispatchEvent(new Event('online'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(acts).toBe(4);
});
