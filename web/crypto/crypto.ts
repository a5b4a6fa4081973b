/**
 * Sealed conversations in the browser, as protocol/SPEC.md says, independent of
 * internal/seal. A page takes from here what talks to the worker; everything
 * that holds a key or checks an object is in worker.ts, a bundle of its own.
 */
export type { Bytes } from './bytes.ts';
export { connect } from './facade.ts';
export { Refusal } from './refusal.ts';
export type { ConversationState, DeviceState, Field, Kept, Line, Member, Pin, Vault } from './vault.ts';
