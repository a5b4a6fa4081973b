// What is derived from an epoch's secret: section 4.3 of the specification.
import { ascii, type Bytes, concat, hmac, sha256 } from './bytes.ts';

/** An epoch's secret, which only derivations can use. */
export function importEpochSecret(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
}

/** HKDF-SHA256 with an empty salt (RFC 5869): n bytes. */
export async function derive(key: CryptoKey, info: Bytes, n: number): Promise<Bytes> {
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * n));
}

/** The commitment of an epoch to its secret; 32 bytes. */
export function commit(secret: CryptoKey, coreHash: Uint8Array): Promise<Bytes> {
  return derive(secret, concat(ascii('asc1 commit'), coreHash), 32);
}

/** The keys of one event: for AES-256-GCM, its nonce, and for the commitment. */
export interface MessageKeys {
  readonly key: CryptoKey;
  readonly nonce: Bytes;
  readonly kf: Bytes;
}

export async function messageKeys(
  secret: CryptoKey,
  epochHash: Uint8Array,
  header: Uint8Array,
): Promise<MessageKeys> {
  const messages = await importEpochSecret(await derive(secret, ascii('asc1 msgs'), 32));
  const all = await derive(messages, concat(ascii('asc1 msg'), epochHash, await sha256(header)), 76);
  const key = await crypto.subtle.importKey('raw', all.subarray(0, 32), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const [nonce, kf] = [all.slice(32, 44), all.slice(44)];
  all.fill(0);
  return { key, nonce, kf };
}

/** [L10] The id of an event: it depends on the body, so that a repeated random value repeats no key. */
export async function messageId(
  secret: CryptoKey,
  random: Uint8Array,
  headerWithoutId: Uint8Array,
  padded: Uint8Array,
): Promise<Bytes> {
  return (await hmac(await derive(secret, ascii('asc1 id'), 32), random, headerWithoutId, padded)).slice(
    0,
    16,
  );
}
