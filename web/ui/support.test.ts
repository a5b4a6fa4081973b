import { expect, test } from 'vitest';
import { lacking } from './support.ts';

/** An engine that makes keys of some kinds only. */
function engine(kinds: readonly string[], more = {}) {
  const subtle = {
    generateKey: ({ name }: { name: string }) =>
      kinds.includes(name) ? Promise.resolve({}) : Promise.reject(new Error('NotSupportedError')),
  };
  return {
    isSecureContext: true,
    Worker: class {},
    crypto: { subtle: subtle as unknown as SubtleCrypto },
    ...more,
  };
}
const both = ['Ed25519', 'X25519'];

test.each([
  ['all there', engine(both), []],
  ['no X25519', engine(['Ed25519']), ['X25519']],
  ['no Ed25519', engine(['X25519']), ['Ed25519']],
  ['no workers', engine(both, { Worker: undefined }), ['Web Workers']],
  ['no crypto', engine(both, { crypto: undefined }), both],
  ['a page by http, where nothing can be asked', engine([], { isSecureContext: false }), ['https']],
  ['nothing at all', {}, ['https', 'Web Workers']],
])('%s', async (_, page, lacks) => {
  expect(await lacking(page)).toEqual(lacks);
});

test('this engine makes both kinds of keys', async () => {
  expect(await lacking({ ...engine([]), crypto: globalThis.crypto })).toEqual([]);
});
