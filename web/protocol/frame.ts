// What the loader on a customer's page and the chat's frame say to each other.
//
// The frame says hello to its parent, the loader answers with one end of a
// MessageChannel, and everything else passes through that. Both sides read
// with the functions below: a message that is not exactly one of these is not
// there. Nothing here can carry text of a conversation, HTML, or a secret but
// the signed token of `identity`, which the customer's own server made.
//
// A page pins the loader of one day by its hash, so a frame speaks every
// version that was ever released: `version` goes up when a message is added,
// and the frame sends a loader nothing newer than what it said it knows.

export const version = 1;

/** From the frame to whoever embeds it: the only message to a target that is not known. */
export const hello = 'aldaba:hello';

/** The answer, with the port beside it. */
export const port = 'aldaba:port';

/** From the loader to the frame. */
export type ToFrame =
  /** First on the port. `resumed`: the visitor had a chat in this tab before the page was loaded. */
  | {
      readonly t: 'state';
      readonly open: boolean;
      readonly resumed: boolean;
      readonly locale: string;
      readonly path: string;
    }
  /** The frame is seen; `focus`: the visitor asked for it, so the keyboard goes there too. */
  | { readonly t: 'shown'; readonly focus: boolean }
  | { readonly t: 'hidden' }
  | { readonly t: 'locale'; readonly locale: string }
  /** The site can say who the visitor is, if it is asked. */
  | { readonly t: 'identifies' }
  /** A token that the customer's server signed. */
  | { readonly t: 'identity'; readonly token: string };

/** From the frame to the loader. */
export type ToPage =
  | { readonly t: 'unread'; readonly count: number }
  | { readonly t: 'open' }
  | { readonly t: 'close' }
  | { readonly t: 'accent'; readonly color: string }
  /** A message came or went: that, and nothing of it. */
  | { readonly t: 'message'; readonly mine: boolean }
  /** Asks the site who the visitor is, in a token for this conversation alone. */
  | { readonly t: 'identify'; readonly cnf: string };

type Check = (field: unknown) => boolean;

const flag: Check = (field) => typeof field === 'boolean';
const like =
  (form: RegExp): Check =>
  (field) =>
    typeof field === 'string' && form.test(field);

/** The limits: a locale of 35 characters (RFC 5646 section 4.4.1), a path of 1,024, a token of 8,192. */
const locale = like(/^[A-Za-z\d-]{0,35}$/);

type Shapes<M extends { readonly t: string }> = {
  readonly [T in M['t']]: { readonly [F in Exclude<keyof Extract<M, { t: T }>, 't'>]: Check };
};

const toFrame: Shapes<ToFrame> = {
  state: { open: flag, resumed: flag, locale, path: like(/^\/.{0,1023}$/) },
  shown: { focus: flag },
  hidden: {},
  locale: { locale },
  identifies: {},
  identity: { token: like(/^(?=.{5,8192}$)[\w-]+\.[\w-]+\.[\w-]+$/) },
};

const toPage: Shapes<ToPage> = {
  unread: { count: (field) => Number.isInteger(field) && (field as number) >= 0 && (field as number) < 1e6 },
  open: {},
  close: {},
  accent: { color: like(/^#[\da-f]{6}$/i) },
  message: { mine: flag },
  identify: { cnf: like(/^[\w-]{43}$/) },
};

/** The message when it has exactly the fields of its kind, each of them right. */
function read<M>(shapes: Record<string, Record<string, Check>>, data: unknown): M | undefined {
  if (typeof data !== 'object' || !data) return;
  const message = data as Record<string, unknown>;
  const kind = message.t;
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) return;
  const fields = Object.entries(shapes[kind] ?? {});
  return Object.keys(message).length === fields.length + 1 &&
    fields.every(([field, right]) => Object.hasOwn(message, field) && right(message[field]))
    ? (message as M)
    : undefined;
}

export const readToFrame = (data: unknown): ToFrame | undefined => read(toFrame, data);
export const readToPage = (data: unknown): ToPage | undefined => read(toPage, data);

/** The version of the loader that sent a port, or nothing when the message is none. */
export function readPort(data: unknown): number | undefined {
  if (!Array.isArray(data) || data.length !== 2 || data[0] !== port) return;
  const known: unknown = data[1];
  return typeof known === 'number' && Number.isInteger(known) && known > 0 ? known : undefined;
}
