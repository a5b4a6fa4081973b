// What a page may ask of the crypto worker. Keys and secrets stay on the other
// side: a page holds names of conversations, objects that are public, and
// plaintext. A call that breaks a rule rejects with a Refusal.
import type { Bytes } from './bytes.ts';
import type { Field } from './member.ts';

export type { Field };

/** What the page knows before it asks the server: it is not taken from there. */
export interface Pin {
  /** SHA-256 of the organisation's root key. */
  readonly org: Bytes;
  /** 16 bytes; only for a visitor. */
  readonly dept?: Bytes;
  /** Lowest policy version that is taken; 0 when the page knows none. */
  readonly minPolicy: number;
  /** Weakest mode that is taken: 1 assisted, 2 sealed. */
  readonly minMode: 1 | 2;
}

/** How far an agent's device has come: no key, asked for a certificate, certified, with department keys. */
export type DeviceState = 'none' | 'asked' | 'certified' | 'ready';

export interface Kept {
  /** Conversations whose visitor this browser is, oldest first. */
  readonly visitor: readonly Bytes[];
  readonly device: DeviceState;
  /** SHA-256 of the enrolment request, once the device has asked. */
  readonly enrolment?: Bytes;
}

/** A member of the roster as people see it. `name` is the certificate's, empty for the visitor. */
export interface Member {
  readonly leaf: number;
  readonly role: number;
  readonly name: string;
  readonly title: string;
  /** Whose hands its keys are in, its issuer's counted: 1 company, 2 operator. */
  readonly custody: number;
  readonly mine: boolean;
  /** Another device of the same person. */
  readonly alsoMine?: true;
}

/** One entry of the log, verified, as people see it. Times are milliseconds. */
export type Line =
  | {
      readonly kind: 'message';
      readonly seq: number;
      readonly time: number;
      readonly from: Member;
      readonly cid: Bytes;
      readonly text: string;
    }
  /** What the visitor was asked before the conversation. */
  | {
      readonly kind: 'form';
      readonly seq: number;
      readonly time: number;
      readonly from: Member;
      readonly cid: Bytes;
      readonly fields: readonly Field[];
    }
  /** Up to which entry somebody has received and read: no line of its own. */
  | {
      readonly kind: 'marks';
      readonly seq: number;
      readonly time: number;
      readonly from: Member;
      readonly delivered: number;
      readonly read: number;
    }
  | {
      readonly kind: 'roster';
      readonly seq: number;
      readonly time: number;
      readonly n: number;
      readonly reason: number;
      readonly members: readonly Member[];
      /** Leaves that are another device of who wrote the epoch (K18). */
      readonly second?: readonly number[];
      /** This device cannot read or write in this epoch, and the rule says why. */
      readonly locked?: string;
      /** The time is more than ten minutes off (E29). */
      readonly timeUncertain?: boolean;
    }
  /** Somebody has given a member what was said before it came. */
  | {
      readonly kind: 'grant';
      readonly seq: number;
      readonly time: number;
      readonly from: Member;
      readonly to: Member;
      readonly fromN: number;
      readonly toN: number;
      /** It is for this device and does not open, by this rule. */
      readonly locked?: string;
    }
  | {
      readonly kind: 'closed';
      readonly seq: number;
      readonly time: number;
      readonly from: Member;
      readonly reason: number;
    }
  /** Stored and signed, but not to be shown: `rule` says why. A message of an epoch that is locked for me is one. */
  | {
      readonly kind: 'unreadable';
      readonly seq: number;
      readonly time: number;
      readonly rule: string;
      readonly code: string;
      /** It is no message but marks or the like. */
      readonly control?: true;
    };

export interface ConversationState {
  /** Sequence of the last entry that was taken. */
  readonly seq: number;
  readonly log: Bytes;
  readonly epoch: number;
  readonly members: readonly Member[];
  readonly closed: boolean;
  /** Whether this device can seal a message now. */
  readonly open: boolean;
  /** Whether this device can accept it with its department's keys. */
  readonly acceptable: boolean;
  /** A member's certificate or key no longer holds: nothing is said before `refresh`. */
  readonly stale: boolean;
  /** Forty digits in eight groups of five (section 4.6). */
  readonly safety: string;
}

/**
 * Every `Bytes` that leaves is an object of protocol/SPEC.md, complete. Objects
 * that come in are public ones; their order does not matter, and objects that
 * are not needed are passed over.
 */
export interface Vault {
  /**
   * Opens the kept keys for an organisation, or starts with none. First call.
   * An address that named another organisation before is refused (K3), and one
   * that asked for a stronger mode of the department (G7).
   */
  open(pin: Pin): Promise<Kept>;
  /** Policies, certificates, key objects, status: verifies and remembers. The current policy is the highest version. */
  trust(objects: readonly Bytes[]): Promise<void>;
  /** A session proof (kind 13) by the device, or by the visitor of a conversation. */
  proof(challenge: Bytes, conv?: Bytes): Promise<Bytes>;

  /** Visitor: a new conversation; genesis, key object, epoch 0 and its wraps, in this order. Kept before it returns. With another department than the pin's when one is chosen, whose mode is kept as the pin's (G7). */
  begin(
    chosen?: Required<Pick<Pin, 'dept' | 'minMode'>>,
  ): Promise<{ readonly conv: Bytes; readonly objects: readonly Bytes[] }>;

  /**
   * Takes entries that follow those taken, the first with sequence `from`.
   * Entries that were taken before are compared and passed over. The first call
   * for a conversation has from = 0. `extras` are wraps for this device,
   * certificates, key objects and policies that the entries name. A refusal says
   * which entry breaks which rule; what came before it stays taken. Lines of
   * earlier entries come again, with their sequence, when their epoch opens only
   * now, by newer keys or by a grant. `complete`
   * says that the server has nothing after these entries: fewer than were seen
   * before are then refused (L2), and every later entry is live (section 6).
   */
  take(
    conv: Bytes,
    from: number,
    entries: readonly Bytes[],
    extras: readonly Bytes[],
    complete?: boolean,
  ): Promise<readonly Line[]>;
  state(conv: Bytes): Promise<ConversationState>;

  /** Seals a text of 1 to 8192 bytes of UTF-8. The same cid may be sealed again after an epoch has changed. */
  say(conv: Bytes, text: string, cid?: Bytes): Promise<{ readonly cid: Bytes; readonly event: Bytes }>;
  /** Visitor: seals a form, with a cid as `say`. */
  form(
    conv: Bytes,
    fields: readonly Field[],
    cid?: Bytes,
  ): Promise<{ readonly cid: Bytes; readonly event: Bytes }>;
  /** Seals marks: up to which entry the log was received, and read. */
  mark(conv: Bytes, delivered: number, read: number): Promise<Bytes>;
  /** A signed close: 1 solved, 2 left, 3 other. */
  close(conv: Bytes, reason: 1 | 2 | 3): Promise<Bytes>;
  /** Agent: accepts with the department's keys; an epoch and its wraps, in this order. */
  accept(conv: Bytes): Promise<readonly Bytes[]>;
  /** A new epoch with the same members; an epoch and its wraps. */
  rekey(conv: Bytes): Promise<readonly Bytes[]>;
  /** Removes the members that no longer hold, and calls the department when nobody is left; an epoch and its wraps. */
  refresh(conv: Bytes): Promise<readonly Bytes[]>;
  /** Removes members; an epoch and its wraps. */
  remove(conv: Bytes, leaves: readonly number[]): Promise<readonly Bytes[]>;
  /** Agent: adds a certified device whose certificate and key object are known; with `leave`, takes itself out. */
  transfer(conv: Bytes, cert: Bytes, leave: boolean): Promise<readonly Bytes[]>;
  /**
   * Gives a member what was said before it came, from one epoch to another;
   * without them, everything that this device had without a break until then.
   */
  grant(conv: Bytes, toLeaf: number, fromN?: number, toN?: number): Promise<Bytes>;
  /** Visitor or agent: opens a closed conversation again, without members that no longer hold; an epoch and its wraps. An agent brings nobody new. */
  reopen(conv: Bytes): Promise<readonly Bytes[]>;

  /** Agent: makes the device's keys and asks for a certificate with an invitation's text; request and mac (32 bytes). */
  enrol(invitation: string): Promise<{ readonly request: Bytes; readonly mac: Bytes }>;
  /** Agent: takes the device's certificate; the device's key object. */
  certified(cert: Bytes): Promise<Bytes>;
  /** Agent: takes the department's keys by a wrap of type 2 (K15). The certificate and key object are known by trust. */
  department(cert: Bytes, wrap: Bytes): Promise<void>;

  /** Erases a conversation's keys and state, or everything when none is named (L4). */
  erase(conv?: Bytes): Promise<void>;
}
