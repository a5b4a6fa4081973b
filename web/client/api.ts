// The requests of protocol/SPEC.md section 5. Nothing here takes a text: what
// is posted was sealed or signed before.
import type { Place, QueueItem, SiteView } from './chat.ts';
import { Failure } from './problem.ts';
import { readSite } from './site.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** The largest object (a status, section 3), the largest list and the most objects that are taken from a server. */
const objectLimit = 262_144;
const listLimit = 16 * 1_048_576;
const countLimit = 4096;

/** Milliseconds until an unanswered request counts as offline. */
const patience = 15_000;

/** Base64url without padding (RFC 4648, 5). */
export function toText(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** What {@link toText} made, of `length` bytes when it is given. A server's text in another form is a bad answer. */
export function toBytes(text: unknown, length?: number): Bytes {
  if (typeof text === 'string') {
    try {
      const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
        letter.charCodeAt(0),
      );
      if (toText(bytes) === text && bytes.length === (length ?? bytes.length)) return bytes;
    } catch {
      // Not base64 at all: the same bad answer.
    }
  }
  return bad();
}

/** Objects as a list: each after its length in four bytes. */
export function frame(objects: readonly Uint8Array[]): Bytes {
  const list = new Uint8Array(objects.reduce((sum, object) => sum + 4 + object.length, 0));
  let at = 0;
  for (const object of objects) {
    new DataView(list.buffer).setUint32(at, object.length);
    list.set(object, at + 4);
    at += 4 + object.length;
  }
  return list;
}

/** The objects of a list, each in a buffer of its own so that it can be given to a worker. */
export function unframe(list: Bytes): Bytes[] {
  const view = new DataView(list.buffer, list.byteOffset, list.length);
  const objects: Bytes[] = [];
  for (let at = 0; at < list.length; ) {
    if (at + 4 > list.length || objects.length === countLimit) bad();
    const length = view.getUint32(at);
    at += 4;
    if (length === 0 || length > objectLimit || at + length > list.length) bad();
    objects.push(list.slice(at, at + length));
    at += length;
  }
  return objects;
}

/** What the server says about itself; a page takes it for its pin. */
export interface Site {
  readonly org: Bytes;
  readonly dept: Bytes;
  readonly mode: 1 | 2;
  readonly minPolicy: number;
  readonly shown: SiteView;
}

interface Queue {
  readonly conversations: readonly QueueItem[];
  /** Identifiers of the departments, as their channels spell them. */
  readonly departments: readonly string[];
}

const queueStates = ['waiting', 'mine', 'team', 'closed'] as const;

/** Every call rejects with a {@link Failure}, or with what `prove` rejects with. */
export interface Api {
  /** Of a site's short name; of the first one when it is empty. */
  site(name?: string): Promise<Site>;
  trust(): Promise<Bytes[]>;
  /** Resolves when the server knows this browser by a session, which is made when there is none. */
  session(): Promise<void>;
  /** A ticket for one connection of the socket. */
  ticket(): Promise<string>;
  /** The next request proves a key anew, that of whomever `prove` speaks for then. */
  forget(): void;
  /** A visitor's new conversation: genesis, key object, epoch 0, wraps. It is the session from then on. */
  begin(objects: readonly Bytes[]): Promise<void>;
  /** At most 200 entries with a sequence of at least `from`, then what they name. */
  entries(conv: Bytes, from: number): Promise<Bytes[]>;
  /** One entry and what belongs to it; its sequence. */
  post(conv: Bytes, objects: readonly Bytes[]): Promise<number>;
  queue(): Promise<Queue>;
  /** Where a conversation stands in the queue, 1 being the next and 0 one that was taken, and whether somebody is there. */
  place(conv: Bytes): Promise<Place>;
  /** Says that this seat is writing; the server keeps nothing of it. */
  typing(conv: Bytes): Promise<void>;
  /** Asks for a certificate; the identifier to ask again with. */
  enrol(request: Bytes, mac: Bytes): Promise<Bytes>;
  /** The certificate, or undefined while nobody has signed. */
  enrolment(id: Bytes): Promise<Bytes | undefined>;
  keyObject(object: Bytes): Promise<void>;
  /** Certificate and wrap of each department's keys for this device. */
  departmentKeys(): Promise<[Bytes, Bytes][]>;
}

/**
 * `prove` makes a session proof over a challenge of 32 bytes, `speaker` names
 * the visitor's conversation for whom it speaks, or nothing for the device.
 * `base` is an origin, without a slash behind: the page's own, whose cookie is
 * the session. `cure` is asked after a refusal by a rule whether it is worth
 * another try with the session of then.
 */
export function api(
  base: string,
  prove: (challenge: Bytes) => Promise<Bytes>,
  cure: (rule: string) => Promise<boolean> = async () => false,
  speaker: () => Bytes | undefined = () => undefined,
): Api {
  /** Counts the proofs of this page; 0 while the server may not know it. */
  let proven = 0;
  let proofs = 0;
  let renewing: Promise<void> | undefined;

  async function ask(method: string, path: string, body?: Bytes): Promise<Bytes> {
    let reply: Response;
    let answer: Bytes;
    try {
      reply = await globalThis.fetch(`${base}/v1/${path}`, {
        method,
        body: body ?? null,
        headers: { ...(body && { 'Content-Type': 'application/octet-stream' }) },
        cache: 'no-store',
        credentials: 'same-origin',
        redirect: 'error',
        signal: AbortSignal.timeout(patience),
      });
      answer = await read(reply);
    } catch (cause) {
      throw cause instanceof Failure ? cause : new Failure(0, 'offline');
    }
    if (!reply.ok) throw refusal(reply.status, answer);
    return answer;
  }

  const prooflist = async (objects: readonly Bytes[]) => {
    const challenge = await ask('POST', 'challenges');
    if (challenge.length !== 32) bad();
    return frame([await prove(challenge), ...objects]);
  };

  const renew = () => {
    renewing ??= (async () => {
      json(await ask('POST', 'sessions', await prooflist([])));
      proven = ++proofs;
    })().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  /** Does it again when the refusal has been cured. */
  async function cured<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Failure && (await cure(error.rule)))) throw error;
      return act();
    }
  }

  /** With the session. One that has ended is renewed once. */
  const own = (method: string, path: string, objects?: readonly Bytes[]) =>
    cured(() => withSession(method, path, objects && frame(objects)));

  async function withSession(method: string, path: string, body?: Bytes): Promise<Bytes> {
    if (!proven) await renew();
    const used = proven;
    try {
      return await ask(method, path, body);
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 401) throw error;
      // Another request may have renewed it in the meantime.
      if (proven === used || !proven) await renew();
      return ask(method, path, body);
    }
  }

  return {
    async site(name = '') {
      const told = json(await ask('GET', name ? `site?site=${encodeURIComponent(name)}` : 'site'));
      const { org, dept, mode, minPolicy } = told;
      if (mode !== 1 && mode !== 2) return bad();
      return {
        org: toBytes(org, 32),
        dept: toBytes(dept, 16),
        mode,
        minPolicy: count(minPolicy),
        shown: readSite(told),
      };
    },
    trust: async () => unframe(await ask('GET', 'trust')),
    session: () => cured(async () => (proven ? undefined : renew())),
    async ticket() {
      const conv = speaker();
      return string(json(await own('POST', conv ? `tickets?conv=${toText(conv)}` : 'tickets', [])).ticket);
    },
    forget() {
      proven = 0;
    },
    async begin(objects) {
      json(await ask('POST', 'conversations', await prooflist(objects)));
      proven = ++proofs;
    },
    entries: async (conv, from) =>
      unframe(
        await own('GET', `conversations/${toText(conv)}/entries${from > 0 ? `?after=${from - 1}` : ''}`),
      ),
    post: async (conv, objects) =>
      count(json(await own('POST', `conversations/${toText(conv)}/entries`, objects)).seq),
    async queue() {
      const { conversations, departments } = json(await own('GET', 'queue'));
      return {
        conversations: array(conversations).map((one) => {
          const { conv, dept, state, at, since, seq, agents } = object(one);
          const known = queueStates.find((name) => name === state) ?? bad();
          return {
            conv: toText(toBytes(conv, 32)),
            state: known,
            at: count(at),
            seq: count(seq),
            agents: array(agents ?? []).map(string),
            ...(dept !== undefined && { dept: toText(toBytes(dept, 16)) }),
            ...(since !== undefined && { since: count(since) }),
          };
        }),
        departments: array(departments).map((dept) => toText(toBytes(dept, 16))),
      };
    },
    async place(conv) {
      const { place, open } = json(await own('GET', `conversations/${toText(conv)}/place`));
      return { place: count(place), open: open !== false };
    },
    async typing(conv) {
      await own('POST', `conversations/${toText(conv)}/typing`);
    },
    enrol: async (request, mac) =>
      toBytes(json(await ask('POST', 'enrolments', frame([request, mac]))).id, 32),
    enrolment: async (id) => unframe(await ask('GET', `enrolments/${toText(id)}`))[0],
    async keyObject(object) {
      await own('POST', 'keyobjects', [object]);
    },
    async departmentKeys() {
      const list = unframe(await own('GET', 'department-keys'));
      return Array.from({ length: Math.ceil(list.length / 2) }, (_, at) => [
        list[2 * at] ?? bad(),
        list[2 * at + 1] ?? bad(),
      ]);
    },
  };
}

/** The whole body, never more than the limit. */
async function read(reply: Response): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = reply.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    size += part.value.length;
    if (size > listLimit) {
      await reader?.cancel();
      bad();
    }
    parts.push(part.value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Problem details (RFC 9457): only `code` and `rule` are taken, and only when they look like it. */
function refusal(status: number, answer: Bytes): Failure {
  let told: Record<string, unknown> = {};
  try {
    told = json(answer);
  } catch {
    // A gateway in between answered with a page of its own.
  }
  const matching = (value: unknown, form: RegExp) =>
    typeof value === 'string' && form.test(value) ? value : undefined;
  const code = matching(told.code, /^[a-z][a-z0-9_]{0,39}$/) ?? `http_${status}`;
  return new Failure(status, code, matching(told.rule, /^[A-Z]\d{1,2}$/));
}

/** An answer with success that is not the documented one: no use in asking again. */
function bad(): never {
  throw new Failure(200, 'bad_answer');
}

function json(answer: Bytes): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(answer));
  } catch {
    bad();
  }
  return object(value);
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value ? { ...value } : bad();
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : bad());
const string = (value: unknown): string => (typeof value === 'string' && value ? value : bad());
const count = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : bad();
