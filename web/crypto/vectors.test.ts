// The vectors of the primitives, one file by each implementation; both read
// both. With ALDABA_UPDATE=1 this writes TypeScript's anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openBody, pad, sealBody } from './body.ts';
import { ascii, type Bytes, concat } from './bytes.ts';
import { sign, verify } from './ed25519.ts';
import { open, wrap } from './hpke.ts';
import { commit, importEpochSecret, messageId, messageKeys } from './kdf.ts';
import { logNext, logStart } from './log.ts';
import { safetyNumber } from './safety.ts';
import { kemKeyPair } from './xwing.ts';

const folder = join(import.meta.dirname, '..', '..', 'protocol', 'vectors');
const bytes = (text: string): Bytes =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (value: Uint8Array) => Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
const random = (n: number): Bytes => crypto.getRandomValues(new Uint8Array(n));

async function make() {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const sigKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const [org, prefix, content, seed, es] = [random(32), random(64), random(150), random(32), random(32)];
  const [info, coreHash, epoch, h, conv] = [random(43), random(32), random(32), random(75), random(32)];
  const payload = new TextEncoder().encode('aldaba: ¿quién llama?');
  const kem = await kemKeyPair(seed);
  const { enc, ct } = await wrap(es, kem.publicKey, info);
  const secret = await importEpochSecret(concat(es));
  const aad = concat(conv, epoch, h);
  const body = await sealBody(await messageKeys(secret, epoch, h), aad, pad(payload));
  const [once, h0] = [random(32), random(59)];
  const members = [1, 2, 3].map((role) => ({ role, key: random(32) }));
  const start = await logStart(conv);
  return {
    org: hex(org),
    prefix: hex(prefix),
    content: hex(content),
    kind: 3,
    sig_pk: hex(sigKey),
    signature: hex(await sign(pair.privateKey, 3, org, prefix, content)),
    kem_seed: hex(seed),
    kem_pk: hex(kem.publicKey),
    info: hex(info),
    es: hex(es),
    enc: hex(enc),
    ct: hex(ct),
    core_hash: hex(coreHash),
    commit: hex(await commit(secret, coreHash)),
    epoch_hash: hex(epoch),
    h: hex(h),
    aad: hex(aad),
    payload: hex(payload),
    random: hex(once),
    h0: hex(h0),
    msg_id: hex(await messageId(secret, once, h0, pad(payload))),
    body_ct: hex(body.ct),
    body_c: hex(body.C),
    conv: hex(conv),
    log_0: hex(start),
    log_1: hex(await logNext(start, 1, body.ct)),
    members: members.map(({ role, key }) => ({ role, sig_pk: hex(key) })),
    safety_number: await safetyNumber(conv, members),
  };
}

type Primitives = Awaited<ReturnType<typeof make>>;

beforeAll(async () => {
  if (process.env.ALDABA_UPDATE !== '1') return;
  writeFileSync(join(folder, 'primitives-ts.json'), `${JSON.stringify(await make(), undefined, 2)}\n`);
});

test.each(['primitives-go.json', 'primitives-ts.json'])('%s', async (name) => {
  const v = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Primitives;
  const valid = verify(
    bytes(v.sig_pk),
    v.kind,
    bytes(v.org),
    bytes(v.prefix),
    bytes(v.content),
    bytes(v.signature),
  );
  expect(await valid).toBe(true);
  const kem = await kemKeyPair(bytes(v.kem_seed));
  expect(hex(kem.publicKey)).toBe(v.kem_pk);
  const es = await open(bytes(v.enc), bytes(v.ct), 32, kem, bytes(v.info));
  expect(hex(es)).toBe(v.es);
  const secret = await importEpochSecret(es);
  expect(hex(await commit(secret, bytes(v.core_hash)))).toBe(v.commit);
  const keys = await messageKeys(secret, bytes(v.epoch_hash), bytes(v.h));
  expect(hex(await openBody(keys, bytes(v.aad), bytes(v.body_ct), bytes(v.body_c)))).toBe(v.payload);
  const id = await messageId(secret, bytes(v.random), bytes(v.h0), pad(bytes(v.payload)));
  expect(hex(id)).toBe(v.msg_id);
  const start = await logStart(bytes(v.conv));
  expect(hex(start)).toBe(v.log_0);
  expect(hex(await logNext(start, 1, bytes(v.body_ct)))).toBe(v.log_1);
  const members = v.members.map(({ role, sig_pk }) => ({ role, key: bytes(sig_pk) }));
  expect(await safetyNumber(bytes(v.conv), members)).toBe(v.safety_number);
  // Of the other implementation's wrap no other info opens.
  await expect(open(bytes(v.enc), bytes(v.ct), 32, kem, ascii('x'))).rejects.toThrow('W4');
});
