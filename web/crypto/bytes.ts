export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function ascii(text: string): Bytes {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Lower-case hexadecimal: what bytes are called where they are a key of a map. Its order is that of the bytes. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** n bytes that nobody can guess. */
export function random(n: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(n));
}

/** An integer of n bytes, big-endian. */
export function uint(value: number | bigint, n: number): Bytes {
  const out = new Uint8Array(n);
  for (let rest = BigInt(value), at = n - 1; at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 255n);
  return out;
}

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)));
}

/** HMAC-SHA-256 (RFC 2104). An empty key is 32 zero bytes, which engines refuse to import as none. */
export async function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  const raw = key.length === 0 ? new Uint8Array(32) : concat(key);
  const imported = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, concat(...parts)));
}

/** Whether two strings of bytes are equal, in a time that their content does not change. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return difference === 0;
}

/** Whether one of them is equal to these. */
export function has(all: readonly Uint8Array[], bytes: Uint8Array): boolean {
  return all.some((each) => equal(each, bytes));
}

/** 2^255-19, the field of Ed25519 and X25519. */
export const fieldPrime = 2n ** 255n - 19n;

export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
