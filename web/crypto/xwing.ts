// X-Wing, KEM 0x647a: ML-KEM-768 (FIPS 203) with X25519 (RFC 7748), combined
// by SHA3-256. X25519 is the engine's; so is ML-KEM where the engine has it,
// else it comes from the fallback, which is loaded when it is first needed.
import { ascii, type Bytes, concat, fieldPrime, littleEndian, random } from './bytes.ts';
import { Refusal } from './refusal.ts';

const label = ascii('\\.//^\\');

/** Lengths in bytes of the halves that are ML-KEM: of a public key and of an encapsulated key. */
export const mlkemPublic = 1184;
const mlkemCiphertext = 1088;
const mlkem = 'ML-KEM-768';

/**
 * A private key with its public key of 1216 bytes, as it can be stored. The
 * X25519 half is the engine's and not extractable. The ML-KEM half is too where
 * the engine has that key type; elsewhere it is its seed of 64 bytes in plain
 * memory of this thread, and a script that runs in it can take it.
 */
export interface KemKeyPair {
  readonly publicKey: Bytes;
  readonly curve: CryptoKey;
  readonly lattice: CryptoKey | Bytes;
}

/** What engines with ML-KEM add (Modern Algorithms in the Web Cryptography API, WICG). */
interface Lattice {
  importKey(
    format: 'raw-seed' | 'raw-public',
    key: Bytes,
    algorithm: typeof mlkem,
    extractable: boolean,
    usages: readonly ('encapsulateBits' | 'decapsulateBits')[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: readonly 'encapsulateBits'[]): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: typeof mlkem,
    key: CryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: typeof mlkem, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}

/** The engine's ML-KEM; nothing when one of the calls is missing or fails. */
let probe: Promise<Lattice | undefined> | undefined;
function engine(): Promise<Lattice | undefined> {
  probe ??= (async () => {
    try {
      const subtle = crypto.subtle as unknown as Lattice;
      const secret = await subtle.importKey('raw-seed', random(64), mlkem, false, ['decapsulateBits']);
      const open = await subtle.getPublicKey(secret, ['encapsulateBits']);
      const { ciphertext } = await subtle.encapsulateBits(mlkem, open);
      await subtle.decapsulateBits(mlkem, secret, new Uint8Array(ciphertext));
      return subtle;
    } catch {
      return undefined;
    }
  })();
  return probe;
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

async function combine(ssM: Uint8Array, ssX: Uint8Array, ctX: Uint8Array, pkX: Uint8Array): Promise<Bytes> {
  const { sha3_256 } = await import('./sha3.ts');
  return new Uint8Array(sha3_256(concat(ssM, ssX, ctX, pkX, label)));
}

/** The key pair of a seed of 32 bytes. The caller erases the seed. */
export async function kemKeyPair(seed: Uint8Array): Promise<KemKeyPair> {
  if (seed.length !== 32) throw new Refusal('W4', 'wrap_open', 'a seed has 32 bytes');
  const { shake256 } = await import('./sha3.ts');
  const expanded = new Uint8Array(shake256(seed, { dkLen: 96 }));
  const latticeSeed = expanded.slice(0, 64);
  const curve = await importPrivate(expanded.subarray(64));
  expanded.fill(0);
  const pkX = await multiply(curve, basePoint);
  const native = await engine();
  if (!native) {
    const { keygen } = await import('./fallback.ts');
    return { publicKey: concat(keygen(latticeSeed).publicKey, pkX), curve, lattice: latticeSeed };
  }
  const lattice = await native.importKey('raw-seed', latticeSeed, mlkem, false, ['decapsulateBits']);
  latticeSeed.fill(0);
  const open = await native.getPublicKey(lattice, ['encapsulateBits']);
  const pkM = new Uint8Array(await native.exportKey('raw-public', open));
  return { publicKey: concat(pkM, pkX), curve, lattice };
}

/** The shared secret of 32 bytes that an encapsulated key of 1120 bytes carries. */
export async function decapsulate(pair: KemKeyPair, enc: Uint8Array): Promise<Bytes> {
  const { publicKey, curve, lattice } = pair;
  const ctM = concat(enc.subarray(0, mlkemCiphertext));
  const ctX = enc.subarray(mlkemCiphertext);
  let ssM: Uint8Array;
  if (lattice instanceof Uint8Array) {
    const { decapsulate: open, keygen } = await import('./fallback.ts');
    ssM = open(ctM, keygen(lattice).secretKey);
  } else {
    // Who holds such a key has the engine that made it.
    const native = crypto.subtle as unknown as Lattice;
    ssM = new Uint8Array(await native.decapsulateBits(mlkem, lattice, ctM));
  }
  return combine(ssM, await multiply(curve, ctX), ctX, publicKey.subarray(mlkemPublic));
}

/** A fresh shared secret of 32 bytes for a checked public key, and what carries it. */
export async function encapsulate(publicKey: Uint8Array): Promise<{ enc: Bytes; shared: Bytes }> {
  const pkM = concat(publicKey.subarray(0, mlkemPublic));
  const pkX = publicKey.subarray(mlkemPublic);
  const native = await engine();
  let sealed: { readonly ctM: Uint8Array; readonly ssM: Uint8Array };
  if (native) {
    const key = await native.importKey('raw-public', pkM, mlkem, true, ['encapsulateBits']);
    const { ciphertext, sharedKey } = await native.encapsulateBits(mlkem, key);
    sealed = { ctM: new Uint8Array(ciphertext), ssM: new Uint8Array(sharedKey) };
  } else {
    const { encapsulate: lattice } = await import('./fallback.ts');
    const { cipherText, sharedSecret } = lattice(pkM);
    sealed = { ctM: cipherText, ssM: sharedSecret };
  }
  const ephemeral = await importPrivate(random(32));
  const ctX = await multiply(ephemeral, basePoint);
  return {
    enc: concat(sealed.ctM, ctX),
    shared: await combine(sealed.ssM, await multiply(ephemeral, pkX), ctX, pkX),
  };
}

/** Refuses an X25519 key that is not below 2^255-19, which has a second encoding, or whose product is zero. */
export async function checkCurvePoint(point: Uint8Array): Promise<void> {
  if (littleEndian(point) >= fieldPrime) {
    throw new Refusal('K2', 'bad_kem_key', 'the X25519 key is not in its one encoding');
  }
  await multiply(await importPrivate(random(32)), point);
}
