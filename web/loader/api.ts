/**
 * The one function that a customer's page sees. Until the loader is there, the
 * stub of the snippet keeps the calls in a queue; the loader plays them.
 */
export interface Aldaba {
  /** Shows the chat, or hides it. Without `consent` they work only in answer to a click or a key of the visitor. */
  (command: 'open' | 'close' | 'toggle'): void;
  /** True: the visitor agreed on the site, the frame may be there. False: takes it away, with what this tab remembers. */
  (command: 'consent', given: boolean): void;
  /** The language of the chat, as a BCP 47 tag such as `es` or `en-GB`. */
  (command: 'locale', tag: string): void;
  /**
   * How the site says who is signed in. The function is called when a
   * conversation asks; it fetches a token for exactly this `cnf` from the
   * site's own server.
   */
  (command: 'identify', token: (cnf: string) => string | Promise<string>): void;
  /** Calls back at each event; `ready` at once when it has been. */
  <E extends keyof Events>(command: 'on', event: E, call: (detail: Events[E]) => void): void;
  /** Takes the chat off this page, with what this tab remembers: for a sign-out without a page load. */
  (command: 'shutdown'): void;
  /** Calls from before the loader was there. */
  q?: ArrayLike<unknown>[];
}

/** What each event tells. Nothing of a conversation is in them. */
export interface Events {
  ready: undefined;
  open: undefined;
  close: undefined;
  /** How many messages of the other side were not seen yet. */
  unread: number;
  /** A message was sent or received. */
  message: { readonly mine: boolean };
  /** Whether the frame may be there. */
  consent: boolean;
}

declare global {
  interface Window {
    Aldaba?: Aldaba;
  }
}
