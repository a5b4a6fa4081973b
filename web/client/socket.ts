// The socket of protocol/SPEC.md section 5: the part of centrifuge's JSON
// protocol that a chat needs. A follower says what it has, so a connection
// that comes back asks for exactly what it lacks.
import type { Link } from './chat.ts';
import { live, type Source } from './live.ts';
import { again } from './pace.ts';
import { passing } from './problem.ts';

/** Who listens to one channel. */
export interface Follower {
  /** Sequence of the last entry that was taken; left out for a channel without memory. */
  after?(): number;
  publication(data: unknown, offset: number): void;
  /** Publications may be missing: fetch. */
  gap(): void;
  /** The server does not allow this channel. */
  refused(code: string): void;
}

export interface Socket {
  readonly link: Source<Link>;
  /** Follows a channel, now and after each reconnect, until the returned function is called. */
  follow(channel: string, follower: Follower): () => void;
  /** Connects anew, for whomever the next ticket speaks. */
  renew(): void;
  stop(): void;
}

/** What a reply or push may hold; a field that is the protocol's default is left out of it. */
interface Reply {
  readonly id?: number;
  readonly error?: { readonly code: number; readonly temporary?: boolean };
  readonly connect?: { readonly ping?: number; readonly pong?: boolean };
  readonly subscribe?: {
    readonly epoch?: string;
    readonly recovered?: boolean;
    readonly publications?: readonly Publication[];
  };
  readonly push?: {
    readonly channel?: string;
    readonly pub?: Publication;
    readonly unsubscribe?: { readonly code: number };
  };
}

interface Publication {
  readonly data?: unknown;
  readonly offset?: number;
}

/** Milliseconds that a server may stay silent beyond the pings that it promised. */
const patience = 10_000;

/**
 * Connects at once. `ticket` gives what opens one connection; when that is
 * refused the socket stops and `refused` hears why.
 */
export function socket(
  base: string,
  ticket: () => Promise<string>,
  refused: (error: unknown) => void,
): Socket {
  const link = live<Link>('connecting');
  const followed = new Map<string, { readonly follower: Follower; epoch: string }>();
  const retry = again();
  let replies = new Map<number, (reply: Reply) => void>();
  let last = 0;
  let line: WebSocket | undefined;
  let up = false;
  let stopped = false;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let allowed = patience;

  function open(): void {
    ticket()
      .then((secret) => stopped || connect(secret))
      .catch((error) => {
        if (stopped) return;
        link.set('offline');
        if (passing(error)) return retry.later(open);
        stop();
        refused(error);
      });
  }

  function connect(secret: string): void {
    const here = new globalThis.WebSocket(`${base.replace(/^http/, 'ws')}/v1/socket`);
    let answersPings = false;
    line = here;
    allowed = patience;
    listen();
    here.onopen = () => {
      if (here !== line) return;
      send({ connect: { token: secret } }, (reply) => {
        if (!reply.connect) return drop(); // the ticket came too late
        const { ping = 0, pong = false } = reply.connect;
        allowed = ping > 0 ? ping * 1000 + patience : 0;
        answersPings = pong;
        up = true;
        retry.reset();
        listen();
        link.set('online');
        for (const channel of followed.keys()) subscribe(channel);
      });
    };
    here.onmessage = ({ data }) => {
      if (here !== line) return;
      listen();
      for (const text of String(data).split('\n')) {
        if (!text) continue;
        let reply: Reply;
        try {
          reply = JSON.parse(text);
        } catch {
          return drop();
        }
        if (reply.id || reply.push) take(reply);
        else if (answersPings) here.send('{}');
      }
    };
    here.onclose = () => {
      if (here === line) drop();
    };
  }

  /** Ends this connection and asks for the next one. */
  function drop(): void {
    const here = line;
    line = undefined;
    here?.close();
    clearTimeout(silence);
    replies = new Map();
    link.set(up ? 'connecting' : 'offline');
    up = false;
    if (!stopped) retry.later(open);
  }

  function listen(): void {
    clearTimeout(silence);
    if (allowed > 0) silence = setTimeout(drop, allowed);
  }

  function send(command: object, answered: (reply: Reply) => void): void {
    replies.set(++last, answered);
    line?.send(JSON.stringify({ id: last, ...command }));
  }

  function subscribe(channel: string): void {
    const entry = followed.get(channel);
    if (!entry || !up) return;
    const { follower } = entry;
    const place = follower.after && { recover: true, offset: follower.after(), epoch: entry.epoch };
    send({ subscribe: { channel, ...place } }, ({ subscribe: got, error }) => {
      if (followed.get(channel) !== entry) return;
      if (!got) return error?.temporary ? drop() : follower.refused(`socket_${error?.code ?? 0}`);
      entry.epoch = got.epoch ?? '';
      if (!place || !got.recovered) return follower.gap();
      for (const publication of got.publications ?? []) pass(follower, publication);
    });
  }

  const pass = (follower: Follower, { data, offset = 0 }: Publication) => follower.publication(data, offset);

  function take({ id = 0, push, ...reply }: Reply): void {
    const answered = replies.get(id);
    replies.delete(id);
    answered?.(reply);
    const entry = followed.get(push?.channel ?? '');
    if (!entry || !push) return;
    if (push.pub) pass(entry.follower, push.pub);
    // From 2500 on the server asks to subscribe again.
    if (push.unsubscribe) {
      if (push.unsubscribe.code >= 2500) subscribe(push.channel ?? '');
      else entry.follower.refused(`socket_${push.unsubscribe.code}`);
    }
  }

  const away = () => {
    if (line) drop();
    link.set('offline');
  };

  function stop(): void {
    stopped = true;
    retry.stop();
    globalThis.removeEventListener?.('offline', away);
    drop();
    link.set('offline');
  }

  globalThis.addEventListener?.('offline', away);
  open();
  return {
    link,
    follow(channel, follower) {
      const entry = { follower, epoch: '' };
      followed.set(channel, entry);
      subscribe(channel);
      return () => {
        if (followed.get(channel) !== entry) return;
        followed.delete(channel);
        if (up) send({ unsubscribe: { channel } }, () => {});
      };
    },
    renew() {
      if (line) drop();
    },
    stop,
  };
}
