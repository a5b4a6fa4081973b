// X-Wing, KEM 0x647a: ML-KEM-768 (FIPS 203) with X25519 (RFC 7748), combined
// by SHA3-256. X25519 is the engine's; ML-KEM comes from the fallback, which
// is loaded when it is first needed.
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ascii, type Bytes, concat, fieldPrime, littleEndian } from './bytes.ts';
import { Refusal } from './refusal.ts';

const label = ascii('\\.//^\\');

/** Lengths in bytes of the halves that are ML-KEM: of a public key and of an encapsulated key. */
export const mlkemPublic = 1184;
const mlkemCiphertext = 1088;

/**
 * A private key behind what it can do, with its public key of 1216 bytes. The
 * X25519 half is the engine's and not extractable. The ML-KEM half is plain
 * memory of this thread: a script that runs in it can take it.
 */
export interface KemKeyPair {
  readonly publicKey: Bytes;
  readonly decapsulate: (enc: Uint8Array) => Promise<Bytes>;
}

/** PKCS #8 before the 32 bytes of an X25519 private key (RFC 8410). */
const pkcs8 = Uint8Array.from([0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 34, 4, 32]);

/** x9 = 9 as u, the base point: a private key's public half is its product with it. */
const basePoint = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0));

async function multiply(key: CryptoKey, point: Uint8Array): Promise<Bytes> {
  const peer = await crypto.subtle.importKey('raw', concat(point), 'X25519', true, []);
  try {
    return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, key, 256));
  } catch {
    // Engines refuse a product of zero (RFC 7748, section 6.1).
    throw new Refusal('K2', 'bad_kem_key', 'the X25519 key is of small order');
  }
}

async function importPrivate(bytes: Uint8Array): Promise<CryptoKey> {
  const encoded = concat(pkcs8, bytes);
  const key = await crypto.subtle.importKey('pkcs8', encoded, 'X25519', false, ['deriveBits']);
  encoded.fill(0);
  return key;
}

function combine(ssM: Uint8Array, ssX: Uint8Array, ctX: Uint8Array, pkX: Uint8Array): Bytes {
  return new Uint8Array(sha3_256(concat(ssM, ssX, ctX, pkX, label)));
}

/** The key pair of a seed of 32 bytes. The caller erases the seed. */
export async function kemKeyPair(seed: Uint8Array): Promise<KemKeyPair> {
  if (seed.length !== 32) throw new Refusal('W4', 'wrap_open', 'a seed has 32 bytes');
  const { keygen, decapsulate } = await import('./fallback.ts');
  const expanded = shake256(seed, { dkLen: 96 });
  const lattice = keygen(expanded.subarray(0, 64));
  const curve = await importPrivate(expanded.subarray(64));
  expanded.fill(0);
  const pkX = await multiply(curve, basePoint);
  return {
    publicKey: concat(lattice.publicKey, pkX),
    decapsulate: async (enc) => {
      const ctX = enc.subarray(mlkemCiphertext);
      const ssM = decapsulate(enc.subarray(0, mlkemCiphertext), lattice.secretKey);
      return combine(ssM, await multiply(curve, ctX), ctX, pkX);
    },
  };
}

/** A fresh shared secret of 32 bytes for a checked public key, and what carries it. */
export async function encapsulate(publicKey: Uint8Array): Promise<{ enc: Bytes; shared: Bytes }> {
  const { encapsulate: lattice } = await import('./fallback.ts');
  const { cipherText, sharedSecret } = lattice(publicKey.subarray(0, mlkemPublic));
  const pkX = publicKey.subarray(mlkemPublic);
  const ephemeral = await importPrivate(crypto.getRandomValues(new Uint8Array(32)));
  const ctX = await multiply(ephemeral, basePoint);
  return {
    enc: concat(cipherText, ctX),
    shared: combine(sharedSecret, await multiply(ephemeral, pkX), ctX, pkX),
  };
}

/** Refuses an X25519 key that is not below 2^255-19, which has a second encoding, or whose product is zero. */
export async function checkCurvePoint(point: Uint8Array): Promise<void> {
  if (littleEndian(point) >= fieldPrime) {
    throw new Refusal('K2', 'bad_kem_key', 'the X25519 key is not in its one encoding');
  }
  await multiply(await importPrivate(crypto.getRandomValues(new Uint8Array(32))), point);
}
