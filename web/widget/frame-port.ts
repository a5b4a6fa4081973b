// The frame's side of the door: who is around the chat, and what the two say
// to each other (protocol/frame.ts).
//
// A frame says hello to its parent once and takes one port from it. Who may be
// the parent is the server's word, in frame-ancestors: the browser does not
// show the frame elsewhere. A customer's page that plays the loader itself
// learns no more than the loader: that something is unread.
import { hello, readPort, readToFrame, type ToFrame, type ToPage } from '@aldaba/protocol';

/** What the chat knows of the page around it, and can ask of it. A page of its own has nobody around it. */
export interface Host {
  readonly embedded: boolean;
  /** The path of the customer's page, once it was told. */
  readonly path: string | undefined;
  /** Whether the chat is seen. */
  readonly shown: boolean;
  /** Calls back when the chat is shown or hidden, and when the site asks for a language. */
  listen(call: (message: Extract<ToFrame, { t: 'shown' | 'hidden' | 'locale' }>) => void): () => void;
  /** Puts the chat away: the launcher is there again. */
  close(): void;
  /** How many messages nobody has seen yet. Whoever has a conversation says it, and finds it kept for the next page. */
  unread(count: number): void;
  /** That a message was sent or received. */
  message(mine: boolean): void;
  /** The site's token for this conversation; nothing when it does not say who the visitor is. */
  identity(cnf: string): Promise<string | undefined>;
}

/** The parts of a window that are used; tests pass their own. */
interface Around {
  readonly parent: { postMessage(data: unknown, target: string): void };
  addEventListener(type: 'message', call: (event: MessageEvent) => void): void;
  /** Asked each time: its very name throws where it is blocked. */
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem'>;
}

/** Where the count of this tab stays between two pages of the customer. */
const kept = 'unread';

/** The page around `self`; `wanted` is called once, when the chat itself is needed. */
export function host(self: Around, wanted: () => void): Host {
  const calls = new Set<Parameters<Host['listen']>[0]>();
  const asked: ((token: string | undefined) => void)[] = [];
  const embedded = self.parent !== (self as unknown);
  let port: MessagePort | undefined;
  let path: string | undefined;
  let shown = !embedded;
  let identifies = false;
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    wanted();
  };
  const post = (message: ToPage) => port?.postMessage(message);

  /** What this tab kept of an earlier page: a count, or nothing; `unknown` where storage is blocked. */
  function earlier(): number | 'unknown' | undefined {
    try {
      const count = self.sessionStorage.getItem(kept);
      return count === null ? undefined : Number.parseInt(count, 10) || 0;
    } catch {
      return 'unknown';
    }
  }

  function hear(data: unknown): void {
    const message = readToFrame(data);
    switch (message?.t) {
      case 'state': {
        path = message.path;
        shown = message.open;
        const before = message.resumed ? earlier() : undefined;
        if (typeof before === 'number') post({ t: 'unread', count: before });
        // Somebody who has talked waits for an answer, seen or not.
        if (shown || before !== undefined) begin();
        break;
      }
      case 'identifies':
        identifies = true;
        break;
      case 'identity':
        for (const tell of asked.splice(0)) tell(message.token);
        break;
      case 'shown':
      case 'hidden':
        shown = message.t === 'shown';
        if (shown) begin();
        for (const call of calls) call(message);
        break;
      case 'locale':
        for (const call of calls) call(message);
    }
  }

  if (embedded) {
    self.addEventListener('message', (event) => {
      const [given] = event.ports;
      if (port || event.source !== self.parent || !given || !readPort(event.data)) return;
      port = given;
      port.onmessage = ({ data }) => hear(data);
    });
    self.parent.postMessage(hello, '*');
  } else begin();

  return {
    embedded,
    get path() {
      return path;
    },
    get shown() {
      return shown;
    },
    listen(call) {
      calls.add(call);
      return () => calls.delete(call);
    },
    close: () => post({ t: 'close' }),
    unread(count) {
      try {
        if (embedded) self.sessionStorage.setItem(kept, String(count));
      } catch {
        // Blocked: the next page learns it once the chat is loaded.
      }
      post({ t: 'unread', count });
    },
    message: (mine) => post({ t: 'message', mine }),
    identity(cnf) {
      if (!identifies) return Promise.resolve(undefined);
      return new Promise((tell) => {
        asked.push(tell);
        post({ t: 'identify', cnf });
      });
    },
  };
}
