import { expect, test } from 'vitest';
import { explain } from './problem.ts';

test.each([
  [{ code: 'offline' }, 'The server does not answer.'],
  [{ code: 'too_long' }, 'too long'],
  [{ code: 'storage' }, 'storage'],
  [{ code: 'invitation' }, 'invitation'],
  [{ code: 'refused' }, 'The server refused it.'],
  [{ code: 'refused', rule: 'E9' }, 'rule E9'],
  [{ code: 'refused', rule: 'E27' }, 'Wait a minute'],
  [{ code: 'other' }, '(other)'],
  [{ code: 'constructor' }, '(constructor)'],
])('%j', (problem, part) => {
  expect(explain('en', problem)).toContain(part);
  expect(explain('es', problem)).not.toMatch(/\{\w+\}/);
});
