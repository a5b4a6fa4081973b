import { describe, expect, test } from 'vitest';
import { advance, askHealth, type Health, type HealthEvent, unknown } from './health.ts';

const ask: HealthEvent = { type: 'ask' };
const answer: HealthEvent = { type: 'answer', version: '1' };
const silence: HealthEvent = { type: 'silence' };
const ready: Health = { state: 'ready', version: '1' };

describe('state', () => {
  test.each<[string, HealthEvent[], Health]>([
    ['waits at first', [], { state: 'loading', failures: 0 }],
    ['an answer', [answer], ready],
    ['silence', [silence], { state: 'unreachable', failures: 1 }],
    ['asking again keeps the count', [silence, ask], { state: 'loading', failures: 1 }],
    ['silence again', [silence, ask, silence], { state: 'unreachable', failures: 2 }],
    ['an answer at last', [silence, ask, answer], ready],
    [
      'an answer clears the count',
      [silence, ask, answer, ask, silence],
      { state: 'unreachable', failures: 1 },
    ],
    ['silence after an answer', [answer, silence], ready],
    ['an answer after silence', [silence, answer], { state: 'unreachable', failures: 1 }],
    ['silence is counted once', [silence, silence], { state: 'unreachable', failures: 1 }],
  ])('%s', (_, events, state) => {
    expect(events.reduce(advance, unknown)).toEqual(state);
  });
});

describe('question', () => {
  const replying =
    (body: string, status = 200) =>
    () =>
      Promise.resolve(new Response(body, { status }));

  test('answered with the version', async () => {
    expect(await askHealth(replying('{"status":"ok","version":"1"}'))).toEqual(answer);
  });

  test.each([
    '',
    'null',
    '[]',
    '"ok"',
    '{"status":"ok"}',
    '{"version":"1"}',
    '{"status":"bad","version":"1"}',
  ])('%j is silence', async (body) => {
    expect(await askHealth(replying(body))).toEqual(silence);
  });

  test('an error and a failure are silence', async () => {
    expect(await askHealth(replying('{"status":"ok","version":"1"}', 503))).toEqual(silence);
    expect(await askHealth(() => Promise.reject(new TypeError('down')))).toEqual(silence);
  });
});
