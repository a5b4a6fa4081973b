// What a member does with its keys: opens its own wraps (W1 to W6) and events
// (V8 to V12), seals events and writes epochs.
import { openBody, pad, sealBody } from './body.ts';
import { ascii, type Bytes, concat, equal, hex, random, sha256, uint } from './bytes.ts';
import { sign, verify } from './ed25519.ts';
import { open, wrap } from './hpke.ts';
import { commit, importEpochSecret, messageId, messageKeys } from './kdf.ts';
import {
  type Draft,
  encode,
  encodeForm,
  eventHeader,
  grantHead,
  headerWithoutId,
  type Obj,
  type Parsed,
  parseForm,
  signed,
  utf8,
} from './objects.ts';
import { must, Refusal, under } from './refusal.ts';
import type { Epoch, Event, Grant, Seat } from './transcript.ts';
import { type Certificate, type KeyObject, type Policy, roles } from './trust.ts';
import { type KemKeyPair, kemKeyPair } from './xwing.ts';

/** A key of mine: the certificate and the key object by their hashes, and what signs and opens for them. */
export interface Identity {
  readonly cert: Bytes;
  readonly key: Bytes;
  readonly sig: CryptoKey;
  readonly kem: KemKeyPair;
}

/** [L5] Only a successful opening makes the first of the two; what seals and writes takes nothing else. */
export type Opened =
  | {
      readonly state: 'open';
      readonly epoch: Epoch;
      readonly seat: Seat;
      readonly mine: Identity;
      readonly secret: CryptoKey;
    }
  | { readonly state: 'locked'; readonly why: Refusal };
export type Open = Extract<Opened, { state: 'open' }>;

function wrapInfo(coreHash: Uint8Array, leaf: number): Bytes {
  return concat(ascii('asc1 wrap'), coreHash, uint(leaf, 2));
}

/** An epoch's secret in the clear, by the wrap for a seat of mine. */
async function unwrap(
  epoch: Epoch,
  seat: Seat,
  identities: readonly Identity[],
  wraps: readonly Obj<14>[],
): Promise<{ readonly es: Bytes; readonly mine: Identity }> {
  const mine = identities.find(({ cert, key }) => equal(cert, seat.cert) && equal(key, seat.key));
  must(mine, 'W1 not_member');
  const wanted = epoch.object.wraps[epoch.seats.indexOf(seat)] ?? mine.key;
  const found = wraps.find(({ hash }) => equal(hash, wanted));
  const others = wraps.some(({ leaf, to }) => leaf === seat.leaf && equal(to, mine.key));
  must(found || others, 'W2 wrap_missing');
  const fits = found && found.type === 1 && found.leaf === seat.leaf && equal(found.to, mine.key);
  must(fits, 'W3 wrap_hash');
  const es = await open(found.enc, found.ct, 32, mine.kem, wrapInfo(epoch.coreHash, seat.leaf));
  return { es, mine };
}

/** The secret of an epoch that commits to it, out of reach; its bytes are erased. */
async function committed(epoch: Epoch, es: Bytes, rule: string): Promise<CryptoKey> {
  const secret = await importEpochSecret(es);
  es.fill(0);
  const right = equal(await commit(secret, epoch.coreHash), epoch.object.commit);
  must(right, rule);
  return secret;
}

async function openSeat(
  epoch: Epoch,
  seat: Seat,
  identities: readonly Identity[],
  wraps: readonly Obj<14>[],
): Promise<Open> {
  const { es, mine } = await unwrap(epoch, seat, identities, wraps);
  return { state: 'open', epoch, seat, mine, secret: await committed(epoch, es, 'W5 key_commit') };
}

const rank = ({ role }: Seat) => (role === roles.department ? 1 : 0);

/** [W1 to W6] The epoch's secret by a wrap of mine, by a device's before a department's; or why there is none. */
export async function openEpoch(
  epoch: Epoch,
  identities: readonly Identity[],
  wraps: readonly Obj<14>[],
): Promise<Opened> {
  let why = new Refusal('W1', 'not_member', 'this device is no member');
  const mine = epoch.seats.filter(({ cert }) => identities.some((each) => equal(each.cert, cert)));
  for (const seat of mine.sort((a, b) => rank(a) - rank(b))) {
    try {
      return await openSeat(epoch, seat, identities, wraps);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      why = error;
      // Only a place that is not mine is passed over: a wrap that fails locks the epoch.
      if (why.rule !== 'W1') break;
    }
  }
  return { state: 'locked', why };
}

/** One line of a form; the kind is 1 text, 2 mail, 3 telephone, 4 choice, 5 page address, 6 language. */
export interface Field {
  readonly name: string;
  readonly kind: number;
  readonly value: string;
}

/** An epoch that can be read: it was opened, or its secret was granted. */
export type Readable = Pick<Open, 'epoch' | 'secret'>;

/** What an event says. `cid` is its message's, whatever epoch it is sealed in. */
export type Payload = { readonly cid: Bytes } & (
  | { readonly type: 1; readonly text: string }
  | { readonly type: 2; readonly reason: number }
  | { readonly type: 3; readonly n: number; readonly epoch: Bytes }
  | { readonly type: 4; readonly delivered: number; readonly read: number }
  | { readonly type: 5; readonly fields: readonly Field[] }
);

/** The class of each payload type, and a bit for each role that may say it. */
const classOf: Readonly<Record<number, readonly [eventClass: number, roles: number]>> = {
  1: [1, 0x1fe],
  2: [3, 0x1fe],
  3: [4, 0x1fe],
  4: [2, 0xe],
  5: [1, 0x2],
};
const textLimit = 8192;

/** [V11] The fields of a form. */
async function readForm(content: Bytes): Promise<readonly Field[]> {
  const rule = 'V11 bad_payload';
  const parsed = await under(rule, (async () => parseForm(content))());
  const fields = parsed.map(({ name, kind, value }) => {
    const text = utf8(value);
    must(name && text !== undefined, rule);
    return { name, kind, value: text };
  });
  const one = new Set(fields.map(({ name }) => name)).size === fields.length;
  must(one && fields.length >= 1 && fields.length <= 16, rule);
  return fields;
}

/** What surrounds a payload. */
interface Around {
  readonly class: number;
  readonly role: number;
  readonly seenSeq: number;
}

/** [V11] The payload of an event's content. */
async function readPayload(content: Bytes, around: Around): Promise<Payload> {
  const rule = 'V11 bad_payload';
  const type = content[0] ?? 0;
  const [eventClass, may = 0] = classOf[type] ?? [];
  must(content.length >= 17 && eventClass === around.class && (may >> around.role) & 1, rule);
  const cid = content.slice(1, 17);
  const rest = content.subarray(17);
  const view = new DataView(rest.buffer, rest.byteOffset, rest.length);
  if (type === 1) {
    const text = rest.length > 0 && rest.length <= textLimit ? utf8(rest) : undefined;
    must(text !== undefined, rule, `a text has 1 to ${textLimit} bytes of UTF-8 in form C`);
    return { type, cid, text };
  }
  const [reason = 0] = rest;
  if (type === 2) {
    must(rest.length === 1 && reason >= 1 && reason <= 3, rule);
    return { type, cid, reason };
  }
  if (type === 4) {
    must(rest.length === 16, rule);
    const [delivered, read] = [view.getBigUint64(0), view.getBigUint64(8)];
    must(read <= delivered && delivered <= BigInt(around.seenSeq), rule);
    return { type, cid, delivered: Number(delivered), read: Number(read) };
  }
  if (type === 5) return { type, cid, fields: await readForm(rest) };
  must(rest.length === 36, rule);
  return { type: 3, cid, n: view.getUint32(0), epoch: rest.subarray(4) };
}

/** [W6, V8 to V11] What an event of an epoch that opened says. */
export async function openEvent({ object, from }: Event, { epoch, secret }: Readable): Promise<Payload> {
  const { hash, conv } = epoch.object;
  const h = eventHeader(object.bytes);
  const keys = await messageKeys(secret, hash, h);
  const { class: eventClass, seenSeq, ct, C } = object;
  const content = await openBody(keys, concat(conv, hash, h), ct, C);
  return readPayload(content, { class: eventClass, role: from.role, seenSeq });
}

/** [W6, V8 to V12] What an event says, once for each message: `shown` holds those that were. */
export async function readEvent(
  event: Event,
  opened: Readable | undefined,
  shown: Set<string>,
): Promise<Payload> {
  must(opened, 'W6 locked');
  const payload = await openEvent(event, opened);
  const name = `${event.from.card ? hex(event.from.card.subject) : ''} ${hex(payload.cid)}`;
  must(!shown.has(name), 'V12 duplicate_cid');
  shown.add(name);
  return payload;
}

/** The content of a text, 1 to 8192 bytes, in form C. */
export function textContent(text: string): Bytes {
  const content = new TextEncoder().encode(text.normalize()) as Bytes;
  const fits = content.length > 0 && content.length <= textLimit;
  must(fits, 'V11 bad_payload', `a message has 1 to ${textLimit} bytes`);
  return content;
}

/** The content of marks: up to which entry the log was received, and read. */
export function marksContent(delivered: number, read: number): Bytes {
  return concat(uint(delivered, 8), uint(read, 8));
}

/** The content of a form, with its texts in form C. */
export function formContent(fields: readonly Field[]): Bytes {
  const utf = (text: string) => new TextEncoder().encode(text.normalize()) as Bytes;
  const all = fields.map(({ name, kind, value }) => ({ name: name.normalize(), kind, value: utf(value) }));
  // What its length could not say would be read as something else.
  const short = all.every(({ name, value }) => utf(name).length <= 64 && value.length <= 1024);
  must(short && all.length <= 16, 'V11 bad_payload', 'a form has 16 fields, a name 64 bytes, a value 1024');
  return encodeForm(all);
}

/** Where an author stands in the log. */
interface View {
  readonly seq: number;
  readonly log: Bytes;
  readonly now: number;
}

/** A complete event with fresh randomness. */
export async function sealEvent(
  { epoch, seat, mine, secret }: Open,
  org: Bytes,
  { seq, log, now }: View,
  type: Payload['type'],
  cid: Bytes,
  content: Bytes,
): Promise<Bytes> {
  const { n, hash, conv } = epoch.object;
  const payload = concat(uint(type, 1), cid, content);
  const [eventClass = 0] = classOf[type] ?? [];
  await readPayload(payload, { class: eventClass, role: seat.role, seenSeq: seq });
  const padded = pad(payload);
  const draft = {
    n,
    leaf: seat.leaf,
    class: eventClass,
    msgId: new Uint8Array(16),
    seenSeq: seq,
    seenLog: log,
    time: now - (now % 1000),
    ct: new Uint8Array(),
    C: new Uint8Array(),
  };
  const h0 = headerWithoutId(encode(3, draft));
  draft.msgId = await messageId(secret, random(32), h0, padded);
  const h = eventHeader(encode(3, draft));
  const aad = concat(conv, hash, h);
  const body = await sealBody(await messageKeys(secret, hash, h), aad, padded);
  padded.fill(0);
  return signed(3, { ...draft, ...body }, mine.sig, org, concat(conv, hash));
}

const grantInfo = async (grant: Uint8Array) => concat(ascii('asc1 grant'), await sha256(grantHead(grant)));

/** [R7, R9] The epochs of a grant to me, each with its secret: all, or none. */
export async function openGrant(
  { object, to, epochs }: Grant,
  identities: readonly Identity[],
): Promise<readonly Readable[]> {
  const mine = identities.find(({ cert, key }) => equal(cert, to.cert) && equal(key, to.key));
  must(mine, 'W1 not_member');
  const size = 32 * epochs.length;
  const opening = open(object.enc, object.ct, size, mine.kem, await grantInfo(object.bytes));
  const all = await under('R7 grant_open', opening);
  try {
    const readable: Readable[] = [];
    for (const [at, epoch] of epochs.entries()) {
      const es = all.slice(32 * at, 32 * at + 32);
      readable.push({ epoch, secret: await committed(epoch, es, 'R9 grant_commit') });
    }
    return readable;
  } finally {
    all.fill(0);
  }
}

/** A grant of epochs that my seats in them open, to a member of the last one, whose key object is `box`. */
export async function writeGrant(
  { epoch: last, seat, mine }: Open,
  org: Bytes,
  { seq, log, now }: View,
  to: { readonly leaf: number; readonly box: KeyObject },
  epochs: readonly Epoch[],
  identities: readonly Identity[],
  wraps: readonly Obj<14>[],
): Promise<Bytes> {
  const secrets = await Promise.all(
    epochs.map(async (epoch) => {
      const then = epoch.seats.find(({ cert }) => equal(cert, seat.cert));
      must(then, 'R3 grant_right');
      return (await unwrap(epoch, then, identities, wraps)).es;
    }),
  );
  const [first, end] = [epochs[0], epochs.at(-1)];
  must(first && end, 'R3 grant_right');
  const draft = {
    conv: last.object.conv,
    epoch: last.object.hash,
    fromN: first.object.n,
    toN: end.object.n,
    toLeaf: to.leaf,
    author: seat.leaf,
    seenSeq: seq,
    seenLog: log,
    time: now,
    enc: new Uint8Array(1120),
    ct: new Uint8Array(48),
  };
  const all = concat(...secrets);
  const sealed = await wrap(all, to.box.kem, await grantInfo(encode(4, draft)));
  for (const each of [all, ...secrets]) each.fill(0);
  return signed(4, { ...draft, ...sealed }, mine.sig, org);
}

/** A member of an epoch that is being written. */
export interface Place {
  readonly leaf: number;
  readonly role: number;
  readonly cert: Bytes;
  readonly box: KeyObject;
}

export interface Plan {
  readonly conv: Bytes;
  /** The open epoch before; nothing for the first. */
  readonly before?: Epoch;
  readonly author: number;
  readonly sig: CryptoKey;
  readonly reason: number;
  readonly accept: number;
  readonly countersig?: CryptoKey | undefined;
  readonly policy: Policy;
  readonly places: readonly Place[];
  readonly view: View;
}

/** An epoch with a fresh secret, and its wraps in the order of its members. */
export async function writeEpoch(
  plan: Plan,
): Promise<{ readonly epoch: Bytes; readonly wraps: readonly Bytes[] }> {
  const { conv, before, policy, places, view, sig, countersig } = plan;
  const { org } = policy;
  const es = random(32);
  const head = {
    conv,
    n: before ? before.object.n + 1 : 0,
    prev: before?.object.hash ?? conv,
    seenSeq: view.seq,
    seenLog: view.log,
    time: view.now,
    author: plan.author,
    accept: plan.accept,
    reason: plan.reason,
    version: policy.version,
    policy: policy.hash,
    notes: before?.object.notes ?? new Uint8Array(32),
    logRoot: new Uint8Array(32),
    members: places.map(({ leaf, role, cert, box }) => ({ leaf, role, cert, key: box.hash })),
  };
  const coreHash = await sha256(encode(2, head as unknown as Draft<2>));
  const wraps = await Promise.all(
    places.map(async ({ leaf, box }) => {
      const sealed = await wrap(es, box.kem, wrapInfo(coreHash, leaf));
      return encode(14, { type: 1, leaf, to: box.hash, ...sealed });
    }),
  );
  const secret = await importEpochSecret(es);
  es.fill(0);
  const hashes = await Promise.all(wraps.map((each) => sha256(each)));
  const draft = { ...head, commit: await commit(secret, coreHash), wraps: hashes };
  const epoch = await signed(2, draft, sig, org);
  if (!countersig) return { epoch, wraps };
  return { epoch: concat(epoch, await sign(countersig, 2, org, new Uint8Array(), epoch)), wraps };
}

/** PKCS #8 before the 32 bytes of an Ed25519 private key (RFC 8410). */
const pkcs8 = Uint8Array.from([0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32]);

/** The signing key of a seed of 32 bytes, not extractable. */
export async function signingKey(seed: Uint8Array): Promise<CryptoKey> {
  const encoded = concat(pkcs8, seed);
  const key = await crypto.subtle.importKey('pkcs8', encoded, 'Ed25519', false, ['sign']);
  encoded.fill(0);
  return key;
}

/** A new signing key, not extractable, with its public key. */
export async function newSigningKey(): Promise<{ readonly sig: CryptoKey; readonly pk: Bytes }> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  return { sig: pair.privateKey, pk: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}

/** [W3, W4, K14, K15] A department's keys by a wrap of type 2 for the key object `to`, whose private key is `kem`. */
export async function openDepartment(
  wrapped: Parsed<14>,
  card: Certificate,
  boxes: readonly KeyObject[],
  to: Bytes,
  kem: KemKeyPair,
): Promise<readonly Identity[]> {
  must(card.kind === roles.department, 'K14 bad_dept_key');
  must(wrapped.type === 2 && wrapped.leaf === 0 && equal(wrapped.to, to), 'W3 wrap_hash');
  const seeds = await open(wrapped.enc, wrapped.ct, 64, kem, concat(ascii('asc1 dept'), card.hash, to));
  const sig = await signingKey(seeds.subarray(0, 32));
  const pair = await kemKeyPair(seeds.subarray(32));
  seeds.fill(0);
  const rule = 'K15 dept_key_mismatch';
  // The private key belongs to the public one when what it signs verifies; kind 0 is no object's.
  const probe = random(32);
  const none = new Uint8Array();
  const proved = verify(card.pk, 0, card.org, none, probe, await sign(sig, 0, card.org, none, probe));
  must(await under(rule, proved), rule);
  const its = boxes.filter((box) => equal(box.owner, card.hash) && equal(box.kem, pair.publicKey));
  must(its.length > 0, rule);
  return its.map((box) => ({ cert: card.hash, key: box.hash, sig, kem: pair }));
}
