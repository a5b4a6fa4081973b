import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shake256 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { openBody, pad, sealBody, unpad } from './body.ts';
import { ascii, type Bytes, concat } from './bytes.ts';
import { checkPublicKey, sign, verify } from './ed25519.ts';
import { checkKemKey, open, schedule, wrap } from './hpke.ts';
import { commit, importEpochSecret, messageId, messageKeys } from './kdf.ts';
import { logNext, logStart } from './log.ts';
import { safetyNumber } from './safety.ts';
import { decapsulate, kemKeyPair } from './xwing.ts';

const hex = (text: string): Bytes =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** ALDABA_SEED repeats a run; each test draws from a stream of its own, so that their order does not matter. */
const seed = process.env.ALDABA_SEED ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
console.log(`note: web/crypto drew its cases from seed ${seed}`);
const drawn = new Map<string, number>();
const random = (n: number): Bytes => {
  const name = expect.getState().currentTestName ?? '';
  const count = drawn.get(name) ?? 0;
  drawn.set(name, count + 1);
  return new Uint8Array(shake256(ascii(`${seed} ${count} ${encodeURI(name)}`), { dkLen: n }));
};
const flip = (bytes: Uint8Array, at: number): Bytes => {
  const other = concat(bytes);
  other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
  return other;
};
const rule = (name: string) => expect.objectContaining({ name: 'Refusal', rule: name });

/** Encodings that engines accept as keys: of small order, or not canonical (experiment X6 of the review). */
const weak = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

describe('signatures', () => {
  test.each(weak)('[K1] the key %s is refused', (key) => {
    expect(() => checkPublicKey(hex(key))).toThrow(rule('K1'));
  });

  test('[K1] a wrong length, a point off the curve, R and S in another encoding', async () => {
    for (const n of [0, 31, 33]) expect(() => checkPublicKey(random(n))).toThrow(rule('K1'));
    // Half of all y have no x.
    const refused = Array.from({ length: 64 }, () => random(32)).filter((key) => {
      try {
        checkPublicKey(key);
        return false;
      } catch {
        return true;
      }
    });
    expect(refused.length).toBeGreaterThan(8);
    expect(refused.length).toBeLessThan(56);

    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
    const key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const [org, prefix, content] = [random(32), random(64), random(100)];
    const signature = await sign(pair.privateKey, 3, org, prefix, content);
    expect(await verify(key, 3, org, prefix, content, signature)).toBe(true);
    expect(await verify(key, 2, org, prefix, content, signature)).toBe(false);
    expect(await verify(key, 3, random(32), prefix, content, signature)).toBe(false);
    expect(await verify(key, 3, org, random(64), content, signature)).toBe(false);
    for (let at = 0; at < content.length; at++) {
      expect(await verify(key, 3, org, prefix, flip(content, at), signature)).toBe(false);
      expect(await verify(key, 3, org, prefix, content.subarray(0, at), signature)).toBe(false);
    }
    for (let at = 0; at < signature.length; at++) {
      const accepted = await verify(key, 3, org, prefix, content, flip(signature, at)).catch((error) => {
        expect(error).toEqual(rule('K1'));
        return false;
      });
      expect(accepted, `signature byte ${at}`).toBe(false);
      await expect(verify(key, 3, org, prefix, content, signature.subarray(0, at))).rejects.toEqual(
        rule('K1'),
      );
    }
    // The last four and a sign on x = 0 are other encodings; the rest are points that verify nothing.
    const encodings = weak.filter((_, at) => at === 1 || at === 3 || at >= 10);
    for (const R of weak) {
      const forged = verify(key, 3, org, prefix, content, concat(hex(R), signature.subarray(32)));
      if (encodings.includes(R)) await expect(forged).rejects.toEqual(rule('K1'));
      else expect(await forged).toBe(false);
    }
    const L = hex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
    const high = concat(signature.subarray(0, 32), L);
    await expect(verify(key, 3, org, prefix, content, high)).rejects.toEqual(rule('K1'));
    await expect(verify(key, 3, org, prefix, content, signature.subarray(1))).rejects.toEqual(rule('K1'));
  });
});

describe('wraps', () => {
  test('official vectors of HPKE with X-Wing: shared secret, key and nonce', async () => {
    const root = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
    const file = join(root, 'src', 'crypto', 'hpke', 'testdata', 'hpke-pq.json');
    const vectors = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | number>[];
    const ours = vectors.filter((vector) => vector.kem_id === 0x647a);
    expect(ours.length).toBeGreaterThan(0);
    for (const vector of ours) {
      const value = (name: string) => hex(String(vector[name]));
      const pair = await kemKeyPair(value('skRm'));
      expect(pair.publicKey).toEqual(value('pkRm'));
      const shared = await decapsulate(pair, value('enc'));
      expect(shared).toEqual(value('shared_secret'));
      if (vector.kdf_id !== 1) continue;
      const { key, nonce } = await schedule(shared, value('info'), Number(vector.aead_id));
      expect(key).toEqual(value('key'));
      expect(nonce).toEqual(value('base_nonce'));
    }
  });

  test('[W4] another byte, length, key or info does not open', { timeout: 60_000 }, async () => {
    const pair = await kemKeyPair(random(32));
    const [secret, info] = [random(32), ascii('asc1 wrap')];
    const { enc, ct } = await wrap(secret, pair.publicKey, info);
    expect([enc.length, ct.length]).toEqual([1120, 48]);
    expect(await open(enc, ct, 32, pair, info)).toEqual(secret);
    for (let at = 0; at < enc.length; at++) {
      await expect(open(flip(enc, at), ct, 32, pair, info)).rejects.toEqual(rule('W4'));
    }
    for (let at = 0; at < ct.length; at++) {
      await expect(open(enc, flip(ct, at), 32, pair, info)).rejects.toEqual(rule('W4'));
      await expect(open(enc, ct.subarray(0, at), 32, pair, info)).rejects.toEqual(rule('W4'));
    }
    await expect(open(enc, ct, 32, pair, ascii('asc1 dept'))).rejects.toEqual(rule('W4'));
    await expect(open(enc, ct, 64, pair, info)).rejects.toEqual(rule('W4'));
    await expect(open(enc.subarray(1), ct, 32, pair, info)).rejects.toEqual(rule('W4'));
    await expect(open(enc, ct, 32, await kemKeyPair(random(32)), info)).rejects.toEqual(rule('W4'));
  });

  test('[K2] a KEM key of another length, with a large coefficient, with an X25519 half of small order', async () => {
    const { publicKey } = await kemKeyPair(random(32));
    await checkKemKey(publicKey);
    const large = concat(publicKey);
    large.set([0xff, 0xff], 300);
    const twin = concat(publicKey);
    twin[1215] = (twin[1215] ?? 0) | 0x80;
    const curves = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      // Second encodings: of zero, one, nine, and the largest.
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    ].map((u) => concat(publicKey.subarray(0, 1184), hex(u)));
    for (const key of [publicKey.subarray(1), concat(publicKey, random(1)), large, twin, ...curves]) {
      await expect(checkKemKey(key)).rejects.toEqual(rule('K2'));
      await expect(wrap(random(32), key, ascii('x'))).rejects.toEqual(rule('K2'));
    }
  });
});

describe('bodies', () => {
  test('[V10] every length comes back, in its size', () => {
    for (const n of [0, 1, 60, 61, 124, 125, 4092, 4093, 8188, 8189, 12284]) {
      const content = random(n);
      const padded = pad(content);
      expect([64, 128, 256, 512, 1024, 2048, 4096, 8192, 12288]).toContain(padded.length);
      expect(unpad(padded)).toEqual(content);
    }
    expect(() => pad(random(12285))).toThrow(rule('V10'));
  });

  test('[V10] three bytes, a length beyond the end, a size too large, a pad that is not zero (X5)', () => {
    const padded = pad(ascii('hello'));
    const lying = concat(padded);
    lying.set([255, 255, 255, 255]);
    for (const wrong of [
      random(3),
      padded.subarray(1),
      lying,
      concat(padded, new Uint8Array(64)),
      flip(padded, 63),
    ]) {
      expect(() => unpad(wrong)).toThrow(rule('V10'));
    }
  });

  test('[V8] [V9] another bit anywhere, another epoch, another conversation', async () => {
    const secret = await importEpochSecret(random(32));
    const [epoch, header, conv] = [random(32), random(70), random(32)];
    const keys = await messageKeys(secret, epoch, header);
    const aad = concat(conv, epoch, header);
    const { ct, C } = await sealBody(keys, aad, pad(ascii('hello')));
    expect(await openBody(keys, aad, ct, C)).toEqual(ascii('hello'));
    for (let at = 0; at < ct.length; at++) {
      await expect(openBody(keys, aad, flip(ct, at), C)).rejects.toEqual(rule('V8'));
      await expect(openBody(keys, aad, ct.subarray(0, at), C)).rejects.toEqual(rule('V8'));
    }
    for (let at = 0; at < aad.length; at++) {
      await expect(openBody(keys, flip(aad, at), ct, C)).rejects.toEqual(rule('V8'));
    }
    for (let at = 0; at < C.length; at++) {
      await expect(openBody(keys, aad, ct, flip(C, at))).rejects.toEqual(rule('V9'));
    }
    const elsewhere = await messageKeys(secret, random(32), header);
    await expect(openBody(elsewhere, aad, ct, C)).rejects.toEqual(rule('V8'));
  });

  test('[L10] the same random value and another body: another id (X4)', async () => {
    const secret = await importEpochSecret(random(32));
    const [same, header] = [random(32), random(54)];
    const ids = await Promise.all(
      ['a', 'b', 'ab', ''].map((text) => messageId(secret, same, header, pad(ascii(text)))),
    );
    expect(new Set(ids.map(String)).size).toBe(ids.length);
    expect(ids.every((id) => id.length === 16)).toBe(true);
  });
});

test('the commitment of an epoch depends on secret and core', async () => {
  const [secret, core1, core2] = [random(32), random(32), random(32)];
  const key = await importEpochSecret(secret);
  expect(await commit(key, core1)).toEqual(await commit(await importEpochSecret(secret), core1));
  expect(await commit(key, core1)).not.toEqual(await commit(key, core2));
  expect(await commit(key, core1)).not.toEqual(await commit(await importEpochSecret(random(32)), core1));
});

test('[L9] another order, entry, sequence or conversation gives another log hash', async () => {
  const conv = random(32);
  const start = await logStart(conv);
  const both = async (from: Bytes, a: string, b: string) =>
    String(await logNext(await logNext(from, 1, ascii(a)), 2, ascii(b)));
  const right = await both(start, 'x', 'y');
  expect(await both(start, 'y', 'x')).not.toBe(right);
  expect(await both(start, 'x', 'z')).not.toBe(right);
  expect(await both(await logStart(random(32)), 'x', 'y')).not.toBe(right);
  expect(await logNext(start, 1, conv)).not.toEqual(await logNext(start, 2, conv));
  await expect(logNext(start, 2 ** 53, conv)).rejects.toEqual(rule('P7'));
});

test('[L11] the safety number does not depend on the order, and on everything else', async () => {
  const conv = random(32);
  const members = [1, 2, 2].map((role) => ({ role, key: random(32) }));
  const number = await safetyNumber(conv, members);
  expect(number).toMatch(/^(\d{5} ){7}\d{5}$/);
  expect(await safetyNumber(conv, members.toReversed())).toBe(number);
  expect(await safetyNumber(random(32), members)).not.toBe(number);
  expect(await safetyNumber(conv, members.slice(1))).not.toBe(number);
  expect(await safetyNumber(conv, [{ role: 3, key: random(32) }, ...members.slice(1)])).not.toBe(number);
});
