// SHA-3 and SHAKE (FIPS 202), which engines do not have, a chunk of its own: the
// fallback has them too, and shares it.
export { sha3_256, shake256 } from '@noble/hashes/sha3.js';
