import { describe, expect, test } from 'vitest';
import { measure, sends } from './writing.ts';

describe('a text is measured in bytes of UTF-8', () => {
  test.each([
    ['', { used: 0, shown: false, over: 0, fits: false }],
    [' \n\t', { used: 0, shown: false, over: 0, fits: false }],
    [' ñ ', { used: 2, shown: false, over: 0, fits: true }],
    // Form C writes this letter with two.
    ['\ufb1d', { used: 4, shown: false, over: 0, fits: true }],
    ['a', { used: 1, shown: false, over: 0, fits: true }],
    ['ñ', { used: 2, shown: false, over: 0, fits: true }],
    ['a'.repeat(7499), { used: 7499, shown: false, over: 0, fits: true }],
    ['a'.repeat(7500), { used: 7500, shown: true, over: 0, fits: true }],
    ['😀'.repeat(2048), { used: 8192, shown: true, over: 0, fits: true }],
    [`${'😀'.repeat(2048)}a`, { used: 8193, shown: true, over: 1, fits: false }],
    [' '.repeat(8192), { used: 0, shown: false, over: 0, fits: false }],
  ])('%#', (text, result) => {
    expect(measure(text)).toEqual(result);
  });
});

test.each([
  [{ key: 'Enter', shiftKey: false, isComposing: false }, true],
  [{ key: 'Enter', shiftKey: true, isComposing: false }, false],
  [{ key: 'Enter', shiftKey: false, isComposing: true }, false],
  [{ key: 'a', shiftKey: false, isComposing: false }, false],
])('%j sends: %s', (press, result) => {
  expect(sends(press)).toBe(result);
});
