import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseTheme } from './theme.ts';

const web = join(import.meta.dirname, '..');
const tokens = readFileSync(join(web, 'ui', 'tokens.css'), 'utf8');
const pairs = [...tokens.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)];

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

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.478, 3);
});

describe.each([
  ['light', 2],
  ['dark', 3],
] as const)('%s', (_, side) => {
  const colours = new Map(pairs.map((match) => [match[1], match[side] ?? '']));

  test.each([
    [7, ['text'], ['ground', 'surface']],
    [4.5, ['text-soft', 'accent', 'brass', 'ok', 'bad'], ['ground', 'surface']],
    [4.5, ['on-accent'], ['accent']],
    [4.5, ['on-accent-soft'], ['accent-soft']],
    [4.5, ['text-soft', 'brass'], ['sunken']],
    [4.5, ['on-ok-soft'], ['ok-soft']],
    [4.5, ['on-bad-soft'], ['bad-soft']],
    [4.5, ['on-warn-soft'], ['warn-soft']],
    [7, ['text'], ['accent-soft']], // what I wrote, on the agent's page
    [7, ['on-accent'], ['accent']], // and on the visitor's
    [3, ['edge'], ['ground', 'surface']],
    [3, ['accent'], ['ground', 'surface', 'accent-soft', 'bad-soft']], // the focus ring
  ] as const)('at least %d: %j on %j', (least, fronts, backs) => {
    for (const front of fronts) {
      for (const back of backs) {
        // A missing token must not read as a colour: it makes NaN, and NaN fails.
        const ratio = contrast(colours.get(front) ?? '', colours.get(back) ?? '');
        expect(ratio, `${front} on ${back}`).toBeGreaterThanOrEqual(least);
      }
    }
  });
});

describe('style sheets', () => {
  const sheets = ['ui', 'widget', 'console'].flatMap((folder) =>
    readdirSync(join(web, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.css'))
      .map((file) => [`${folder}/${file}`, readFileSync(join(web, folder, file), 'utf8')] as const),
  );
  const defined = new Set([...tokens.matchAll(/^\s+--([\w-]+):/gm)].map((match) => match[1]));

  test.each(sheets)('%s uses tokens that exist', (_, css) => {
    for (const [, name] of css.matchAll(/var\(--([\w-]+)/g)) expect(defined).toContain(name);
  });

  test.each(sheets.filter(([file]) => file !== 'ui/tokens.css'))(
    '%s has no colour or size of its own',
    (_, css) => {
      expect(css).not.toMatch(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch|light-dark)\(/i);
      for (const [, size] of css.matchAll(/font-size:\s*([^;]+);/g))
        expect(size).toMatch(/^var\(--size-\d+\)$/);
    },
  );

  test('forced colours replace every pair', () => {
    const forced = tokens.slice(tokens.indexOf('@media (forced-colors: active)'));
    for (const [, name] of pairs) expect(forced).toMatch(new RegExp(`--${name}: [A-Z][A-Za-z]+;`));
  });
});

test.each([
  ['?theme=dark', 'dark'],
  ['?theme=light', 'light'],
  ['?theme=Dark', undefined],
  ['', undefined],
] as const)('%j is the theme %s', (search, theme) => {
  expect(chooseTheme(search)).toBe(theme);
});
