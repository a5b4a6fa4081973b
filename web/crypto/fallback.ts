// ML-KEM-768 in JavaScript, a chunk of its own. It is not constant-time and
// therefore never used alone: X-Wing adds the engine's X25519.
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

export const { keygen, encapsulate, decapsulate } = ml_kem768;
