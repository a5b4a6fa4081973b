// The body of an event: padded to a size class, encrypted, committed to.
import { type Bytes, concat, equal, hmac, uint } from './bytes.ts';
import type { MessageKeys } from './kdf.ts';
import { Refusal } from './refusal.ts';

const smallest = 64;
const step = 4096;
const largest = 3 * step;

function bucket(n: number): number {
  let size = smallest;
  while (size < n && size < step) size *= 2;
  return size >= n ? size : Math.ceil(n / step) * step;
}

/** Length, content, zeros, in the smallest size that holds them. */
export function pad(content: Uint8Array): Bytes {
  const size = bucket(4 + content.length);
  if (size > largest) throw new Refusal('V10', 'padding', `a body has at most ${largest - 4} bytes`);
  const padded = new Uint8Array(size);
  padded.set(uint(content.length, 4));
  padded.set(content, 4);
  return padded;
}

/** [V10] The content of what pad made, and of nothing else. */
export function unpad(padded: Uint8Array): Bytes {
  const refusal = new Refusal('V10', 'padding', 'the body is not padded as agreed');
  if (padded.length < smallest || padded.length > largest) throw refusal;
  const n = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  if (n > padded.length - 4 || bucket(4 + n) !== padded.length) throw refusal;
  if (padded.subarray(4 + n).some((byte) => byte !== 0)) throw refusal;
  return new Uint8Array(padded.subarray(4, 4 + n));
}

/** Encrypts what pad made and commits to it. */
export async function sealBody(
  keys: MessageKeys,
  aad: Bytes,
  padded: Bytes,
): Promise<{ ct: Bytes; C: Bytes }> {
  const how = { name: 'AES-GCM', iv: keys.nonce, additionalData: aad };
  const ct = new Uint8Array(await crypto.subtle.encrypt(how, keys.key, padded));
  return { ct, C: await hmac(keys.kf, aad, padded) };
}

/** [V8, V9, V10] The content, or a refusal; never a part of it. */
export async function openBody(keys: MessageKeys, aad: Bytes, ct: Uint8Array, C: Uint8Array): Promise<Bytes> {
  let padded: Bytes;
  try {
    const how = { name: 'AES-GCM', iv: keys.nonce, additionalData: aad };
    padded = new Uint8Array(await crypto.subtle.decrypt(how, keys.key, concat(ct)));
  } catch {
    throw new Refusal('V8', 'decrypt', 'the message could not be opened');
  }
  if (!equal(await hmac(keys.kf, aad, padded), C)) {
    throw new Refusal('V9', 'commitment', 'the message is not the one that its sender committed to');
  }
  return unpad(padded);
}
