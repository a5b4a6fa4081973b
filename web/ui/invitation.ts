// An invitation as text (SPEC section 4.1): 30 characters of Crockford's
// base 32 in six groups of five. Its check is the crypto worker's.

const characters = 30;

/** Crockford's alphabet has no U, and reads I and L as 1, O as 0. */
const alphabet = /^[0-9A-HJKMNP-TV-Z]$/;

export type Invitation =
  | { readonly state: 'right'; readonly text: string }
  | { readonly state: 'length'; readonly count: number }
  | { readonly state: 'character'; readonly character: string };

/** Reads what a person typed or pasted: case, spaces and hyphens do not matter. */
export function readInvitation(typed: string): Invitation {
  const plain = [...typed.toUpperCase().replaceAll(/[\s\p{Dash}]/gu, '')].map((c) =>
    c === 'O' ? '0' : c === 'I' || c === 'L' ? '1' : c,
  );
  const character = plain.find((c) => !alphabet.test(c));
  if (character !== undefined) return { state: 'character', character };
  if (plain.length !== characters) return { state: 'length', count: plain.length };
  return { state: 'right', text: (plain.join('').match(/.{5}/g) ?? []).join('-') };
}

/** The invitation in an address's `#invite=…`, or nothing when there is none. */
export function invitationIn(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('invite') ?? undefined;
}
