// The vault as it is inside the worker: it holds the keys, knows what was seen,
// and puts trust, transcript and member together.
import { type Bytes, equal, has, hex, random, sha256 } from './bytes.ts';
import type { Keep } from './keep.ts';
import {
  formContent,
  type Identity,
  marksContent,
  newSigningKey,
  type Open,
  type Opened,
  openDepartment,
  openEpoch,
  openGrant,
  type Payload,
  type Place,
  type Readable,
  readEvent,
  sealEvent,
  textContent,
  writeEpoch,
  writeGrant,
} from './member.ts';
import { nobody, type Obj, parse, read, signed } from './objects.ts';
import { must, Refusal } from './refusal.ts';
import { safetyNumber } from './safety.ts';
import {
  createTranscript,
  type Epoch,
  type Grant,
  type Highest,
  type Seat,
  type Taken,
  type Transcript,
} from './transcript.ts';
import {
  createTrust,
  day,
  enrolmentMac,
  invitationId,
  isDepartment,
  isPerson,
  type KeyObject,
  minute,
  type Policy,
  readInvitation,
  roles,
  type Seen,
  type Trust,
  unite,
} from './trust.ts';
import type { DeviceState, Line, Member, Pin, Vault } from './vault.ts';
import { type KemKeyPair, kemKeyPair } from './xwing.ts';

/** This browser as an agent's device. */
interface Device {
  readonly sig: CryptoKey;
  readonly pk: Bytes;
  readonly kem: KemKeyPair;
  readonly request: Bytes;
  /** Certificates and key objects of this device, complete, oldest first. */
  readonly own: readonly (readonly [cert: Bytes, key: Bytes])[];
  readonly departments: readonly Identity[];
}

/** What is kept of a conversation; `begun` is there when this browser is its visitor. */
interface Saved {
  readonly conv: Bytes;
  readonly begun?: {
    readonly at: number;
    readonly genesis: Bytes;
    readonly key: Bytes;
    readonly sig: CryptoKey;
    readonly kem: KemKeyPair;
  };
  readonly highest?: Highest;
  /** Evidence: a second entry for one place, beside the hash of the first where it is known; or another L than the kept one. */
  readonly fork?: {
    readonly seq: number;
    readonly entry?: Bytes;
    readonly first?: Bytes | undefined;
    readonly log?: Bytes;
  };
}

/** A conversation in memory. */
interface Room {
  readonly conv: Bytes;
  readonly begun: Saved['begun'];
  readonly transcript: Transcript;
  readonly opened: Map<number, Opened>;
  /** Epochs whose secret somebody has given. */
  readonly granted: Map<number, Readable>;
  readonly wraps: Map<string, Obj<14>>;
  /** What did not open when it came: its epoch may open later, by newer keys of the department or by a grant. */
  locked: { readonly seq: number; readonly taken: Taken }[];
  /** Messages that were shown, by subject and cid. */
  readonly shown: Set<string>;
  /** What was sealed here, by cid, so that a retry sends the same bytes. */
  readonly sent: Map<
    string,
    {
      readonly n: number;
      readonly type: Payload['type'];
      readonly content: Bytes;
      readonly event: Bytes;
    }
  >;
  /** Whether there is a record of it: when it is gone, a person has erased it. */
  kept: boolean;
  /** The last entry that is known to be there. */
  wanted: number;
}

const erased = 'this was erased in another window';

/** A key object begins a little before now: who judges it may have a clock that is behind. */
const slack = 10 * minute;

/** A vault over what is kept; `now` is the clock. */
export function createVault(keep: Keep, now: () => number = Date.now): Vault {
  let pin: Pin;
  let trust: Trust;
  let device: Device | undefined;
  let home = '';
  /** What was kept of `trust.seen()` last. */
  let keptSeen: Seen | undefined;
  const rooms = new Map<string, Room>();

  const policyNow = (): Policy => {
    const policy = trust.policy();
    must(policy, 'K5 policy_rollback');
    return policy;
  };

  /** Another tab may have kept more, or erased it. */
  async function readDevice(): Promise<Device | undefined> {
    device = (await keep.get(`${home}device`)) as Device | undefined;
    await recogniseOwn();
    return device;
  }

  async function recogniseOwn(): Promise<void> {
    for (const [cert] of device?.own ?? []) {
      ownCerts.add(hex(await sha256(cert)));
      ownSubjects.add(hex(parse(cert, 8).subject));
    }
  }

  /** Adds to what is kept of the device. Other keys that were there first stay, and what was erased stays so. */
  async function keepDevice(next: Device, isNew = false): Promise<void> {
    await keep.update(`${home}device`, (kept) => {
      const old = kept as Device | undefined;
      device = old ?? (isNew ? next : undefined);
      if (!old || !equal(old.pk, next.pk)) return device;
      const own = next.own.filter(([cert]) => !old.own.some(([one]) => equal(one, cert)));
      const departments = next.departments.filter(
        ({ cert, key }) => !old.departments.some((one) => equal(one.cert, cert) && equal(one.key, key)),
      );
      device = { ...next, own: [...old.own, ...own], departments: [...old.departments, ...departments] };
      return device;
    });
    must(device, 'L4 key_kept', erased);
    await recogniseOwn();
  }

  /** [L4] What a person erased in another tab is not kept anew, and forgotten here too. */
  async function keepSaved(where: Room, change: (old: Saved) => Saved | undefined): Promise<void> {
    const { conv } = where;
    let gone = false;
    await keep.update(`${home}conv/${hex(conv)}`, (old) => {
      gone = !old && where.kept;
      return gone ? undefined : change((old as Saved | undefined) ?? { conv });
    });
    if (gone) rooms.delete(hex(conv));
    must(!gone, 'L4 key_kept', erased);
    where.kept = true;
  }

  /** Adds to what is believed, and keeps how new it is: nothing older is taken in a later run (K5, K8). */
  async function believe(objects: readonly Bytes[], passOver = false): Promise<void> {
    await trust.add(objects, passOver);
    await trust.add(device?.own.flat() ?? [], true);
    const seen = trust.seen();
    if (seen === keptSeen) return;
    await keep.update(`${home}seen`, (old) =>
      old || !keptSeen ? unite((old as Seen) ?? seen, seen) : undefined,
    );
    keptSeen = seen;
  }

  /** [K3, G7] An address keeps its first organisation, and the strongest mode of each department. */
  async function keepPin({ org, dept, minMode }: Pin): Promise<void> {
    let first = org;
    await keep.update('pin', (old = org) => {
      first = old as Bytes;
      return old;
    });
    const same = equal(first, org);
    must(same, 'K3 wrong_org', 'this address now names another organisation: do not write here');
    let strongest = 0;
    await keep.update(`pin/${dept ? hex(dept) : ''}`, (old) => {
      strongest = Math.max(minMode, (old as number | undefined) ?? 0);
      return strongest;
    });
    must(minMode === strongest, 'G7 mode_mismatch');
  }

  const generate = async () => {
    const seed = random(32);
    const kem = await kemKeyPair(seed);
    seed.fill(0);
    return { ...(await newSigningKey()), kem };
  };

  async function identities({ conv, begun }: Room): Promise<readonly Identity[]> {
    if (begun) return [{ cert: conv, key: await sha256(begun.key), sig: begun.sig, kem: begun.kem }];
    if (!device) return [];
    const { sig, kem, own, departments } = device;
    const mine = own.map(async ([cert, key]) => ({
      cert: await sha256(cert),
      key: await sha256(key),
      sig,
      kem,
    }));
    return [...(await Promise.all(mine)), ...departments];
  }

  async function room(conv: Bytes): Promise<Room> {
    const there = rooms.get(hex(conv));
    if (there) return there;
    const kept = (await keep.get(`${home}conv/${hex(conv)}`)) as Saved | undefined;
    const { begun, highest, fork } = kept ?? {};
    if (begun) await trust.add([begun.key]);
    // A conversation of this visitor is with the department that was chosen for it.
    const mine = begun && (await read(begun.genesis, 1)).dept;
    const strongest = mine && (await keep.get(`pin/${hex(mine)}`));
    const transcript = createTranscript({
      trust,
      conv,
      org: pin.org,
      dept: mine ?? pin.dept,
      minMode: (strongest as number | undefined) ?? pin.minMode,
      now,
      own: begun?.genesis,
      highest,
      forked: fork?.seq,
    });
    const made: Room = {
      conv,
      begun,
      transcript,
      opened: new Map(),
      granted: new Map(),
      wraps: new Map(),
      locked: [],
      shown: new Set(),
      sent: new Map(),
      kept: kept !== undefined,
      wanted: highest?.seq ?? -1,
    };
    rooms.set(hex(conv), made);
    return made;
  }

  const mineOf = ({ begun, conv }: Room, { cert, leaf }: Seat) =>
    begun ? leaf === 0 && equal(cert, conv) : ownCerts.has(hex(cert));
  const ownCerts = new Set<string>();
  const ownSubjects = new Set<string>();
  const alsoMine = (where: Room, seat: Seat) =>
    !where.begun &&
    isPerson(seat) &&
    !mineOf(where, seat) &&
    seat.card !== undefined &&
    ownSubjects.has(hex(seat.card.subject));

  const member = (where: Room, seat: Seat): Member => ({
    leaf: seat.leaf,
    role: seat.role,
    name: seat.card?.name ?? '',
    title: seat.card?.title ?? '',
    // Keys that the operator could certify are in the operator's hands too.
    custody: Math.max(
      seat.card?.custody ?? 1,
      (seat.card && trust.certs.get(hex(seat.card.issuer))?.custody) ?? 1,
    ),
    mine: mineOf(where, seat),
    ...(alsoMine(where, seat) && { alsoMine: true }),
  });

  async function openLast(where: Room): Promise<Opened | undefined> {
    const epoch = where.transcript.last();
    if (!epoch) return undefined;
    const { n } = epoch.object;
    const before = where.opened.get(n);
    if (before?.state === 'open') return before;
    const opened = await openEpoch(epoch, await identities(where), [...where.wraps.values()]);
    where.opened.set(n, opened);
    return opened;
  }

  /** What an epoch is read by: an own wrap, or a grant. */
  function readable({ opened, granted }: Room, n: number): Readable | undefined {
    const own = opened.get(n);
    return own?.state === 'open' ? own : granted.get(n);
  }

  /** The line that people see of an entry; none for the genesis and for what only machines need. */
  async function line(where: Room, seq: number, taken: Taken): Promise<Line | undefined> {
    if (taken.kind === 1) return undefined;
    if (taken.kind === 4) return grantLine(where, seq, taken.grant);
    if (taken.kind === 2) {
      const { object, seats, second, uncertain } = taken.epoch;
      const { time, n, reason } = object;
      if (taken.epoch === where.transcript.last()) await openLast(where);
      const own = where.opened.get(n);
      const opened = readable(where, n) ? undefined : own;
      if (opened?.state === 'locked') where.locked.push({ seq, taken });
      return {
        kind: 'roster',
        seq,
        time,
        n,
        reason,
        members: seats.map((seat) => member(where, seat)),
        ...(second.length > 0 && { second }),
        ...(opened?.state === 'locked' && { locked: opened.why.rule }),
        ...(uncertain && { timeUncertain: true }),
      };
    }
    const { event } = taken;
    const { time, n } = event.object;
    try {
      const payload = await readEvent(event, readable(where, n), where.shown);
      const from = member(where, event.from);
      if (payload.type === 1)
        return { kind: 'message', seq, time, from, cid: payload.cid, text: payload.text };
      if (payload.type === 2) return { kind: 'closed', seq, time, from, reason: payload.reason };
      const { cid } = payload;
      if (payload.type === 5) return { kind: 'form', seq, time, from, cid, fields: payload.fields };
      if (payload.type === 3) return undefined;
      const { delivered, read } = payload;
      return { kind: 'marks', seq, time, from, delivered, read };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { rule, code } = error;
      if (rule === 'W6') where.locked.push({ seq, taken });
      return {
        kind: 'unreadable',
        seq,
        time,
        rule,
        code,
        ...(event.object.class === 2 && { control: true }),
      };
    }
  }

  /** A grant as everybody sees it; when it is mine, what it gives is known from here on. */
  async function grantLine(where: Room, seq: number, grant: Grant): Promise<Line> {
    const { time, fromN, toN } = grant.object;
    const [from, to] = [member(where, grant.from), member(where, grant.to)];
    const shown = { kind: 'grant', seq, time, from, to, fromN, toN } as const;
    if (!to.mine) return shown;
    try {
      for (const given of await openGrant(grant, await identities(where)))
        where.granted.set(given.epoch.object.n, given);
      return shown;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ...shown, locked: error.rule };
    }
  }

  /** What did not open when it came, and does now. */
  async function unlocked(where: Room): Promise<readonly Line[]> {
    await openLast(where);
    const waiting = where.locked;
    where.locked = [];
    const lines: Line[] = [];
    for (const { seq, taken } of waiting) {
      const n = taken.kind === 3 ? taken.event.object.n : taken.kind === 2 ? taken.epoch.object.n : -1;
      if (!readable(where, n)) where.locked.push({ seq, taken });
      else {
        const one = await line(where, seq, taken);
        if (one) lines.push(one);
      }
    }
    return lines;
  }

  /** [L2, L3] Keeps the highest that was seen. Another tab may have seen more, or another log. */
  async function keepHighest(where: Room): Promise<void> {
    const { transcript } = where;
    const seq = transcript.seq();
    const last = transcript.last();
    if (!last) return;
    let forked: number | undefined;
    await keepSaved(where, (old) => {
      const { seq: there, log, seenAt = 0 } = old.highest ?? { seq: -1, log: where.conv };
      if (there > seq) return undefined;
      const mine = transcript.logs[there] ?? where.conv;
      if (!equal(mine, log)) {
        forked = there;
        return { fork: { seq: there, log: mine }, ...old };
      }
      const { n, hash: epoch } = last.object;
      const at = transcript.isWhole() ? now() : seenAt;
      return { ...old, highest: { n, epoch, seq, log: transcript.log(), seenAt: at } };
    });
    if (forked !== undefined) transcript.stop(forked);
  }

  /** [L1] Refuses while entries are missing, and after a fork. */
  function mustBeComplete({ transcript, wanted }: Room): void {
    const fork = transcript.forked();
    if (fork) throw fork;
    must(transcript.seq() >= wanted && transcript.last(), 'L1 gap', 'entries are missing: load them first');
  }

  /** What sealing and writing stand on: an open epoch, in a log without gaps, by a status that holds. */
  async function ready(conv: Bytes): Promise<{ readonly where: Room; readonly opened: Open }> {
    const where = await room(conv);
    mustBeComplete(where);
    trust.mustBeLive();
    const opened = await openLast(where);
    const why = opened?.state === 'locked' ? opened.why.message : '';
    must(opened?.state === 'open', 'W6 locked', `this epoch is locked for this device (${why})`);
    return { where, opened };
  }

  /** Members that others would refuse now: revoked, over, or of a generation that has ended (E14). */
  function staleSeats({ transcript }: Room): readonly Seat[] {
    const [policy, genesis] = [trust.policy(), transcript.genesis()];
    if (!policy || !genesis) return [];
    return (transcript.last()?.seats ?? []).filter(
      ({ card, box }) => card && !(box && box.until >= now() && trust.holds(card, judgement(genesis.dept))),
    );
  }

  function mustNotBeStale(where: Room): void {
    must(staleSeats(where).length === 0, 'E14 bad_member', 'a member no longer holds: refresh the roster');
  }

  const view = ({ transcript }: Room) => ({ seq: transcript.seq(), log: transcript.log(), now: now() });

  async function seal(conv: Bytes, type: Payload['type'], cid: Bytes, content: Bytes): Promise<Bytes> {
    const { where, opened } = await ready(conv);
    must(!where.transcript.closed(), 'S8 closed');
    mustNotBeStale(where);
    must(!isDepartment(opened.seat), 'V3 not_member', 'accept the conversation first');
    return sealEvent(opened, pin.org, view(where), type, cid, content);
  }

  /** Seals a message; with a cid that was sealed in this epoch, it gives the same bytes (L6). */
  async function once(conv: Bytes, type: Payload['type'], content: Bytes, cid = random(16)) {
    must(cid.length === 16, 'V11 bad_payload');
    const where = await room(conv);
    const { sent, transcript } = where;
    const n = transcript.last()?.object.n ?? -1;
    const before = sent.get(hex(cid));
    if (before?.n === n) {
      must(before.type === type && equal(before.content, content), 'L6 retry');
      mustNotBeStale(where);
      return { cid, event: before.event };
    }
    const event = await seal(conv, type, cid, content);
    sent.set(hex(cid), { n, type, content, event });
    return { cid, event };
  }

  /** Writes the epoch, and refuses to hand it out unless everybody else would take it. */
  async function write(
    where: Room,
    opened: Open,
    reason: number,
    places: readonly Place[],
    accept: number,
  ): Promise<readonly Bytes[]> {
    const { conv, transcript } = where;
    const { epoch, wraps } = await writeEpoch({
      conv,
      before: opened.epoch,
      author: opened.seat.leaf,
      sig: opened.mine.sig,
      reason,
      accept,
      countersig: accept === nobody ? undefined : device?.sig,
      policy: policyNow(),
      places,
      view: view(where),
    });
    await transcript.examine(epoch, true);
    await remember(where, wraps);
    return [epoch, ...wraps];
  }

  async function remember(where: Room, objects: readonly Bytes[]): Promise<void> {
    for (const object of objects.filter((each) => each[1] === 14)) {
      try {
        const wrap = await read(object, 14);
        where.wraps.set(hex(wrap.hash), wrap);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
  }

  const judgement = (dept: Uint8Array) => ({ policy: policyNow(), at: now(), dept });

  const currentDepartment = (dept: Uint8Array) =>
    trust.find(roles.department, judgement(dept), (cert) => equal(cert.dept, dept));

  const placeOf = ({ leaf, role, cert, box }: Seat): Place => {
    must(box, 'K16 bad_keyobj');
    return { leaf, role, cert, box };
  };

  /** The newest key object of a member whose certificate holds. */
  const nextKey = async ({ card }: Seat) =>
    card && trust.holds(card, judgement(card.dept)) ? trust.keyOf(card) : undefined;

  /**
   * A change of the roster by a member: who stays, with newest keys, and who
   * comes. Who leaves is who no longer holds unless that is said, and then the
   * visitor is not left alone.
   */
  async function change(
    conv: Bytes,
    reason: number,
    leaving?: (seat: Seat, mine: Seat) => boolean,
    coming: readonly { readonly role: number; readonly cert: Bytes; readonly box: KeyObject }[] = [],
  ): Promise<readonly Bytes[]> {
    const { where, opened } = await ready(conv);
    const { transcript } = where;
    const { seats } = opened.epoch;
    const stale = staleSeats(where);
    const dept = transcript.genesis()?.dept ?? conv;
    if (reason === 3 || (reason === 2 && coming.length > 0)) mustNotBeStale(where);
    const goes: Seat[] = [];
    for (const seat of seats) {
      if (leaving ? leaving(seat, opened.seat) : stale.includes(seat) && !(await nextKey(seat)))
        goes.push(seat);
    }
    const departments = seats.filter(isDepartment);
    // Who answers brings nobody when it opens the conversation again (section 4.5).
    const newest = reason === 5 && isPerson(opened.seat) ? undefined : await currentDepartment(dept);
    const newer = departments.every(({ card }) => (newest?.card.gen ?? 0) > (card?.gen ?? 0));
    const abandoned = goes.some(isPerson);
    const stays: Place[] = [];
    for (const seat of seats.filter((each) => !goes.includes(each))) {
      if (isDepartment(seat) && (newer || abandoned)) continue;
      const box = reason === 1 || seat === opened.seat ? undefined : await nextKey(seat);
      const old = placeOf(seat);
      stays.push(box && box.from > old.box.from ? { ...old, box } : old);
    }
    const deserted = !leaving && !stays.some((each) => isPerson(each) || isDepartment(each));
    const called = deserted || departments.some((seat) => !goes.includes(seat));
    // Beside a person who goes, only a generation that was not there may come (E21).
    const comes =
      newest && called && (newer || (deserted && !abandoned))
        ? [...coming, { role: roles.department, cert: newest.card.hash, box: newest.box }]
        : coming;
    // Whom the policy demands comes again with its newest certificate (E16).
    const demands = transcript.lineOf(policyNow(), dept)?.mandatory ?? [];
    const again: (typeof coming)[number][] = [];
    for (const { role, card } of leaving ? [] : goes) {
      const subject = demands.find(
        (line) => line.role === role && card && equal(line.subject, card.subject),
      )?.subject;
      const one =
        subject && (await trust.find(role, judgement(dept), (cert) => equal(cert.subject, subject)));
      if (one) again.push({ role, cert: one.card.hash, box: one.box });
    }
    const first = transcript.nextLeaf();
    const places = [...stays, ...[...comes, ...again].map((each, at) => ({ ...each, leaf: first + at }))];
    return write(where, opened, reason, places, reason === 1 ? first : nobody);
  }

  /** This device's place in a department, by the newest certificate that holds. */
  async function deviceFor(dept: Uint8Array) {
    for (const [cert, key] of (device?.own ?? []).toReversed()) {
      const card = trust.certs.get(hex(await sha256(cert)));
      const box = trust.keys.get(hex(await sha256(key)));
      if (card && box && has(card.departments, dept) && trust.holds(card, judgement(dept)))
        return { role: card.kind, cert: card.hash, box };
    }
    return undefined;
  }

  /** What is missing before the department's key may accept here; nothing when it may. */
  function mayAccept({ transcript }: Room, { epoch, seat }: Open): boolean {
    const dept = transcript.genesis()?.dept ?? seat.cert;
    const takeover = transcript.lineOf(trust.policy(), dept)?.takeover === 1;
    return isDepartment(seat) && !transcript.closed() && (takeover || !epoch.seats.some(isPerson));
  }

  const vault: Vault = {
    async open(given) {
      await keepPin(given);
      pin = given;
      // One browser may be a visitor and an agent's device: neither touches what the other keeps.
      home = `${hex(pin.org)}/${pin.dept ? 'visitor' : 'agent'}/`;
      rooms.clear();
      ownCerts.clear();
      ownSubjects.clear();
      keptSeen = undefined;
      const seen = (await keep.get(`${home}seen`)) as Seen | undefined;
      trust = createTrust(pin.org, pin.minPolicy, now, seen ?? { version: 0, issued: 0 });
      await readDevice();
      const records = (await keep.list(`${home}conv/`)) as readonly Saved[];
      const begun = records.flatMap(({ conv, begun: mine }) => (mine ? [{ conv, at: mine.at }] : []));
      let state: DeviceState = 'none';
      if (device)
        state = device.own.length === 0 ? 'asked' : device.departments.length === 0 ? 'certified' : 'ready';
      return {
        visitor: begun.sort((a, b) => a.at - b.at).map(({ conv }) => conv),
        device: state,
        ...(device && { enrolment: device.request }),
      };
    },

    trust: (objects) => believe(objects.filter(({ 1: kind = 0 }) => [5, 7, 8, 9].includes(kind))),

    async proof(challenge, conv) {
      const begun = conv && (await room(conv)).begun;
      const cert = device?.own.at(-1)?.[0];
      const owner = conv ?? (cert && (await sha256(cert)));
      const sig = conv ? begun?.sig : device?.sig;
      must(owner && sig, 'W1 not_member');
      return signed(13, { org: pin.org, challenge, owner, time: now() }, sig, pin.org);
    },

    async begin(chosen) {
      const { org, dept, minMode } = { ...pin, ...chosen };
      if (chosen) await keepPin({ ...pin, ...chosen });
      const policy = policyNow();
      const found = dept && policy.departments.find((each) => equal(each.dept, dept));
      must(found, 'G6 wrong_dept');
      must(found.mode >= minMode, 'G7 mode_mismatch');
      trust.mustBeLive();
      const first = await currentDepartment(dept);
      must(first, 'K14 bad_dept_key');
      const { sig, pk, kem } = await generate();
      const time = now();
      const { mode } = found;
      const draft = { org, dept, mode, policy: policy.hash, pk, nonce: random(32), time };
      const genesis = await signed(1, draft, sig, org);
      const conv = await sha256(genesis);
      const key = await signed(
        5,
        { org, owner: conv, kem: kem.publicKey, from: time - slack, until: time - slack + 400 * day },
        sig,
        org,
      );
      await trust.add([key]);
      const places: Place[] = [
        { leaf: 0, role: roles.visitor, cert: conv, box: await read(key, 5) },
        { leaf: 1, role: roles.department, cert: first.card.hash, box: first.box },
      ];
      for (const { role, subject } of found.mandatory) {
        const one = await trust.find(role, judgement(dept), (cert) => equal(cert.subject, subject));
        must(one, 'E16 mandatory_missing');
        places.push({ leaf: places.length, role, cert: one.card.hash, box: one.box });
      }
      const begun = { at: time, genesis, key, sig, kem };
      await keep.update(`${home}conv/${hex(conv)}`, () => ({ conv, begun }) satisfies Saved);
      const where = await room(conv);
      const log = createTranscript({ trust, conv, org, dept, minMode, now });
      await log.take(genesis, true);
      const plan = { conv, author: 0, sig, reason: 0, accept: nobody, policy, places };
      const { epoch, wraps } = await writeEpoch({ ...plan, view: { seq: 0, log: log.log(), now: time } });
      await log.examine(epoch, true);
      await remember(where, wraps);
      return { conv, objects: [genesis, key, epoch, ...wraps] };
    },

    async take(conv, from, entries, extras, complete) {
      const where = await room(conv);
      const { transcript } = where;
      await believe(extras, true);
      await remember(where, extras);
      where.wanted = Math.max(where.wanted, from + entries.length - 1);
      must(from <= transcript.seq() + 1, 'L1 gap');
      const lines: Line[] = [];
      try {
        for (const [at, entry] of entries.entries()) {
          const seq = from + at;
          try {
            if (seq <= transcript.seq()) {
              await transcript.compare(seq, entry);
              continue;
            }
            const one = await line(where, seq, await transcript.take(entry));
            if (one) lines.push(one);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            const first = transcript.hashes[seq];
            if (error.rule === 'L3')
              await keepSaved(where, (old) => ({ fork: { seq, entry, first }, ...old }));
            throw new Refusal(error.rule, error.code, `entry ${seq}: ${error.sentence}`);
          }
        }
        if (complete) transcript.mustBeWhole();
      } finally {
        await keepHighest(where);
      }
      return [...lines, ...(await unlocked(where))];
    },

    async state(conv) {
      const where = await room(conv);
      const { transcript } = where;
      const last = transcript.last();
      const seats = last?.seats ?? [];
      const people = seats.filter((seat) => seat.role === roles.visitor || isPerson(seat));
      const opened = await openLast(where);
      const complete = !transcript.forked() && transcript.seq() >= where.wanted;
      const mine = opened?.state === 'open' && complete ? opened : undefined;
      const dept = transcript.genesis()?.dept;
      return {
        seq: transcript.seq(),
        log: transcript.log(),
        epoch: last?.object.n ?? -1,
        members: seats.map((seat) => member(where, seat)),
        closed: transcript.closed(),
        open: mine !== undefined && !isDepartment(mine.seat) && !transcript.closed(),
        stale: staleSeats(where).length > 0,
        acceptable: Boolean(
          mine && dept && mayAccept(where, mine) && trust.policy() && (await deviceFor(dept)),
        ),
        safety: await safetyNumber(
          conv,
          people.map(({ role, card }) => ({ role, key: card?.pk ?? transcript.genesis()?.pk ?? conv })),
        ),
      };
    },

    async say(conv, text, cid) {
      return once(conv, 1, textContent(text), cid);
    },

    async form(conv, fields, cid) {
      return once(conv, 5, formContent(fields), cid);
    },

    async mark(conv, delivered, read) {
      return seal(conv, 4, random(16), marksContent(delivered, read));
    },

    async close(conv, reason) {
      must([1, 2, 3].includes(reason), 'V11 bad_payload');
      return seal(conv, 2, random(16), Uint8Array.of(reason));
    },

    async accept(conv) {
      const { where, opened } = await ready(conv);
      const { transcript } = where;
      const genesis = transcript.genesis();
      must(genesis, 'L1 gap');
      const policy = policyNow();
      const found = transcript.lineOf(policy, genesis.dept);
      must(found, 'G6 wrong_dept');
      must(mayAccept(where, opened), 'E19 author_right');
      // Only the first accept: a conversation that goes on for long may change hands.
      if (transcript.epochs.every(({ object }) => object.reason !== 1)) {
        transcript.mustBeYoung(genesis, found.maxAgeHours);
      }
      const mine = await deviceFor(genesis.dept);
      must(mine, 'E20 bad_accept');
      return change(conv, 1, (seat, its) => seat === its && found.keepDept !== 1, [mine]);
    },

    rekey: (conv) => change(conv, 3, () => false),
    refresh: (conv) => change(conv, 2),
    remove: (conv, leaves) => change(conv, 2, ({ leaf }) => leaves.includes(leaf)),
    reopen: (conv) => change(conv, 5),

    async transfer(conv, cert, leave) {
      const hash = await sha256(cert);
      await trust.add([cert]);
      const card = trust.certs.get(hex(hash));
      const box = card && (await trust.keyOf(card));
      must(box, 'K16 bad_keyobj');
      return change(conv, 2, (seat, mine) => leave && seat === mine, [{ role: card.kind, cert: hash, box }]);
    },

    async grant(conv, toLeaf, fromN, toN) {
      const { where, opened } = await ready(conv);
      const { epochs } = where.transcript;
      const is =
        (cert: Bytes | undefined) =>
        ({ seats }: Epoch) =>
          cert !== undefined && seats.some((seat) => equal(seat.cert, cert));
      const seat = opened.epoch.seats.find(({ leaf }) => leaf === toLeaf);
      must(seat, 'R3 grant_right', 'there is no such member');
      const first = epochs.findIndex(is(seat.cert));
      // What I had without a break until it came.
      const last = toN ?? first - 1;
      const gap = epochs.slice(0, last + 1).findLastIndex((epoch) => !is(opened.seat.cert)(epoch));
      const granted = epochs.slice(fromN ?? gap + 1, last + 1);
      must(granted.length > 0, 'R3 grant_right', 'there is nothing that it does not have');
      const { leaf, box } = placeOf(seat);
      const grant = await writeGrant(
        opened,
        pin.org,
        view(where),
        { leaf, box },
        granted,
        await identities(where),
        [...where.wraps.values()],
      );
      await where.transcript.examine(grant, true);
      return grant;
    },

    async enrol(text) {
      const inv = await readInvitation(text);
      const keys = (await readDevice()) ?? (await generate());
      const draft = {
        org: pin.org,
        invitation: await invitationId(inv),
        subject: random(16),
        device: random(16),
        kind: roles.agent,
        pk: keys.pk,
        time: now(),
      };
      const request = await signed(10, draft, keys.sig, pin.org);
      await keepDevice({ own: [], departments: [], ...keys, request: await sha256(request) }, true);
      // Another tab was first: the device has its keys.
      if (device && !equal(device.pk, keys.pk)) return vault.enrol(text);
      return { request, mac: await enrolmentMac(inv, request) };
    },

    async certified(cert) {
      await trust.add([cert]);
      const hash = await sha256(cert);
      const card = trust.certs.get(hex(hash));
      const mine = await readDevice();
      must(mine && card && equal(card.pk, mine.pk), 'K10 bad_cert');
      const { sig, kem, own } = mine;
      const [, before] = own.find(([one]) => equal(one, cert)) ?? [];
      if (before) return before;
      const draft = {
        org: pin.org,
        owner: hash,
        kem: kem.publicKey,
        from: Math.max(now() - slack, card.from),
        until: card.until,
      };
      const key = await signed(5, draft, sig, pin.org);
      await trust.add([key]);
      await keepDevice({ ...mine, own: [[cert, key]] });
      return device?.own.find(([one]) => equal(one, cert))?.[1] ?? key;
    },

    async department(cert, object) {
      await trust.add([cert]);
      const hash = await sha256(cert);
      const card = trust.certs.get(hex(hash));
      const mine = await readDevice();
      must(mine && card, 'K14 bad_dept_key');
      const wrap = parse(object, 14);
      const boxes = await Promise.all(mine.own.map(([, key]) => sha256(key)));
      const to = boxes.find((box) => equal(box, wrap.to)) ?? hash;
      const keys = await openDepartment(wrap, card, [...trust.keys.values()], to, mine.kem);
      await keepDevice({ ...mine, departments: keys });
    },

    async erase(conv) {
      await keep.drop(conv ? `${home}conv/${hex(conv)}` : home);
      if (conv) rooms.delete(hex(conv));
      else {
        await keep.drop('pin');
        rooms.clear();
        device = undefined;
        ownCerts.clear();
        ownSubjects.clear();
      }
    },
  };
  return vault;
}
