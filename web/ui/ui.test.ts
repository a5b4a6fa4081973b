import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };
import { checkHealth, chooseLanguage, translate } from './ui.ts';

const slots = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('catalogues', () => {
  test('have the same keys, slots, and no empty text', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
    for (const [key, text] of Object.entries(es)) {
      const other = new Map(Object.entries(en)).get(key) ?? '';
      expect(text.trim(), key).not.toBe('');
      expect(other.trim(), key).not.toBe('');
      expect(slots(other), key).toEqual(slots(text));
    }
  });

  test('a value is text and stays what it is', () => {
    expect(translate('en', 'status.ready', { version: '<b>{version}</b>' })).toContain('<b>{version}</b>');
    expect(translate('es', 'status.ready')).toContain('{version}');
  });

  test('the first wanted language that is there', () => {
    expect(chooseLanguage(['fr-FR', 'es-MX', 'en'])).toBe('es');
    expect(chooseLanguage(['EN-gb'])).toBe('en');
    expect(chooseLanguage(['', 'toString', '__proto__'])).toBe('en');
  });
});

describe('health', () => {
  const answering =
    (body: string, status = 200) =>
    () =>
      Promise.resolve(new Response(body, { status }));

  test('ready with the version', async () => {
    expect(await checkHealth(answering('{"status":"ok","version":"1"}'))).toEqual({
      state: 'ready',
      version: '1',
    });
  });

  test.each(['', 'null', '[]', '{"version":1}', '<html>'])('%j is no answer', async (body) => {
    expect(await checkHealth(answering(body))).toEqual({ state: 'unreachable' });
  });

  test('an error and a failure are no answer', async () => {
    expect(await checkHealth(answering('{"version":"1"}', 503))).toEqual({ state: 'unreachable' });
    expect(await checkHealth(() => Promise.reject(new TypeError('down')))).toEqual({ state: 'unreachable' });
  });
});

/** Relative luminance of #rrggbb (WCAG 2.2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe('tokens', () => {
  const [light = '', dark = ''] = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8').split(
    '@media',
  );
  test.each([
    ['light', light],
    ['dark', dark],
  ])('%s: text keeps 4.5, edges of controls 3', (_, css) => {
    const colours = new Map([...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1], m[2] ?? '']));
    const ratio = (a: string, b: string) => contrast(colours.get(a) ?? '', colours.get(b) ?? '');
    for (const ground of ['ground', 'surface']) {
      for (const text of ['text', 'text-soft', 'ok', 'bad', 'accent']) {
        expect(ratio(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
      expect(ratio('edge', ground), `edge on ${ground}`).toBeGreaterThanOrEqual(3);
    }
    expect(ratio('on-accent', 'accent')).toBeGreaterThanOrEqual(4.5);
    expect(ratio('on-accent-soft', 'accent-soft')).toBeGreaterThanOrEqual(4.5);
  });
});
