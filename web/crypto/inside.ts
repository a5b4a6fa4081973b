// The vault as it is inside the worker: it holds the keys, knows what was seen,
// and puts trust, transcript and member together.
import { type Bytes, equal, has, hex, random, sha256 } from './bytes.ts';
import type { Keep } from './keep.ts';
import {
  type Identity,
  newSigningKey,
  type Open,
  type Opened,
  openDepartment,
  openEpoch,
  type Place,
  readEvent,
  sealEvent,
  textContent,
  writeEpoch,
} from './member.ts';
import { nobody, type Obj, parse, read, signed } from './objects.ts';
import { must, Refusal } from './refusal.ts';
import { safetyNumber } from './safety.ts';
import { createTranscript, type Highest, type Seat, type Taken, type Transcript } from './transcript.ts';
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
  /** A second entry for one place, beside the hash of the first where it is known: evidence. */
  readonly fork?: { readonly seq: number; readonly entry: Bytes; readonly first: Bytes | undefined };
}

/** A conversation in memory. */
interface Room {
  readonly conv: Bytes;
  readonly begun: Saved['begun'];
  readonly transcript: Transcript;
  readonly opened: Map<number, Opened>;
  readonly wraps: Map<string, Obj<14>>;
  /** Messages that were shown, by subject and cid. */
  readonly shown: Set<string>;
  /** What was sealed here, by cid, so that a retry sends the same bytes. */
  readonly sent: Map<string, { readonly n: number; readonly text: string; readonly event: Bytes }>;
  highest: Highest | undefined;
  /** The last entry that is known to be there. */
  wanted: number;
}

/** A key object begins a little before now: who judges it may have a clock that is behind. */
const slack = 10 * minute;

/** A vault over what is kept; `now` is the clock. */
export function createVault(keep: Keep, now: () => number = Date.now): Vault {
  let pin: Pin;
  let trust: Trust;
  let device: Device | undefined;
  let home = '';
  const rooms = new Map<string, Room>();

  const policyNow = (): Policy => {
    const policy = trust.policy();
    must(policy, 'K5 policy_rollback');
    return policy;
  };

  async function keepDevice(next: Device): Promise<void> {
    device = next;
    await keep.update(`${home}device`, () => next);
  }

  const keepSaved = (conv: Bytes, change: (old: Saved) => Saved) =>
    keep.update(`${home}conv/${hex(conv)}`, (old) => change((old as Saved | undefined) ?? { conv }));

  /** Adds to what is believed, and keeps how new it is: nothing older is taken in a later run (K5, K8). */
  async function believe(objects: readonly Bytes[], passOver = false): Promise<void> {
    await trust.add(objects, passOver);
    await trust.add(device?.own.flat() ?? [], true);
    const seen = trust.seen();
    await keep.update(`${home}seen`, (old) => {
      const { version, issued } = (old as Seen | undefined) ?? seen;
      return { version: Math.max(version, seen.version), issued: Math.max(issued, seen.issued) };
    });
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
    const { org, dept, minMode } = pin;
    const transcript = createTranscript({
      trust,
      conv,
      org,
      dept,
      minMode,
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
      wraps: new Map(),
      shown: new Set(),
      sent: new Map(),
      highest,
      wanted: highest?.seq ?? -1,
    };
    rooms.set(hex(conv), made);
    return made;
  }

  const mineOf = ({ begun, conv }: Room, { cert, leaf }: Seat) =>
    begun ? leaf === 0 && equal(cert, conv) : ownCerts.has(hex(cert));
  const ownCerts = new Set<string>();

  const member = (where: Room, seat: Seat): Member => ({
    leaf: seat.leaf,
    role: seat.role,
    name: seat.card?.name ?? '',
    title: seat.card?.title ?? '',
    custody: seat.card?.custody ?? 1,
    mine: mineOf(where, seat),
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

  /** The line that people see of an entry; none for the genesis and for what only machines need. */
  async function line(where: Room, seq: number, taken: Taken): Promise<Line | undefined> {
    if (taken.kind === 1) return undefined;
    if (taken.kind === 2) {
      const { object, seats, uncertain } = taken.epoch;
      const opened = await openLast(where);
      const { time, n, reason } = object;
      return {
        kind: 'roster',
        seq,
        time,
        n,
        reason,
        members: seats.map((seat) => member(where, seat)),
        ...(opened?.state === 'locked' && { locked: opened.why.rule }),
        ...(uncertain && { timeUncertain: true }),
      };
    }
    const { event } = taken;
    const { time, n } = event.object;
    try {
      const payload = await readEvent(event, where.opened.get(n), where.shown);
      const from = member(where, event.from);
      if (payload.type === 1)
        return { kind: 'message', seq, time, from, cid: payload.cid, text: payload.text };
      if (payload.type === 2) return { kind: 'closed', seq, time, from, reason: payload.reason };
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { rule, code } = error;
      return { kind: 'unreadable', seq, time, rule, code };
    }
  }

  /** [L2] Keeps the highest that was seen; another tab may have seen more. */
  async function keepHighest(where: Room): Promise<void> {
    const { transcript, conv } = where;
    const seq = transcript.seq();
    const last = transcript.last();
    if (!last || seq <= (where.highest?.seq ?? -1)) return;
    const highest = { n: last.object.n, epoch: last.object.hash, seq, log: transcript.log() };
    where.highest = highest;
    await keepSaved(conv, (old) => (seq > (old.highest?.seq ?? -1) ? { ...old, highest } : old));
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

  const view = ({ transcript }: Room) => ({ seq: transcript.seq(), log: transcript.log(), now: now() });

  async function seal(conv: Bytes, eventClass: number, cid: Bytes, content: Bytes): Promise<Bytes> {
    const { where, opened } = await ready(conv);
    must(!where.transcript.closed(), 'S8 closed');
    must(!isDepartment(opened.seat), 'V3 not_member', 'accept the conversation first');
    return sealEvent(opened, pin.org, view(where), eventClass, cid, content);
  }

  /** Writes the epoch, and refuses to hand it out unless everybody else would take it. */
  async function write(
    where: Room,
    opened: Open,
    reason: number,
    places: readonly Place[],
    accept = nobody,
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

  const judgement = (dept: Uint8Array) => ({ policy: policyNow(), at: now(), live: true, dept });

  const currentDepartment = (dept: Uint8Array) =>
    trust.find(roles.department, judgement(dept), (cert) => equal(cert.dept, dept));

  const placeOf = ({ leaf, role, cert, box }: Seat): Place => {
    must(box, 'K16 bad_keyobj');
    return { leaf, role, cert, box };
  };

  /** A change of the roster by a member: who stays, with newest keys, and who comes. */
  async function change(
    conv: Bytes,
    reason: number,
    leaving: (seat: Seat, mine: Seat) => boolean,
    coming: readonly { readonly role: number; readonly cert: Bytes; readonly box: KeyObject }[] = [],
  ): Promise<readonly Bytes[]> {
    const { where, opened } = await ready(conv);
    const { transcript } = where;
    const goes = opened.epoch.seats.filter((seat) => leaving(seat, opened.seat));
    const stays: Place[] = [];
    const comes = [...coming];
    for (const seat of opened.epoch.seats.filter((each) => !goes.includes(each))) {
      const { role, card, leaf } = seat;
      if (isDepartment(seat)) {
        const { dept } = card ?? transcript.genesis() ?? { dept: conv };
        const newest = await currentDepartment(dept);
        if (newest && card && newest.card.gen > card.gen) {
          comes.push({ role, cert: newest.card.hash, box: newest.box });
          continue;
        }
        if (goes.some(isPerson)) continue;
      }
      const newest = card && leaf !== opened.seat.leaf ? await trust.keyOf(card) : undefined;
      const old = placeOf(seat);
      stays.push(newest && newest.from > old.box.from ? { ...old, box: newest } : old);
    }
    const first = transcript.nextLeaf();
    return write(where, opened, reason, [
      ...stays,
      ...comes.map((each, at) => ({ ...each, leaf: first + at })),
    ]);
  }

  /** This device's place in a department, by the newest certificate that holds. */
  async function deviceFor(dept: Uint8Array) {
    for (const [cert, key] of (device?.own ?? []).toReversed()) {
      const card = trust.certs.get(hex(await sha256(cert)));
      const box = trust.keys.get(hex(await sha256(key)));
      if (!card || !box || !has(card.departments, dept)) continue;
      try {
        trust.mustHold(card, judgement(dept));
      } catch {
        continue;
      }
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
      pin = given;
      // One browser may be a visitor and an agent's device: neither touches what the other keeps.
      home = `${hex(pin.org)}/${pin.dept ? 'visitor' : 'agent'}/`;
      rooms.clear();
      ownCerts.clear();
      const seen = (await keep.get(`${home}seen`)) as Seen | undefined;
      trust = createTrust(pin.org, pin.minPolicy, now, seen ?? { version: 0, issued: 0 });
      device = (await keep.get(`${home}device`)) as Device | undefined;
      for (const [cert] of device?.own ?? []) ownCerts.add(hex(await sha256(cert)));
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

    async begin() {
      const { org, dept, minMode } = pin;
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
      await keepSaved(conv, (old) => ({ ...old, begun: { at: time, genesis, key, sig, kem } }));
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
      must(from <= transcript.seq() + 1, 'L1 gap', `entry ${transcript.seq() + 1} comes next`);
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
              await keepSaved(conv, (old) => ({ fork: { seq, entry, first }, ...old }));
            throw new Refusal(error.rule, error.code, `entry ${seq}: ${error.sentence}`);
          }
        }
      } finally {
        await keepHighest(where);
      }
      await openLast(where);
      if (complete) transcript.mustBeWhole();
      return lines;
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
        acceptable: Boolean(
          mine && dept && mayAccept(where, mine) && trust.policy() && (await deviceFor(dept)),
        ),
        safety: await safetyNumber(
          conv,
          people.map(({ role, card }) => ({ role, key: card?.pk ?? transcript.genesis()?.pk ?? conv })),
        ),
      };
    },

    async say(conv, text, cid = random(16)) {
      must(cid.length === 16, 'V11 bad_payload', 'a cid has 16 bytes');
      const { sent, transcript } = await room(conv);
      const n = transcript.last()?.object.n ?? -1;
      const before = sent.get(hex(cid));
      if (before?.n === n) {
        must(before.text === text, 'L6 retry', 'another text was sealed with this cid');
        return { cid, event: before.event };
      }
      const event = await seal(conv, 1, cid, textContent(text));
      sent.set(hex(cid), { n, text, event });
      return { cid, event };
    },

    async close(conv, reason) {
      must([1, 2, 3].includes(reason), 'V11 bad_payload');
      return seal(conv, 3, random(16), Uint8Array.of(reason));
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
      const leaf = transcript.nextLeaf();
      const newest = await currentDepartment(genesis.dept);
      const newer = newest && newest.card.gen > (opened.seat.card?.gen ?? 0) ? newest : undefined;
      const places = opened.epoch.seats
        .filter((seat) => seat !== opened.seat || (found.keepDept === 1 && !newer))
        .map(placeOf);
      places.push({ ...mine, leaf });
      if (found.keepDept === 1 && newer) {
        places.push({ leaf: leaf + 1, role: roles.department, cert: newer.card.hash, box: newer.box });
      }
      return write(where, opened, 1, places, leaf);
    },

    rekey: (conv) => change(conv, 3, () => false),
    remove: (conv, leaves) => change(conv, 2, ({ leaf }) => leaves.includes(leaf)),
    reopen: (conv) => change(conv, 5, () => false),

    async transfer(conv, cert, leave) {
      const hash = await sha256(cert);
      await trust.add([cert]);
      const card = trust.certs.get(hex(hash));
      const box = card && (await trust.keyOf(card));
      must(box, 'K16 bad_keyobj');
      return change(conv, 2, (seat, mine) => leave && seat === mine, [{ role: card.kind, cert: hash, box }]);
    },

    async enrol(text) {
      const inv = await readInvitation(text);
      const keys = device ?? (await generate());
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
      await keepDevice({ own: [], departments: [], ...keys, request: await sha256(request) });
      return { request, mac: await enrolmentMac(inv, request) };
    },

    async certified(cert) {
      await trust.add([cert]);
      const hash = await sha256(cert);
      const card = trust.certs.get(hex(hash));
      must(device && card && equal(card.pk, device.pk), 'K10 bad_cert');
      const { sig, kem, own } = device;
      const draft = {
        org: pin.org,
        owner: hash,
        kem: kem.publicKey,
        from: Math.max(now() - slack, card.from),
        until: card.until,
      };
      const key = await signed(5, draft, sig, pin.org);
      await trust.add([key]);
      ownCerts.add(hex(hash));
      await keepDevice({ ...device, own: [...own, [cert, key]] });
      return key;
    },

    async department(cert, object) {
      await trust.add([cert]);
      const hash = await sha256(cert);
      const card = trust.certs.get(hex(hash));
      must(device && card, 'K14 bad_dept_key');
      const wrap = parse(object, 14);
      const boxes = await Promise.all(device.own.map(([, key]) => sha256(key)));
      const to = boxes.find((box) => equal(box, wrap.to)) ?? hash;
      const keys = await openDepartment(wrap, card, [...trust.keys.values()], to, device.kem);
      const old = device.departments.filter((each) => !equal(each.cert, hash));
      await keepDevice({ ...device, departments: [...old, ...keys] });
    },

    async erase(conv) {
      await keep.drop(conv ? `${home}conv/${hex(conv)}` : home);
      if (conv) rooms.delete(hex(conv));
      else {
        rooms.clear();
        device = undefined;
        ownCerts.clear();
      }
    },
  };
  return vault;
}
