// [L11] The number that two people compare to know that nobody stands between them.
import { ascii, concat, hex, sha256, uint } from './bytes.ts';

export interface SafetyMember {
  readonly role: number;
  readonly key: Uint8Array;
}

/** 40 decimal digits in eight groups of five, whatever the order of the members. */
export async function safetyNumber(conv: Uint8Array, members: readonly SafetyMember[]): Promise<string> {
  const lines = members
    .map(({ role, key }) => concat(uint(role, 1), key))
    .sort((a, b) => (hex(a) < hex(b) ? -1 : 1));
  const hash = BigInt(`0x${hex(await sha256(ascii('asc1 code'), conv, ...lines))}`);
  return (hash % 10n ** 40n).toString().padStart(40, '0').match(/.{5}/g)?.join(' ') ?? '';
}
