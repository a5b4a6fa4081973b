// The loader as it was built: what it must not know how to do. It runs beside
// the customer's forms, so that a reader of the built file should find neither
// a way to a field nor a way to send what stands in it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const dist = join(import.meta.dirname, '..', 'dist', 'loader');
const built = readFileSync(join(dist, 'v1.js'), 'utf8');

describe('the built loader [X52]', () => {
  test.each([
    'document.cookie',
    'cookie',
    'localStorage',
    'indexedDB',
    'forms',
    'value',
    'innerHTML',
    'outerHTML',
    'insertAdjacentHTML',
    'fetch',
    'XMLHttpRequest',
    'sendBeacon',
    'WebSocket',
    'EventSource',
    'import(',
    'eval',
    'Function(',
    'querySelector',
    'getElement',
    'keypress',
    'keyup',
    '.search',
    '.href',
    '.prototype',
    '://',
  ])('has no %s', (word) => {
    // But the name of SVG, which looks like an address, and what the frame's sandbox allows the frame.
    const own = built.replace('http://www.w3.org/2000/svg', '').replace('allow-forms', '');
    expect(own).not.toContain(word);
  });

  test('writes one key of sessionStorage, and only open or closed [X32]', () => {
    expect(built.match(/sessionStorage\.\w+/g)?.sort()).toEqual([
      'sessionStorage.getItem',
      'sessionStorage.removeItem',
      'sessionStorage.setItem',
    ]);
  });

  test('listens to clicks and messages of the page, to no key and to no pointer', () => {
    expect(
      built
        .match(/addEventListener\(\W*(\w+)/g)
        ?.map((call) => /\w+$/.exec(call)?.[0])
        .sort(),
    ).toEqual(['DOMContentLoaded', 'click', 'message']);
  });

  test('stands under the name of its hash too, as every released one does', () => {
    const names = readdirSync(dist).filter((name) => name.endsWith('.js') && name !== 'v1.js');
    const name = (bytes: Buffer) => `${createHash('sha384').update(bytes).digest('base64url')}.js`;
    for (const file of names) expect(name(readFileSync(join(dist, file)))).toBe(file);
    expect(names).toContain(name(Buffer.from(built)));
  });
});

test('the hash of the stub in the documents is that of the stub', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'embed', 'README.md'), 'utf8');
  const stub = /<script>(window\.Aldaba=.*)<\/script>/.exec(page)?.[1] ?? '';
  const hash = createHash('sha256').update(stub).digest('base64');
  expect(stub).not.toBe('');
  expect(page).toContain(`'sha256-${hash}'`);
});
