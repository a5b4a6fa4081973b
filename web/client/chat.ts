// What a page sees of the client: views that change, and acts. Nothing here
// knows the page; the widget and the console draw it.
import type { DeviceState, Field, Line, Member } from '@aldaba/crypto';

export type { Field } from '@aldaba/crypto';

/** A value that changes; `subscribe` calls after each change and returns how to stop. */
export interface Live<T> {
  get(): T;
  subscribe(changed: () => void): () => void;
}

export type Link = 'connecting' | 'online' | 'offline';

/**
 * What went wrong, for a catalogue of sentences: `code` is one of `offline`
 * (with `rule` when the server says that it cannot now: `rate_limited`,
 * `unavailable`), `unsupported`, `refused` (by an object's rule, or the server's
 * or its code where there is none, named in `rule`), `too_long`, `invitation`,
 * `closed`, `lost` (the server took a message that the log does not show),
 * `storage`.
 */
export interface Problem {
  readonly code: string;
  readonly rule?: string;
}

/** A message that the log does not show yet. */
export interface Outgoing {
  readonly cid: string;
  /** Empty for a form, which has `fields`. */
  readonly text: string;
  readonly fields?: readonly Field[];
  readonly state: 'sending' | 'failed';
  readonly problem?: Problem;
}

/** What people see of the log. */
export type Shown = Exclude<Line, { readonly kind: 'marks' }>;

/** One conversation as it stands. */
export interface ConversationView {
  readonly conv: string;
  readonly lines: readonly Shown[];
  /** The highest sequence that another person has received, and read: what one's own message is told by. */
  readonly delivered: number;
  readonly read: number;
  readonly outgoing: readonly Outgoing[];
  readonly members: readonly Member[];
  readonly safety: string;
  readonly closed: boolean;
  /** Whether a message can be sealed now. */
  readonly open: boolean;
  /** Whether this agent's device can accept it. */
  readonly acceptable: boolean;
  /** Entries are still being fetched. */
  readonly loading: boolean;
  /** Seats of others that are writing now. */
  readonly typing: readonly number[];
  readonly problem?: Problem;
}

/** A question before the first message. */
export interface Question {
  readonly name: string;
  readonly kind: 'text' | 'mail' | 'phone' | 'choice';
  /** By language. */
  readonly label: Readonly<Record<string, string>>;
  readonly required: boolean;
  /** Of the kind choice alone. */
  readonly choices: readonly string[];
}

/** The site that a page stands on. `name` is empty where the server tells none. */
export interface SiteView {
  readonly name: string;
  readonly languages: readonly string[];
  readonly departments: readonly {
    readonly id: string;
    readonly name: string;
    readonly mode: 'sealed' | 'assisted';
  }[];
  readonly fields: readonly Question[];
  /** How else the company is reached. */
  readonly contact: { readonly text?: string; readonly href?: string };
  /** Whether somebody is there to answer. */
  readonly open: boolean;
}

/** Where a conversation that nobody has taken stands. */
export interface Place {
  /** 1 is the next; 0 when it was taken. */
  readonly place: number;
  /** Whether somebody is there. */
  readonly open: boolean;
}

export interface VisitorView {
  /** Missing while it is not known, and when somebody answers. */
  readonly place?: Place;
  /** Missing until the server has answered. */
  readonly site?: SiteView;
  readonly link: Link;
  /** `starting`: looks for a kept conversation; `none`: there is none yet. */
  readonly stage: 'starting' | 'none' | 'talking' | 'failed';
  readonly conversation?: ConversationView;
  readonly problem?: Problem;
}

/** The visitor's chat. A conversation begins with the first message or form. */
export interface VisitorChat {
  readonly view: Live<VisitorView>;
  /** With the `cid` of a message that an earlier page had on its way, the log keeps it once. */
  say(text: string, cid?: string): void;
  /** The department that a new conversation is for, by its identifier; the site's first when none was chosen. */
  choose(department: string): void;
  /** Sends what was asked before the conversation. */
  form(fields: readonly Field[], cid?: string): void;
  /** The end of the log is visible to a person: what others said is read. */
  seen(): void;
  /** This person is writing. */
  typing(): void;
  retry(cid: string): void;
  close(): void;
  /** After a close: opens the same conversation again. */
  reopen(): void;
  /** Erases this browser's keys of the conversation. */
  erase(): void;
  /** After a failure: begins anew with what is kept. */
  restart(): void;
}

export interface QueueItem {
  readonly conv: string;
  /** `mine`: this person answers; `team`: somebody else of the department does. */
  readonly state: 'waiting' | 'mine' | 'team' | 'closed';
  /** Milliseconds, of the last entry. */
  readonly at: number;
  readonly seq: number;
  /** Names of those who answer. */
  readonly agents: readonly string[];
  /** The department's identifier. */
  readonly dept?: string;
  /** Milliseconds: since when it is in this state. */
  readonly since?: number;
}

/** A message of a conversation that nobody looks at, or a visitor who begins to wait. */
export interface News {
  readonly kind: 'message' | 'waiting';
  readonly conv: string;
}

export interface DeskView {
  readonly link: Link;
  /** `starting`; `enrol`: no key, needs an invitation; then as the device's state. */
  readonly stage: 'starting' | 'enrol' | Exclude<DeviceState, 'none'> | 'failed';
  readonly queue: readonly QueueItem[];
  /** Messages that this person has not looked at, by conversation of theirs. */
  readonly unread: ReadonlyMap<string, number>;
  readonly current?: ConversationView;
  readonly problem?: Problem;
}

/** The agent's desk. */
export interface AgentDesk {
  readonly view: Live<DeskView>;
  enrol(invitation: string): void;
  /** While it waits for its certificate: gives the invitation up for another one. */
  another(): void;
  select(conv: string): void;
  /** Whether this person looks at the open conversation. */
  look(looking: boolean): void;
  /** Hears of what has come while nobody looked at it; returns how to stop. */
  hear(listener: (news: News) => void): () => void;
  accept(): void;
  say(text: string): void;
  /** The end of the open conversation's log is visible to a person: what others said is read. */
  seen(): void;
  /** This person is writing. */
  typing(): void;
  retry(cid: string): void;
  close(): void;
  /** After a close: opens the same conversation again, with the members that are there. */
  reopen(): void;
  /**
   * Brings another device into the open conversation by its certificate and key
   * object, and gives it what was said before; with `leave`, this one goes then.
   */
  bring(cert: Uint8Array<ArrayBuffer>, key: Uint8Array<ArrayBuffer>, leave: boolean): void;
  restart(): void;
}

/** How far one's own message has come that the log shows at a sequence. */
export function progress(
  { delivered, read }: Pick<ConversationView, 'delivered' | 'read'>,
  seq: number,
): 'sent' | 'delivered' | 'read' {
  if (seq <= read) return 'read';
  return seq <= delivered ? 'delivered' : 'sent';
}
