// An organisation and its conversations for tests, made from the parts below
// transcript and vault, so that a test can sign what an honest member never would.
import { type Bytes, concat, random, sha256 } from './bytes.ts';
import { sign } from './ed25519.ts';
import { logNext, logStart } from './log.ts';
import { newSigningKey, signingKey } from './member.ts';
import { type Draft, nobody, signed } from './objects.ts';
import { createTranscript, type Setting } from './transcript.ts';
import { createTrust, day, minute, roles } from './trust.ts';
import { type KemKeyPair, kemKeyPair } from './xwing.ts';

/** Somebody with a certificate (the visitor has none) and a key object, both complete. */
export interface Actor {
  readonly role: number;
  readonly card: Bytes;
  readonly cert: Bytes;
  readonly key: Bytes;
  readonly keyHash: Bytes;
  readonly sig: CryptoKey;
  readonly pk: Bytes;
  readonly kem: KemKeyPair;
  /** A department's private part. */
  readonly seeds?: Bytes;
}

type Line = Draft<7>['departments'][number];
export type Org = Awaited<ReturnType<typeof makeOrg>>;

const zero = (n: number) => new Uint8Array(n);

/** The public key of a seed, found by exporting what a test may hold extractable. */
async function publicKey(seed: Bytes): Promise<Bytes> {
  const head = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];
  const key = await crypto.subtle.importKey('pkcs8', Uint8Array.from([...head, ...seed]), 'Ed25519', true, [
    'sign',
  ]);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  return Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

/** One department, one enroller, a status key. Time stands still until a test moves `clock.now`. */
export async function makeOrg(mode: 1 | 2 = 2, line: Partial<Line> = {}) {
  const clock = { now: 1_800_000_000_000 };
  const root = await newSigningKey();
  const org = await sha256(root.pk);
  const statusKey = await newSigningKey();
  const dept = random(16);

  const certify = async (issuer: { sig: CryptoKey; cert: Bytes }, pk: Bytes, over: Partial<Draft<8>>) =>
    signed(
      8,
      {
        org,
        kind: roles.agent,
        custody: 1,
        subject: random(16),
        device: random(16),
        serial: random(16),
        dept: zero(16),
        gen: 0,
        rights: 0,
        departments: over.kind === roles.department ? [] : [dept],
        name: 'Ana',
        title: 'Support',
        pk,
        from: clock.now - day,
        until: clock.now + 12 * day,
        issuer: issuer.cert,
        ...over,
      },
      issuer.sig,
      org,
    );

  async function enroller(over: Partial<Draft<8>> = {}) {
    const { sig, pk } = await newSigningKey();
    const card = await certify({ sig: root.sig, cert: org }, pk, {
      kind: roles.enroller,
      rights: 7,
      departments: [],
      from: clock.now - 30 * day,
      until: clock.now + 300 * day,
      ...over,
    });
    return { sig, pk, card, cert: await sha256(card) };
  }
  const issuer = await enroller();

  const policy = (over: Partial<Draft<7>> = {}, departments: readonly Partial<Line>[] = [line]) =>
    signed(
      7,
      {
        org,
        root: root.pk,
        version: 1,
        time: clock.now - 20 * day,
        minVer: 1,
        nextRoot: random(32),
        statusKey: statusKey.pk,
        statusCustody: 2,
        maxDays: 30,
        logRequired: 0,
        enrollers: [issuer.cert],
        issuers: [],
        departments: departments.map((each) => ({
          dept,
          mode,
          roles: 0x1fc,
          takeover: 0,
          keepDept: 0,
          history: 1,
          maxAgeHours: 168,
          maxDays: 14,
          mandatory: [],
          ...each,
        })),
        ...over,
      },
      root.sig,
      org,
    );

  const first = await policy();

  const status = async (over: Partial<Draft<9>> = {}, key = statusKey.sig) =>
    signed(
      9,
      {
        org,
        version: 1,
        policy: await sha256(first),
        issued: clock.now - minute,
        until: clock.now + day - minute,
        minGen: [],
        revoked: [],
        logSize: 0,
        logRoot: zero(32),
        ...over,
      },
      key,
      org,
    );

  const keyObject = (owner: Bytes, kem: Bytes, sig: CryptoKey, over: Partial<Draft<5>> = {}) =>
    signed(5, { org, owner, kem, from: clock.now - day, until: clock.now + 11 * day, ...over }, sig, org);

  /** A certified actor; `over` changes its certificate. */
  async function actor(over: Partial<Draft<8>> = {}, by = issuer): Promise<Actor> {
    const seeds = random(64);
    const [sig, pk] = [await signingKey(seeds.subarray(0, 32)), await publicKey(seeds.slice(0, 32))];
    const kem = await kemKeyPair(seeds.subarray(32));
    const card = await certify(by, pk, over);
    const cert = await sha256(card);
    const key = await keyObject(cert, kem.publicKey, sig);
    return {
      role: over.kind ?? roles.agent,
      card,
      cert,
      key,
      keyHash: await sha256(key),
      sig,
      pk,
      kem,
      seeds,
    };
  }

  const department = (gen = 1, over: Partial<Draft<8>> = {}) =>
    actor({ kind: roles.department, dept, gen, name: 'Sales', ...over });

  const trusted = async (objects: readonly Bytes[], minPolicy = 0) => {
    const trust = createTrust(org, minPolicy, () => clock.now, { version: 0, issued: 0 });
    await trust.add([first, issuer.card, await status(), ...objects]);
    return trust;
  };

  return {
    clock,
    root,
    org,
    statusKey,
    dept,
    mode,
    issuer,
    enroller,
    certify,
    policy,
    first,
    status,
    keyObject,
    actor,
    department,
    trusted,
    newSigningKey,
  };
}

export type Chat = Awaited<ReturnType<typeof makeChat>>;
export interface Seating {
  readonly leaf: number;
  readonly who: Actor;
}

/** A visitor's conversation with the department, as far as its epoch 0; nothing is taken yet. */
export async function makeChat(
  world: Org,
  dept: Actor,
  over: Partial<Draft<1>> = {},
  others: readonly Actor[] = [],
) {
  const { org, clock } = world;
  const { sig, pk } = await newSigningKey();
  const kem = await kemKeyPair(random(32));
  const policy = await sha256(world.first);
  const genesis = await signed(
    1,
    { org, dept: world.dept, mode: world.mode, policy, pk, nonce: random(32), time: clock.now, ...over },
    sig,
    org,
  );
  const conv = await sha256(genesis);
  const key = await world.keyObject(conv, kem.publicKey, sig);
  const keyHash = await sha256(key);
  const visitor: Actor = { role: roles.visitor, card: conv, cert: conv, key, keyHash, sig, pk, kem };
  const trust = await world.trusted([dept, ...others].flatMap((each) => [each.card, each.key]));
  await trust.add([key]);
  let log = await logStart(conv);
  let seq = 0;
  let last = conv;
  let n = -1;

  /** An epoch signed by `author`; `over` changes its fields before it is signed. */
  async function epoch(
    seats: readonly Seating[],
    author: Seating,
    changes: Partial<Draft<2>> = {},
    countersigner?: Actor,
  ): Promise<Bytes> {
    const draft: Draft<2> = {
      conv,
      n: n + 1,
      prev: last,
      seenSeq: seq,
      seenLog: log,
      time: clock.now,
      author: author.leaf,
      accept: nobody,
      reason: n === -1 ? 0 : changes.accept === undefined ? 2 : 1,
      version: 1,
      policy,
      notes: zero(32),
      logRoot: zero(32),
      members: seats.map(({ leaf, who }) => ({ leaf, role: who.role, cert: who.cert, key: who.keyHash })),
      commit: random(32),
      wraps: seats.map(() => random(32)),
      ...changes,
    };
    const once = await signed(2, draft, author.who.sig, org);
    return countersigner ? concat(once, await sign(countersigner.sig, 2, org, zero(0), once)) : once;
  }

  async function event(from: Seating, changes: Partial<Draft<3>> = {}, epochHash = last): Promise<Bytes> {
    const draft: Draft<3> = {
      n,
      leaf: from.leaf,
      class: 1,
      msgId: random(16),
      seenSeq: seq,
      seenLog: log,
      time: clock.now - (clock.now % 1000),
      ct: random(80),
      C: random(32),
      ...changes,
    };
    return signed(3, draft, from.who.sig, org, concat(conv, epochHash));
  }

  /** A grant of the last epoch to a leaf, signed by `from`; nobody can open it. */
  async function grant(from: Seating, toLeaf: number, changes: Partial<Draft<4>> = {}): Promise<Bytes> {
    const draft: Draft<4> = {
      conv,
      epoch: last,
      fromN: n,
      toN: n,
      toLeaf,
      author: from.leaf,
      seenSeq: seq,
      seenLog: log,
      time: clock.now,
      enc: random(1120),
      ct: random(48),
      ...changes,
    };
    return signed(4, draft, from.who.sig, org);
  }

  const me: Seating = { leaf: 0, who: visitor };
  const desk: Seating = { leaf: 1, who: dept };
  const setting = (more: Partial<Setting> = {}): Setting => ({
    trust,
    conv,
    org,
    minMode: 1,
    now: () => clock.now,
    ...more,
  });
  const transcript = createTranscript(setting());

  /** Takes an entry here and in the transcript, so that the next is made to follow it. */
  async function add(entry: Bytes, live?: boolean) {
    const taken = await transcript.take(entry, live);
    if (taken.kind !== 1) {
      seq++;
      log = await logNext(log, seq, entry);
    }
    if (taken.kind === 2) {
      last = taken.epoch.object.hash;
      n = taken.epoch.object.n;
    }
    return taken;
  }

  return {
    conv,
    genesis,
    visitor,
    me,
    desk,
    trust,
    transcript,
    setting,
    epoch,
    event,
    grant,
    add,
    log: () => log,
    last: () => last,
    seq: () => seq,
  };
}
