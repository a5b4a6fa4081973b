// [L9] The running hash of a conversation's log.
import { ascii, type Bytes, sha256, uint } from './bytes.ts';
import { Refusal } from './refusal.ts';

export function logStart(conv: Uint8Array): Promise<Bytes> {
  return sha256(ascii('asc1 log'), conv);
}

export async function logNext(before: Uint8Array, seq: number, entry: Uint8Array): Promise<Bytes> {
  if (!Number.isSafeInteger(seq) || seq < 1) {
    throw new Refusal('P7', 'bad_int', 'a sequence is from 1 to 2^53-1');
  }
  return sha256(ascii('asc1 log'), before, uint(seq, 8), await sha256(entry));
}
