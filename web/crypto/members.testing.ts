// Runs the cases over whole objects (protocol/vectors/README.md), in Node and in
// a browser, so without a test framework: what differs is an error.
import { type Bytes, hex, sha256 } from './bytes.ts';
import {
  type Field,
  type Identity,
  type Opened,
  openDepartment,
  openEpoch,
  openGrant,
  type Payload,
  type Readable,
  readEvent,
  signingKey,
} from './member.ts';
import { type Draft, encode, type Kind, type Obj, parse, read } from './objects.ts';
import { must, Refusal } from './refusal.ts';
import { createTranscript, type Highest, type Taken } from './transcript.ts';
import { checkEnrolment, createTrust, readInvitation, type Trust } from './trust.ts';
import { kemKeyPair } from './xwing.ts';

interface Keys {
  readonly owner: string;
  readonly sign_seed: string;
  readonly kem: readonly { readonly key_object: string; readonly seed: string }[];
}
/** One case; protocol/vectors/README.md says what its members mean. */
export interface Case {
  readonly name: string;
  readonly step: string;
  readonly rule: string;
  readonly code: string;
  readonly now: number;
  readonly live: boolean;
  readonly org: string;
  readonly min_policy?: number;
  readonly prime_order?: boolean;
  readonly trust?: readonly number[];
  readonly expect?: {
    readonly conv?: string;
    readonly dept?: string;
    readonly min_mode?: number;
    readonly genesis?: string | number;
    readonly kept?: {
      readonly seq: number;
      readonly log: string;
      readonly n: number;
      readonly epoch: string;
    };
  };
  readonly log?: readonly number[];
  readonly input?: number;
  readonly then?: number;
  readonly wraps?: readonly number[];
  readonly member?: Keys;
  readonly departments?: readonly Keys[];
  readonly kind?: number;
  readonly certificate?: number;
  readonly key_object?: number;
  readonly at?: number;
  readonly mac?: string;
  readonly invitation?: string;
  readonly payload_type?: number;
  readonly text?: string;
  readonly marks?: readonly number[];
  readonly fields?: readonly Field[];
  readonly hash?: string;
  readonly log_after?: string;
}

const bytes = (text: string): Bytes =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A file of cases. */
export interface Vectors {
  readonly objects: readonly string[];
  readonly cases: readonly Case[];
}

function same(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted) throw new Error(`${what} is ${String(got)}, not ${String(wanted)}`);
}

/** What runs the cases of a file. */
export function runner(vectors: Vectors) {
  const object = (at: number | undefined): Bytes =>
    bytes(at === undefined ? '' : (vectors.objects[at] ?? ''));
  const objects = (all: readonly number[] = []) => all.map((at) => object(at));

  async function trustOf(one: Case): Promise<Trust> {
    const trust = createTrust(bytes(one.org), one.min_policy ?? 0, () => one.now, { version: 0, issued: 0 });
    await trust.add(objects(one.trust), true);
    return trust;
  }

  /** Refuses what the reader did not ask for: a case must not pass by an accident of the test. */
  function there<T>(value: T | undefined, what: string): T {
    if (value === undefined) throw new Error(`the case has no ${what}`);
    return value;
  }

  /** The transcript after `log`; the first entry names the conversation unless the reader expects another. */
  async function logOf(one: Case, input?: Bytes, seen?: Highest) {
    const trust = await trustOf(one);
    const { conv, dept, min_mode, genesis, kept } = one.expect ?? {};
    const log = objects(one.log);
    const first = there(log[0] ?? input, 'genesis');
    const highest: Highest | undefined = kept && {
      n: kept.n,
      epoch: bytes(kept.epoch),
      seq: kept.seq,
      log: bytes(kept.log),
      seenAt: 0,
    };
    const transcript = createTranscript({
      trust,
      conv: conv ? bytes(conv) : await sha256(first),
      org: bytes(one.org),
      dept: dept ? bytes(dept) : undefined,
      minMode: min_mode ?? 1,
      now: () => one.now,
      own: genesis === undefined ? undefined : typeof genesis === 'number' ? object(genesis) : bytes(genesis),
      highest: seen ?? highest,
    });
    const taken: Taken[] = [];
    for (const entry of log) taken.push(await transcript.take(entry, false));
    return { trust, transcript, taken };
  }

  async function identitiesOf(one: Case): Promise<readonly Identity[]> {
    const all = [there(one.member, 'member'), ...(one.departments ?? [])];
    const lists = await Promise.all(
      all.map(async ({ owner, sign_seed, kem }) => {
        const sig = await signingKey(bytes(sign_seed));
        return Promise.all(
          kem.map(async ({ key_object, seed }) => ({
            cert: bytes(owner),
            key: bytes(key_object),
            sig,
            kem: await kemKeyPair(bytes(seed)),
          })),
        );
      }),
    );
    return lists.flat();
  }

  async function wrapsOf(one: Case): Promise<readonly Obj<14>[]> {
    const all = await Promise.allSettled(objects(one.wraps).map((each) => read(each, 14)));
    return all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  }

  const steps: Readonly<Record<string, (one: Case) => Promise<void>>> = {
    async parse({ kind, input }) {
      const given = object(input);
      const parsed = parse(given, kind as Kind);
      same(hex(encode(kind as Kind, parsed as Draft<Kind>)), hex(given), 'the encoding');
    },

    async trust(one) {
      const trust = await trustOf(one);
      await trust.add([object(one.input)]);
    },

    async live(one) {
      const trust = await trustOf(one);
      trust.mustBeLive();
    },

    async judge(one) {
      const trust = await trustOf(one);
      const given = await read(object(one.certificate), 8);
      // One that was not taken is judged by why it was not, one that was never given is not known.
      if (one.trust?.includes(one.certificate ?? -1)) await trust.add([given.bytes]);
      must(trust.certs.has(hex(given.hash)), 'K10 bad_cert');
      const policy = there(trust.policy(), 'policy');
      if (one.live) trust.mustBeLive();
      trust.mustHold(given, { policy, at: there(one.at, 'time'), dept: given.dept });
    },

    async judge_key(one) {
      const trust = await trustOf(one);
      const key = await read(object(one.input), 5);
      const card = await read(object(one.certificate), 8);
      if (one.trust?.includes(one.input ?? -1)) await trust.add([key.bytes]);
      must(trust.keys.has(hex(key.hash)), 'K16 bad_keyobj');
      await trust.mustHoldKey(key, card.hash, card.pk, there(one.at, 'time'), card);
    },

    async enrolment(one) {
      const inv = await readInvitation(one.invitation ?? '');
      await checkEnrolment(object(one.input), bytes(one.mac ?? ''), inv, bytes(one.org), one.now, false);
    },

    async department(one) {
      const card = await read(object(one.certificate), 8);
      const box = await read(object(one.key_object), 5);
      const [mine] = await identitiesOf(one);
      const { key, kem } = there(mine, 'key');
      await openDepartment(parse(object(one.input), 14), card, [box], key, kem);
    },

    async genesis(one) {
      const { transcript } = await logOf(one, object(one.input));
      await transcript.take(object(one.input), one.live);
    },

    async entry(one) {
      const { transcript } = await logOf(one);
      const input = object(one.input);
      if (one.rule) {
        const before = [transcript.seq(), hex(transcript.log()), transcript.last(), transcript.closed()];
        try {
          await transcript.take(input, one.live);
        } catch (error) {
          const after = [transcript.seq(), hex(transcript.log()), transcript.last(), transcript.closed()];
          for (const [at, was] of before.entries()) same(after[at], was, 'the transcript after a refusal');
          if (one.then !== undefined) await transcript.take(object(one.then), one.live);
          throw error;
        }
      } else {
        await transcript.take(input, one.live);
        same(hex(await sha256(input)), one.hash, 'the hash');
        same(hex(transcript.log()), one.log_after, 'the log');
      }
    },

    async complete(one) {
      const { transcript } = await logOf(one);
      transcript.mustBeWhole();
    },

    async open(one) {
      const { transcript } = await logOf(one);
      const taken = await transcript.take(object(one.input), one.live);
      if (taken.kind !== 2) throw new Error('this is no epoch');
      const opened = await openEpoch(taken.epoch, await identitiesOf(one), await wrapsOf(one));
      if (opened.state === 'locked') throw opened.why;
    },

    async read(one) {
      const { transcript, taken } = await logOf(one);
      const [identities, wraps] = [await identitiesOf(one), await wrapsOf(one)];
      const opened = new Map<number, Readable>();
      const shown = new Set<string>();
      for (const entry of taken) {
        if (entry.kind === 2) keep(opened, await openEpoch(entry.epoch, identities, wraps));
        if (entry.kind === 3)
          await readEvent(entry.event, opened.get(entry.event.object.n), shown).catch(() => {});
      }
      const last = await transcript.take(object(one.input), one.live);
      if (last.kind !== 3) throw new Error('this is no event');
      told(one, await readEvent(last.event, opened.get(last.event.object.n), shown));
    },

    async grant(one) {
      const { transcript, taken } = await logOf(one);
      const [identities, wraps] = [await identitiesOf(one), await wrapsOf(one)];
      const own = new Map<number, Readable>();
      for (const entry of taken)
        if (entry.kind === 2) keep(own, await openEpoch(entry.epoch, identities, wraps));
      const last = await transcript.take(object(one.input), one.live);
      if (last.kind !== 4) throw new Error('this is no grant');
      const given = new Map<number, Readable>();
      try {
        for (const each of await openGrant(last.grant, identities)) given.set(each.epoch.object.n, each);
      } catch (error) {
        // One for somebody else is no failure: it gives nothing.
        if (!(error instanceof Refusal) || error.rule !== 'W1') throw error;
      }
      const again = taken.flatMap((entry) => (entry.kind === 3 ? [entry.event] : []));
      const first = again.find(({ object: { n } }) => given.has(n) && !own.has(n));
      same(first !== undefined, one.payload_type !== undefined, 'whether something opens');
      if (first) told(one, await readEvent(first, given.get(first.object.n), new Set()));
    },
  };

  const keep = (to: Map<number, Readable>, opened: Opened) => {
    if (opened.state === 'open') to.set(opened.epoch.object.n, opened);
  };

  function told(one: Case, payload: Payload): void {
    if (one.payload_type !== undefined) same(payload.type, one.payload_type, 'the payload');
    if (one.text !== undefined) same(payload.type === 1 && payload.text, one.text, 'the text');
    if (one.marks)
      same(payload.type === 4 && `${payload.delivered},${payload.read}`, `${one.marks}`, 'marks');
    if (one.fields)
      same(payload.type === 5 && JSON.stringify(payload.fields), JSON.stringify(one.fields), 'the form');
  }

  return {
    /** Steps and readers that only a server is: a browser has neither. */
    ours: (one: Case) => one.step !== 'wraps' && one.prime_order !== true,
    known: (one: Case) => Object.hasOwn(steps, one.step),
    object,
    logOf,
    identitiesOf,
    wrapsOf,
    /** Throws unless the case ends as it says. */
    async run(one: Case): Promise<void> {
      let refusal: Refusal | undefined;
      try {
        await steps[one.step]?.(one);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusal = error;
      }
      same(`${refusal?.rule ?? ''} ${refusal?.code ?? ''}`, `${one.rule} ${one.code}`, 'the refusal');
    },
  };
}
