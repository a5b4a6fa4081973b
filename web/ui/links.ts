// Addresses in what people write: only those of the web, and each with the
// host that the browser would really ask.

/** A piece of a text. A link's host is in ASCII, so that letters which imitate others show as xn--…. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'link';
      readonly href: string;
      readonly host: string;
      /** What follows the host, short enough to read. */
      readonly rest: string;
      /** Whether the host has letters beyond ASCII, which can imitate another. */
      readonly foreign: boolean;
    };

/** Characters of what follows the host that are shown. */
const shown = 24;

const candidate = /\bhttps?:\/\/[^\s<>"'`]+/giu;
/** What ends a sentence rather than an address. */
const tail = /[.,;:!?…»”’\])}]+$/u;

/** A bracket that the address itself opened belongs to it. */
function withoutTail(found: string): string {
  const cut = found.replace(tail, '');
  const opened = cut.split('(').length - cut.split(')').length;
  return opened > 0 && found[cut.length] === ')' ? `${cut})` : cut;
}

function link(text: string): Piece {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { kind: 'text', text };
  }
  // A name before an @ is there to be taken for the host: it stays a text.
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) return { kind: 'text', text };
  const { href, host } = url;
  const after = href.slice(href.indexOf(host) + host.length).replace(/^\/$/, '');
  const rest = after.length > shown ? `${after.slice(0, shown)}…` : after;
  return { kind: 'link', href, host, rest, foreign: /(^|\.)xn--/.test(host) };
}

/** A text as it is, with its addresses apart. */
export function pieces(text: string): readonly Piece[] {
  const made: Piece[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(candidate)) {
    const address = withoutTail(found);
    if (index > at) made.push({ kind: 'text', text: text.slice(at, index) });
    made.push(link(address));
    at = index + address.length;
  }
  if (at < text.length) made.push({ kind: 'text', text: text.slice(at) });
  return made;
}
