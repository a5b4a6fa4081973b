// Vectors inside Chromium, by its own primitives: Project Wycheproof's, HPKE's
// for X-Wing, and ours over whole objects, with the engine's ML-KEM and without.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as Primitives from './primitives.ts';
import { args } from './workers.ts';

const root = join(import.meta.dirname, '..', '..');
const go = (...rest: string[]) => execFileSync('go', rest, { cwd: root, encoding: 'utf8' }).trim();

let http: Server;
let browser: Browser;
let page: Page;
let wycheproof: string;

/** Puts the primitives where this test finds them. */
const page0 =
  '<!doctype html><title>vectors</title>' +
  '<script type="module">import * as all from "/primitives.js"; globalThis.primitives = all;</script>';

/** The primitives as a browser loads them, without the minifier. */
async function bundle(): Promise<Map<string, string>> {
  const built = await build({
    configFile: false,
    root: join(root, 'web'),
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2023',
      minify: false,
      lib: { entry: join(import.meta.dirname, 'primitives.ts'), formats: ['es'], fileName: 'primitives' },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]) as Rolldown.RolldownOutput[];
  return new Map(
    outputs.flatMap(({ output }) =>
      output.flatMap((each) => (each.type === 'chunk' ? [[`/${each.fileName}`, each.code] as const] : [])),
    ),
  );
}

beforeAll(async () => {
  wycheproof = join(go('list', '-m', '-f', '{{.Dir}}', 'github.com/c2sp/wycheproof'), 'testvectors_v1');
  const files = await bundle();
  http = createServer((request, response) => {
    const code = files.get(request.url ?? '');
    response.setHeader('Content-Type', code ? 'text/javascript' : 'text/html');
    response.end(code ?? page0);
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const address = http.address();
  if (typeof address !== 'object' || !address) throw new Error('the server has no port');
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  http?.close();
});

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly result: string;
  readonly [name: string]: string | number | readonly string[];
}
interface Group {
  readonly keySize?: number;
  readonly ivSize?: number;
  readonly tagSize?: number;
  readonly publicKey?: { readonly pk: string };
  readonly tests: readonly Vector[];
}

function groups(file: string): readonly Group[] {
  const content = JSON.parse(readFileSync(join(wycheproof, file), 'utf8')) as {
    testGroups: readonly Group[];
  };
  return content.testGroups;
}

/**
 * Runs one kind of vector in the page: `judge` says whether a vector is
 * accepted. Gives the names of those that end otherwise than they say.
 */
async function disagreements(all: readonly Group[], kind: string): Promise<{ ran: number; wrong: string[] }> {
  return page.evaluate(
    async ({ all, kind }) => {
      const p = (globalThis as unknown as { primitives: typeof Primitives }).primitives;
      const bytes = (text: unknown) =>
        Uint8Array.from(String(text).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      const same = (a: Uint8Array, b: unknown) =>
        Array.from(a, (byte) => byte.toString(16).padStart(2, '0')).join('') === b;
      const { subtle } = crypto;
      const judges: Record<string, (group: Group, vector: Vector) => Promise<boolean>> = {
        ed25519: ({ publicKey }, { msg, sig }) =>
          p.verifyMessage(bytes(publicKey?.pk), bytes(msg), bytes(sig)),
        async aes(_, { key, iv, aad, msg, ct, tag }) {
          const imported = await subtle.importKey('raw', bytes(key), 'AES-GCM', false, [
            'encrypt',
            'decrypt',
          ]);
          const how = { name: 'AES-GCM', iv: bytes(iv), additionalData: bytes(aad) };
          const opened = new Uint8Array(await subtle.decrypt(how, imported, p.concat(bytes(ct), bytes(tag))));
          const sealed = new Uint8Array(await subtle.encrypt(how, imported, bytes(msg)));
          return same(opened, msg) && same(sealed, `${String(ct)}${String(tag)}`);
        },
        async hkdf(_, { ikm, salt, info, size, okm }) {
          const key = await subtle.importKey('raw', bytes(ikm), 'HKDF', false, ['deriveBits']);
          const how = { name: 'HKDF', hash: 'SHA-256', salt: bytes(salt), info: bytes(info) };
          return same(new Uint8Array(await subtle.deriveBits(how, key, 8 * Number(size))), okm);
        },
        async hmac({ tagSize = 256 }, { key, msg, tag }) {
          return same((await p.hmac(bytes(key), bytes(msg))).slice(0, tagSize / 8), tag);
        },
        // Of two halves the curve's must be good alone: a key whose product is zero is refused by K2.
        async x25519(_, vector) {
          const head = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 34, 4, 32];
          const secret = p.concat(Uint8Array.from(head), bytes(vector.private));
          const key = await subtle.importKey('pkcs8', secret, 'X25519', false, ['deriveBits']);
          const peer = await subtle.importKey('raw', bytes(vector.public), 'X25519', true, []);
          const zero = /^0+$/.test(String(vector.shared));
          try {
            const shared = new Uint8Array(
              await subtle.deriveBits({ name: 'X25519', public: peer }, key, 256),
            );
            return same(shared, vector.shared) && !zero;
          } catch {
            return zero;
          }
        },
      };
      const wrong: string[] = [];
      let ran = 0;
      for (const group of all) {
        for (const vector of group.tests) {
          ran++;
          const accepted = await judges[kind]?.(group, vector).catch(() => false);
          const wanted = kind === 'x25519' ? true : vector.result === 'valid';
          if (accepted !== wanted) wrong.push(`${vector.tcId} ${vector.comment} (${vector.result})`);
        }
      }
      return { ran, wrong };
    },
    { all, kind },
  );
}

describe('Project Wycheproof', () => {
  test.each([
    ['ed25519_test.json', 'ed25519', () => true],
    ['x25519_test.json', 'x25519', () => true],
    ['aes_gcm_test.json', 'aes', (group: Group) => group.keySize === 256 && group.ivSize === 96],
    ['hkdf_sha256_test.json', 'hkdf', () => true],
    ['hmac_sha256_test.json', 'hmac', () => true],
  ] as const)('[K1, K2] %s', async (file, kind, fits) => {
    const { ran, wrong } = await disagreements(groups(file).filter(fits), kind);
    console.log(`note: ${file}: ${ran} vectors in Chromium`);
    expect(wrong).toEqual([]);
    expect(ran).toBeGreaterThan(30);
  });
});

describe.each([
  ['the engine', true],
  ['the fallback', false],
])('ML-KEM by %s', (_, native) => {
  beforeAll(async () => {
    // A fresh page probes the engine anew.
    await page.reload();
    await page.evaluate((has) => {
      if (!has) Reflect.deleteProperty(SubtleCrypto.prototype, 'encapsulateBits');
    }, native);
  });

  test('HPKE with X-Wing: keys, shared secrets, key and nonce', async () => {
    const file = join(go('env', 'GOROOT'), 'src', 'crypto', 'hpke', 'testdata', 'hpke-pq.json');
    const all = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | number>[];
    const ours = all.filter(({ kem_id }) => kem_id === 0x647a);
    const { ran, wrong, byEngine } = await page.evaluate(async (vectors) => {
      const p = (globalThis as unknown as { primitives: typeof Primitives }).primitives;
      const bytes = (text: unknown) =>
        Uint8Array.from(String(text).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      const hex = (all: Uint8Array) => Array.from(all, (byte) => byte.toString(16).padStart(2, '0')).join('');
      const wrong: string[] = [];
      let byEngine = false;
      for (const [at, v] of vectors.entries()) {
        const pair = await p.kemKeyPair(bytes(v.skRm));
        byEngine = !(pair.lattice instanceof Uint8Array);
        await p.checkKemKey(pair.publicKey);
        const shared = await p.decapsulate(pair, bytes(v.enc));
        if (hex(pair.publicKey) !== v.pkRm) wrong.push(`${at}: public key`);
        if (hex(shared) !== v.shared_secret) wrong.push(`${at}: shared secret`);
        if (v.kdf_id !== 1) continue;
        const { key, nonce } = await p.schedule(shared, bytes(v.info), Number(v.aead_id));
        if (hex(key) !== v.key || hex(nonce) !== v.base_nonce) wrong.push(`${at}: key or nonce`);
      }
      return { ran: vectors.length, wrong, byEngine };
    }, ours);
    expect(wrong).toEqual([]);
    expect(ran).toBeGreaterThan(0);
    expect(byEngine).toBe(native);
  });

  test.each(['members-go.json', 'members-ts.json'])(
    'whole objects: %s',
    async (name) => {
      const vectors = readFileSync(join(root, 'protocol', 'vectors', name), 'utf8');
      const { ran, wrong } = await page.evaluate(async (text) => {
        const p = (globalThis as unknown as { primitives: typeof Primitives }).primitives;
        const { cases, ...rest } = JSON.parse(text) as Parameters<typeof Primitives.runner>[0];
        const { ours, run } = p.runner({ cases, ...rest });
        const wrong: string[] = [];
        let ran = 0;
        for (const one of cases.filter(ours)) {
          ran++;
          await run(one).catch((error: unknown) => wrong.push(`${one.name}: ${String(error)}`));
        }
        return { ran, wrong };
      }, vectors);
      console.log(`note: ${name}: ${ran} cases in Chromium`);
      expect(wrong).toEqual([]);
      expect(ran).toBeGreaterThan(50);
    },
    180_000,
  );
});
