// HPKE (RFC 9180) in base mode, single shot, for one suite: X-Wing,
// HKDF-SHA256, AES-256-GCM. One secret is wrapped to one key, sequence 0, no AAD.
import { ascii, type Bytes, concat, hmac, uint } from './bytes.ts';
import { Refusal } from './refusal.ts';
import { checkCurvePoint, decapsulate, encapsulate, type KemKeyPair, mlkemPublic } from './xwing.ts';

const kem = 0x647a;
const encLength = 1120;
const publicLength = 1216;
const tagLength = 16;
const q = 3329;

/** The key and nonce of a shared secret (RFC 9180, section 5.1); aead is 2 but in vectors. */
export async function schedule(
  shared: Uint8Array,
  info: Uint8Array,
  aead = 2,
): Promise<{ key: Bytes; nonce: Bytes }> {
  const suite = concat(ascii('HPKE'), uint(kem, 2), uint(1, 2), uint(aead, 2));
  const extract = (salt: Uint8Array, label: string, ikm: Uint8Array) =>
    hmac(salt, ascii('HPKE-v1'), suite, ascii(label), ikm);
  const none = new Uint8Array();
  const context = concat(
    uint(0, 1),
    await extract(none, 'psk_id_hash', none),
    await extract(none, 'info_hash', info),
  );
  const secret = await extract(shared, 'secret', none);
  // One block of HKDF-Expand is enough for 32 bytes.
  const expand = async (label: string, n: number) =>
    (await hmac(secret, uint(n, 2), ascii('HPKE-v1'), suite, ascii(label), context, uint(1, 1))).slice(0, n);
  return { key: await expand('key', 32), nonce: await expand('base_nonce', 12) };
}

/** The cipher of a shared secret, which is erased with what came of it. */
async function cipher(shared: Bytes, info: Uint8Array, usage: 'encrypt' | 'decrypt') {
  const { key: raw, nonce: iv } = await schedule(shared, info);
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [usage]);
  shared.fill(0);
  raw.fill(0);
  return { how: { name: 'AES-GCM', iv }, key };
}

/** [K2] Refuses a KEM public key of another length, a coefficient not below q, an X25519 half of small order. */
export async function checkKemKey(key: Uint8Array): Promise<void> {
  const refuse = (sentence: string) => new Refusal('K2', 'bad_kem_key', sentence);
  if (key.length !== publicLength)
    throw refuse(`a KEM key has ${publicLength} bytes, this one ${key.length}`);
  // Two coefficients of 12 bits in three bytes; the last 32 bytes are a seed (FIPS 203, section 7.2).
  for (let at = 0; at < mlkemPublic - 32; at += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(at, at + 3);
    if ((a | ((b & 15) << 8)) >= q || ((b >> 4) | (c << 4)) >= q)
      throw refuse('an ML-KEM coefficient is too large');
  }
  await checkCurvePoint(key.subarray(mlkemPublic));
}

/** Encrypts a secret to a public key, which is checked by K2. */
export async function wrap(
  secret: Bytes,
  publicKey: Uint8Array,
  info: Uint8Array,
): Promise<{ enc: Bytes; ct: Bytes }> {
  await checkKemKey(publicKey);
  const { enc, shared } = await encapsulate(publicKey);
  const { how, key } = await cipher(shared, info, 'encrypt');
  const ct = await crypto.subtle.encrypt(how, key, secret);
  return { enc, ct: new Uint8Array(ct) };
}

/** [W4] Opens what wrap made: a secret of n bytes, or a refusal. */
export async function open(
  enc: Uint8Array,
  ct: Uint8Array,
  n: number,
  pair: KemKeyPair,
  info: Uint8Array,
): Promise<Bytes> {
  const refusal = new Refusal('W4', 'wrap_open', 'the key of this conversation could not be opened');
  if (enc.length !== encLength || ct.length !== n + tagLength) throw refusal;
  try {
    const { how, key } = await cipher(await decapsulate(pair, enc), info, 'decrypt');
    const secret = await crypto.subtle.decrypt(how, key, concat(ct));
    return new Uint8Array(secret);
  } catch {
    throw refusal;
  }
}
