// What vectors.test.ts runs inside Chromium.
export { concat, hmac } from '../crypto/bytes.ts';
export { verifyMessage } from '../crypto/ed25519.ts';
export { checkKemKey, schedule } from '../crypto/hpke.ts';
export { runner } from '../crypto/members.testing.ts';
export { checkCurvePoint, decapsulate, kemKeyPair } from '../crypto/xwing.ts';
