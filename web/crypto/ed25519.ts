// Ed25519 (RFC 8032) by the engine, behind checks of our own: engines accept
// keys of small order and encodings that are not canonical.
import { ascii, type Bytes, concat, fieldPrime, littleEndian, sha256, uint } from './bytes.ts';
import { Refusal } from './refusal.ts';

const p = fieldPrime;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** y of one point of order 8; the other has p - y. */
const eighth = littleEndian(
  Uint8Array.from(
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'.match(/../g) ?? [],
    (hex) => Number.parseInt(hex, 16),
  ),
);
const smallOrder = new Set([0n, 1n, p - 1n, eighth, p - eighth]);

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = base % p, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p)
    if (e & 1n) result = (result * b) % p;
  return result;
}

/** y of the one encoding of a point: below p, and no sign where x is 0. */
function canonicalY(bytes: Uint8Array): bigint | undefined {
  const all = littleEndian(bytes);
  const y = all & (2n ** 255n - 1n);
  const signed = all !== y;
  return bytes.length !== 32 || y >= p || (signed && (y === 1n || y === p - 1n)) ? undefined : y;
}

/** Whether the bytes are the one encoding of a point of the curve that is not of small order. */
function isGoodKey(bytes: Uint8Array): boolean {
  const y = canonicalY(bytes);
  if (y === undefined || smallOrder.has(y)) return false;
  const u = (y * y - 1n + p) % p;
  const v = (d * y * y + 1n) % p;
  // x² = u/v has a root when u·v is a square (Euler's criterion; v is never 0).
  return power(u * v, (p - 1n) / 2n) === 1n;
}

/** [K1] Refuses a public key that is not canonical, not on the curve or of small order. */
export function checkPublicKey(key: Uint8Array): void {
  if (!isGoodKey(key)) throw new Refusal('K1', 'weak_key', 'the signing key is not one that can be trusted');
}

async function input(kind: number, org: Uint8Array, prefix: Uint8Array, content: Uint8Array): Promise<Bytes> {
  return concat(ascii('ASC1 signature'), uint(kind, 1), org, await sha256(prefix, content));
}

/** Signs the content of an object of that kind; 64 bytes. */
export async function sign(
  key: CryptoKey,
  kind: number,
  org: Uint8Array,
  prefix: Uint8Array,
  content: Uint8Array,
): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, await input(kind, org, prefix, content)));
}

/** Whether the signature over the content holds. A key or an encoding that K1 refuses throws. */
export async function verify(
  key: Uint8Array,
  kind: number,
  org: Uint8Array,
  prefix: Uint8Array,
  content: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return verifyMessage(key, await input(kind, org, prefix, content), signature);
}

/** As verify, of a whole message (RFC 8032, section 5.1.7). */
export async function verifyMessage(
  key: Uint8Array,
  message: Bytes,
  signature: Uint8Array,
): Promise<boolean> {
  checkPublicKey(key);
  if (
    signature.length !== 64 ||
    canonicalY(signature.subarray(0, 32)) === undefined ||
    littleEndian(signature.subarray(32)) >= order
  ) {
    throw new Refusal('K1', 'weak_key', 'the signature is not in its one encoding');
  }
  const imported = await crypto.subtle.importKey('raw', concat(key), 'Ed25519', true, ['verify']);
  return crypto.subtle.verify('Ed25519', imported, concat(signature), message);
}
