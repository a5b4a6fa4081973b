import { describe, expect, test } from 'vitest';
import { clock, dayKey, dayName, lately } from './times.ts';

const at = (year: number, month: number, day: number, hour = 0, minute = 0) =>
  new Date(year, month - 1, day, hour, minute).getTime();
const now = at(2026, 3, 1, 0, 5);

describe('day', () => {
  test.each([
    [at(2026, 3, 1), 'Today', 'Hoy'],
    [at(2026, 2, 28, 23, 59), 'Yesterday', 'Ayer'],
    [at(2026, 2, 27, 23, 59), 'Friday, February 27', 'Viernes, 27 de febrero'],
    [at(2025, 12, 31, 12), 'Wednesday, December 31, 2025', 'Miércoles, 31 de diciembre de 2025'],
  ])('%d', (time, en, es) => {
    expect(dayName('en', time, now)).toBe(en);
    expect(dayName('es', time, now)).toBe(es);
  });

  test('its key changes at midnight only', () => {
    expect(dayKey(at(2026, 2, 28, 23, 59))).not.toBe(dayKey(at(2026, 3, 1)));
    expect(dayKey(at(2026, 3, 1))).toBe(dayKey(at(2026, 3, 1, 23, 59)));
  });
});

test('a moment of today is its hour, another its date', () => {
  const afternoon = at(2026, 3, 1, 17, 4);
  expect(clock('es', afternoon)).toBe('17:04');
  expect(lately('es', afternoon, now)).toBe('17:04');
  expect(lately('es', at(2026, 2, 28, 23), now)).toBe('28/2/26');
  expect(lately('en', at(2026, 2, 28, 23), now)).toBe('2/28/26');
});
