import { expect, test } from 'vitest';
import { explain, isFinal } from './problem.ts';

test.each([
  [{ code: 'offline' }, 'The server does not answer.'],
  [{ code: 'too_long' }, 'too long'],
  [{ code: 'storage' }, 'storage'],
  [{ code: 'invitation' }, 'invitation'],
  [{ code: 'refused' }, 'The server refused it.'],
  [{ code: 'refused', rule: 'E9' }, 'rule E9'],
  [{ code: 'refused', rule: 'E27' }, 'Wait a minute'],
  [
    { code: 'refused', rule: 'K3' },
    'another organisation than before (rule K3). Do not write here; ask the company',
  ],
  [
    { code: 'refused', rule: 'G7' },
    'protects conversations less than it promised (rule G7). Do not write here',
  ],
  [{ code: 'refused', rule: 'no_session' }, 'does not know this conversation or this device'],
  [{ code: 'refused', rule: 'S1' }, 'does not know this conversation or this device'],
  [{ code: 'refused', rule: 'not_found' }, 'no longer has what was asked for'],
  [{ code: 'refused', rule: 'conflict' }, 'at the same time'],
  [{ code: 'refused', rule: 'too_large' }, 'too large for the server'],
  [{ code: 'offline', rule: 'rate_limited' }, 'Too many requests'],
  [{ code: 'offline', rule: 'unavailable' }, 'cannot do this at the moment'],
  [{ code: 'lost' }, 'the conversation does not show it'],
  [{ code: 'refused', rule: 'constructor' }, 'rule constructor'],
  [{ code: 'other' }, '(other)'],
  [{ code: 'constructor' }, '(constructor)'],
])('%j', (problem, part) => {
  expect(explain('en', problem)).toContain(part);
  expect(explain('es', problem)).not.toMatch(/\{\w+\}/);
});

test('[K3] [G7] only a page that is not what it was is final', () => {
  const final = (rule: string, code = 'refused') => isFinal({ code, rule });
  expect([final('K3'), final('G7')]).toEqual([true, true]);
  expect([final('K4'), final('no_session'), final('K3', 'invitation'), isFinal({ code: 'offline' })]).toEqual(
    Array(4).fill(false),
  );
});
