/**
 * Sealed conversations in the browser, as protocol/SPEC.md says: today the
 * primitives below objects, rosters and epochs. Independent of internal/seal.
 */
export { openBody, pad, sealBody, unpad } from './body.ts';
export { checkPublicKey, sign, verify } from './ed25519.ts';
export { checkKemKey, open, wrap } from './hpke.ts';
export { commit, importEpochSecret, messageId, messageKeys } from './kdf.ts';
export { logNext, logStart } from './log.ts';
export { Refusal } from './refusal.ts';
export { safetyNumber } from './safety.ts';
export { type KemKeyPair, kemKeyPair } from './xwing.ts';
