// One conversation as everybody can verify it: genesis, epochs, events and
// grants in the order of the log (rules G, E, V1 to V7, R but R7 and R9, L and
// S8). There are no secrets here.
import { type Bytes, concat, equal, has, hex, sha256 } from './bytes.ts';
import { logNext, logStart } from './log.ts';
import { core, nobody, type Obj, read } from './objects.ts';
import { must, Refusal, under } from './refusal.ts';
import {
  type Certificate,
  hour,
  isDepartment,
  isPerson,
  type Judgement,
  type KeyObject,
  minute,
  mustBeSigned,
  operator,
  type Policy,
  roles,
  sealed,
  type Trust,
} from './trust.ts';

/** One line of a verified roster. The visitor has no certificate. */
export interface Seat {
  readonly leaf: number;
  readonly role: number;
  readonly cert: Bytes;
  readonly key: Bytes;
  readonly card?: Certificate | undefined;
  readonly box?: KeyObject | undefined;
}

export interface Epoch {
  readonly object: Obj<2>;
  readonly seq: number;
  readonly coreHash: Bytes;
  readonly seats: readonly Seat[];
  /** [K18] Leaves that are another device of the author, a person that was a member before. */
  readonly second: readonly number[];
  /** Its time is more than ten minutes off (E29). */
  readonly uncertain: boolean;
}

export interface Event {
  readonly object: Obj<3>;
  readonly epoch: Epoch;
  readonly from: Seat;
}

export interface Grant {
  readonly object: Obj<4>;
  readonly from: Seat;
  readonly to: Seat;
  /** Those whose secrets it gives, in order. */
  readonly epochs: readonly Epoch[];
}

export type Taken =
  | { readonly kind: 1; readonly genesis: Obj<1> }
  | { readonly kind: 2; readonly epoch: Epoch }
  | { readonly kind: 3; readonly event: Event }
  | { readonly kind: 4; readonly grant: Grant };

/** The highest that was ever seen of a conversation. */
export interface Highest {
  readonly n: number;
  readonly epoch: Bytes;
  readonly seq: number;
  readonly log: Bytes;
  /** When this reader last had the whole log, by its own clock. */
  readonly seenAt: number;
}

export interface Setting {
  readonly trust: Trust;
  readonly conv: Bytes;
  readonly org: Bytes;
  /** The page's department and weakest mode. */
  readonly dept?: Bytes | undefined;
  readonly minMode: number;
  readonly now: () => number;
  /** The visitor's own genesis. */
  readonly own?: Bytes | undefined;
  readonly highest?: Highest | undefined;
  /** The entry at which a fork was seen. */
  readonly forked?: number | undefined;
}

/** Where a class may come from: a bit for each role. */
const senders: Readonly<Record<number, number>> = { 1: 0x12e, 2: 0x16e, 3: 0xe, 4: 0x1ee };

/** Whether two members are devices of one person. */
const sameSubject = ({ card: a }: Seat, { card: b }: Seat): boolean =>
  a !== undefined && b !== undefined && equal(a.subject, b.subject);

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

const forkAt = (seq: number) =>
  new Refusal('L3', 'fork', `this conversation was shown differently before, at entry ${seq}`);

export type Transcript = ReturnType<typeof createTranscript>;

export function createTranscript(setting: Setting) {
  const { trust, conv, org, dept, minMode, now, own, highest, forked } = setting;
  const logs: Bytes[] = [];
  const hashes: Bytes[] = [];
  const epochs: Epoch[] = [];
  const seen = new Set<string>();
  let genesis: Obj<1> | undefined;
  let closed = false;
  let whole = false;
  let top = -1;
  let latest = 0;
  let fork = forked === undefined ? undefined : forkAt(forked);

  const last = () => epochs.at(-1);
  const lineOf = (policy: Policy | undefined, department: Uint8Array) =>
    policy?.departments.find((line) => equal(line.dept, department));

  /** When an entry is judged: at its time, and now when it is live. What is new since a visit is not older than that. */
  function momentsOf(time: number, live: boolean): readonly number[] {
    if (live) return [time, now()];
    const isNew = highest && logs.length > highest.seq;
    return [isNew ? Math.max(time, Math.min(highest.seenAt, now()) - 10 * minute) : time];
  }

  /** E6 and V6. */
  const mustSee = (
    rule: string,
    { seenSeq, seenLog }: { readonly seenSeq: number; readonly seenLog: Bytes },
  ) => {
    const there = logs[seenSeq];
    must(there && equal(there, seenLog), `${rule} log_mismatch`);
  };

  async function examineGenesis(object: Bytes, live: boolean) {
    const next = await under('G1 bad_genesis', read(object, 1));
    await mustBeSigned('G2 genesis_sig', next, next.pk, next.org);
    must(equal(next.hash, conv), 'G3 conv_mismatch');
    must(equal(next.org, org), 'G4 wrong_org');
    const policy = trust.policies.get(hex(next.policy));
    const young = policy && (!live || policy.version >= trust.seen().version);
    must(young, 'G5 policy_rollback');
    const line = lineOf(policy, next.dept);
    const right = line && (!dept || equal(dept, next.dept));
    must(right, 'G6 wrong_dept');
    const agreed = next.mode === line.mode && next.mode >= minMode;
    must(agreed, 'G7 mode_mismatch');
    if (live) mustBeYoung(next, line.maxAgeHours);
    must(!own || equal(own, object), 'G9 not_my_genesis');
    return () => {
      genesis = next;
      return { kind: 1, genesis: next } as const;
    };
  }

  /** [G8] What a conversation must be when it is accepted. */
  function mustBeYoung({ time }: { readonly time: number }, maxAgeHours: number): void {
    const age = now() - time;
    const fits = age <= maxAgeHours * hour && age >= -5 * minute;
    must(fits, 'G8 genesis_age');
  }

  async function examineEpoch(object: Bytes, live: boolean) {
    const next = await under('E1 bad_epoch', read(object, 2));
    must(genesis, 'G1 bad_genesis');
    const { n, time, author, accept, reason, members } = next;
    const before = last();
    const comesBack = reason === 5;
    const opener = before?.seats.find(({ leaf }) => leaf === author);
    const mayOpen = opener && (opener.role === roles.visitor || isPerson(opener));
    must(closed ? comesBack && mayOpen : !comesBack, 'S8 closed');
    must(equal(next.conv, conv), 'E2 wrong_conv');
    must(n === epochs.length, 'E3 epoch_skip');
    const chained = equal(next.prev, before?.object.hash ?? conv);
    must(chained, 'E4 epoch_fork');
    const same = !highest || n !== highest.n || equal(next.hash, highest.epoch);
    must(same, 'E5 epoch_rollback');
    mustSee('E6', next);

    const ascending = members.every(({ leaf }, at) => at === 0 || (members[at - 1]?.leaf ?? 0) < leaf);
    const few = members.length > 0 && members.length <= 16;
    must(few && ascending, 'E7 bad_roster');
    const old = new Map(before?.seats.map((seat) => [seat.leaf, seat]));
    for (const { leaf, cert } of members) {
      const was = old.get(leaf);
      must(was ? equal(was.cert, cert) : leaf > top && leaf <= top + 16 && leaf < nobody, 'E8 leaf_reuse');
    }
    const seats: Seat[] = members.map((member) => ({
      ...member,
      card: trust.certs.get(hex(member.cert)),
      box: trust.keys.get(hex(member.key)),
    }));
    const signing = ({ leaf, card }: Seat) => (leaf === 0 ? genesis?.pk : card?.pk);
    const named = seats.flatMap((seat) => {
      const parts = [seat.cert, signing(seat), seat.box?.kem, seat.key];
      return parts.flatMap((part, at) => (part ? [`${at} ${hex(part)}`] : []));
    });
    must(new Set(named).size === named.length, 'E9 dup_member');
    const visitors = seats.filter(({ role }) => role === roles.visitor);
    const [visitor] = visitors;
    const alone = visitor?.leaf === 0 && visitors.length === 1 && equal(visitor.cert, conv);
    must(alone, 'E10 visitor_rule');

    const added = seats.filter(({ leaf }) => !old.has(leaf));
    const removed = [...old.values()].filter(({ leaf }) => !members.some((member) => member.leaf === leaf));
    const changed = seats.filter(({ leaf, key }) => {
      const was = old.get(leaf);
      return was && !equal(was.key, key);
    });
    for (const { leaf, box } of changed) {
      if (leaf === author) continue;
      must(leaf !== 0, 'E11 visitor_rekey');
      const later = box && box.from > (old.get(leaf)?.box?.from ?? 0);
      must(later, 'E12 member_rekey');
    }
    for (const { leaf, role, card } of seats) {
      must(leaf === 0 || !card || card.kind === role, 'E13 role_mismatch');
    }

    const policy = trust.policies.get(hex(next.policy));
    must(policy, 'E23 policy_rollback');
    const judgement = { policy, dept: genesis.dept };
    const moments = momentsOf(time, live);
    if (live) trust.mustBeLive();
    await mustHold('E14 bad_member', seats, moments, judgement, true);

    const line = lineOf(policy, genesis.dept);
    for (const { leaf, role, card } of seats) {
      const allowed = line?.mode === genesis.mode && (leaf === 0 || (line.roles >> role) & 1);
      const issuer = card && trust.certs.get(hex(card.issuer));
      const operated = role === roles.server || card?.custody === operator || issuer?.custody === operator;
      const mode = 'E15 mode_violation';
      must(allowed, mode);
      must(genesis.mode !== sealed || !operated, mode);
    }
    const mandatory = line?.mandatory ?? [];
    for (const wanted of mandatory) {
      const there = seats.some(
        ({ role, card }) => role === wanted.role && card && equal(card.subject, wanted.subject),
      );
      must(there, 'E16 mandatory_missing');
    }
    const bots = added.some(({ role }) => role === roles.bot);
    const consent = genesis.mode !== sealed || n === 0 || author === 0 || !bots;
    must(consent, 'E17 bot_consent');

    const writer = before ? old.get(author) : author === 0 ? visitor : undefined;
    must(writer, 'E18 not_author');
    const accepting = accept !== nobody;
    await mustHold('E18 not_author', [writer], moments, { ...judgement, handsOver: accepting });
    const rule = 'E19 author_right';
    const is = writer.role;
    if (before && added.length + removed.length + changed.length > 0) {
      const person = isPerson(writer);
      const ofDepartment = isDepartment(writer);
      const free = is === roles.visitor || person;
      for (const { leaf } of changed) must(free || (leaf === author && !ofDepartment), rule);
      for (const seat of removed) {
        const mine = ofDepartment && accepting && seat.leaf === author;
        must(free || mine, rule);
      }
      for (const seat of added) {
        const { role, card } = seat;
        const demanded = mandatory.some(
          (line) => line.role === role && card && equal(card.subject, line.subject),
        );
        const newer = removed.length > 0 && (card?.gen ?? 0) > (writer.card?.gen ?? 0);
        const may =
          is === roles.visitor
            ? isDepartment(seat) || role === roles.bot || demanded
            : person
              ? (!comesBack || demanded) && (role !== roles.bot || genesis.mode !== sealed)
              : ofDepartment && accepting && (isPerson(seat) || (isDepartment(seat) && newer));
        must(may, rule);
      }
      const stays = accepting && line?.keepDept !== 1 && seats.some(isDepartment);
      const taken = line?.takeover !== 1 && before.seats.some(isPerson);
      must(!ofDepartment || !(stays || taken), rule);
    }
    const accepted = accepting ? added.find(({ leaf }) => leaf === accept) : undefined;
    if (accepting) {
      const { card } = accepted ?? {};
      const subject = (seat: Seat) =>
        isDepartment(seat) || (card && seat.card && equal(seat.card.subject, card.subject));
      const listed = card && has(card.departments, genesis.dept);
      const right =
        is === roles.department && accepted && isPerson(accepted) && listed && added.every(subject);
      must(right, 'E20 bad_accept');
    }
    if (removed.some(isPerson)) {
      const gen = Math.max(-1, ...[...old.values()].filter(isDepartment).map(({ card }) => card?.gen ?? 0));
      const fresh = seats
        .filter(isDepartment)
        .every(({ leaf, card }) => !old.has(leaf) && (card?.gen ?? 0) > gen);
      must(fresh, 'E21 dept_stale');
    }
    const sig = 'E22 epoch_sig';
    must(accepting === (next.countersig !== undefined), sig);
    const pk = signing(writer) ?? conv;
    const content = object.subarray(0, object.length - (accepting ? 128 : 64));
    await mustBeSigned(sig, next, pk, org, undefined, content);
    if (accepted?.card && next.countersig) {
      await mustBeSigned(
        sig,
        next,
        accepted.card.pk,
        org,
        undefined,
        object.subarray(0, -64),
        next.countersig,
      );
    }
    const least = before ? before.object.version : policy.version;
    const known = next.version === policy.version && policy.version >= least;
    const first = before || equal(next.policy, genesis.policy);
    const newest = trust.policy();
    const late = live && newest && newest.version > policy.version && newest.time + 5 * minute < now();
    must(known && first && !late, 'E23 policy_rollback');
    // Until there are notes, and a key log (E28).
    must(isZero(next.notes) && isZero(next.logRoot), 'E24 notes_changed');
    const counted = next.wraps.length === members.length;
    must(counted, 'E25 wrap_count');
    if (!before) {
      const right = seats.every(({ leaf, role, card }, at) => {
        const line = mandatory[at - 2];
        const fits = at < 2 ? role === (at ? roles.department : roles.visitor) : line && role === line.role;
        return leaf === at && fits && (at < 2 || (card && line && equal(card.subject, line.subject)));
      });
      const all = seats.length === 2 + mandatory.length;
      must(right && all, 'E26 bad_epoch0');
    }
    const budget = 'E27 epoch_budget';
    const mine = epochs.filter(
      ({ object: each, seats: all }) =>
        each.n > 0 && Math.abs(each.time - time) < hour && equal(authorOf(each, all), writer.cert),
    );
    const adds = mine.reduce((sum, epoch) => sum + addedBy(epoch), added.length);
    must(!before || (mine.length < 20 && adds <= 6), budget);
    const removes = removed.length > 0 && added.length + changed.length === 0;
    must(n < 2000 && (n < 1800 || removes), budget);
    const repeats = before && added.length + removed.length + changed.length === 0;
    const soon = repeats && !comesBack && Math.abs(time - before.object.time) < minute;
    must(!soon, budget);

    const uncertain = time > now() + 10 * minute || time < latest - 10 * minute;
    const second = added.filter(
      (seat) => before && isPerson(seat) && isPerson(writer) && sameSubject(seat, writer),
    );
    const epoch: Epoch = {
      object: next,
      seq: logs.length,
      coreHash: await sha256(core(next)),
      seats,
      second: second.map(({ leaf }) => leaf),
      uncertain,
    };
    return () => {
      epochs.push(epoch);
      top = Math.max(top, ...members.map(({ leaf }) => leaf));
      latest = Math.max(latest, time);
      closed = false;
      return { kind: 2, epoch } as const;
    };
  }
  // The certificate of an author: its leaf stands in the epoch before or, being kept, in this one.
  const authorOf = (object: Obj<2>, seats: readonly Seat[]) =>
    (epochs[object.n - 1]?.seats ?? seats).find(({ leaf }) => leaf === object.author)?.cert ?? conv;
  const addedBy = ({ object, seats }: Epoch) => {
    const before = epochs[object.n - 1]?.seats ?? [];
    return seats.filter(({ leaf }) => !before.some((seat) => seat.leaf === leaf)).length;
  };

  /** K9 to K14 for members at each of the moments, and K16 with their keys; the visitor has no certificate. */
  async function mustHold(
    rule: string,
    seats: readonly Seat[],
    moments: readonly number[],
    judgement: Omit<Judgement, 'at'>,
    keys = false,
  ): Promise<void> {
    const one = async ({ leaf, card, box, cert }: Seat, at: number) => {
      if (leaf !== 0) {
        must(card, 'K10 bad_cert');
        trust.mustHold(card, { ...judgement, at });
      }
      if (!keys) return;
      must(box, 'K16 bad_keyobj');
      await trust.mustHoldKey(box, cert, card?.pk ?? genesis?.pk ?? conv, at, card);
    };
    for (const at of moments) for (const seat of seats) await under(rule, one(seat, at));
  }

  async function examineEvent(object: Bytes, live: boolean) {
    const next = await under('V1 bad_event', read(object, 3));
    must(genesis && !closed, 'S8 closed');
    const current = last();
    const epoch = epochs[next.n];
    const sits = (where: Epoch | undefined) => where?.seats.find(({ leaf }) => leaf === next.leaf);
    const from = sits(epoch);
    const late =
      current &&
      next.n === current.object.n - 1 &&
      from &&
      sits(current) &&
      next.seenSeq < current.seq &&
      logs.length <= current.seq + 64;
    const fits = epoch && (epoch === current || late);
    must(fits, 'V2 epoch_stale');
    const may = from && ((senders[next.class] ?? 0) >> from.role) & 1;
    must(may, 'V3 not_member');
    const policy = trust.policies.get(hex(epoch.object.policy));
    must(policy, 'V4 revoked');
    await mustHold('V4 revoked', [from], momentsOf(next.time, live), { policy, dept: genesis.dept });
    const name = `${next.leaf} ${hex(next.msgId)}`;
    must(!seen.has(name) && !seen.has(hex(next.hash)), 'V5 duplicate_event');
    mustSee('V6', next);
    const pk = from.card?.pk ?? genesis?.pk ?? conv;
    await mustBeSigned('V7 event_sig', next, pk, org, concat(conv, epoch.object.hash));
    return () => {
      seen.add(name).add(hex(next.hash));
      latest = Math.max(latest, next.time);
      if (next.class === 3) closed = true;
      return { kind: 3, event: { object: next, epoch, from } } as const;
    };
  }

  async function examineGrant(object: Bytes, live: boolean) {
    const next = await under('R1 bad_grant', read(object, 4));
    must(genesis && !closed, 'S8 closed');
    const current = last();
    const mine = equal(next.conv, conv) && current && equal(next.epoch, current.object.hash);
    must(mine, 'R2 epoch_stale');
    const right = 'R3 grant_right';
    const sits = (leaf: number) => current.seats.find((seat) => seat.leaf === leaf);
    const [from, to] = [sits(next.author), sits(next.toLeaf)];
    const gives = from && (from.role === roles.visitor || isPerson(from) || from.role === roles.server);
    const takes = to && isPerson(to) && to !== from;
    const granted = epochs.slice(next.fromN, next.toN + 1);
    const there = next.toN < epochs.length && granted.every(({ seats }) => seats.some(same(from?.cert)));
    must(gives && takes && there, right);
    const policy = trust.policies.get(hex(current.object.policy));
    must(policy, right);
    const judgement = { policy, dept: genesis.dept };
    await mustHold(right, [from, to], momentsOf(next.time, live), judgement);
    must(sameSubject(from, to) || lineOf(policy, genesis.dept)?.history === 1, 'R4 grant_policy');
    must(!seen.has(hex(next.hash)), 'R10 duplicate_grant');
    mustSee('R5', next);
    await mustBeSigned('R6 grant_sig', next, from.card?.pk ?? genesis.pk, org);
    must(next.ct.length === 32 * granted.length + 16, 'R8 grant_length');
    return () => {
      seen.add(hex(next.hash));
      latest = Math.max(latest, next.time);
      return { kind: 4, grant: { object: next, from, to, epochs: granted } } as const;
    };
  }
  const same =
    (cert: Bytes | undefined) =>
    (seat: Seat): boolean =>
      cert !== undefined && equal(seat.cert, cert);

  /** All checks of the next entry; what comes back takes it. A refusal leaves everything as it was. */
  async function examine(object: Bytes, live = whole): Promise<() => Taken> {
    if (fork) throw fork;
    const seq = logs.length;
    const kind = object[1];
    const later = { 2: examineEpoch, 3: examineEvent, 4: examineGrant }[kind ?? 0];
    const which = seq === 0 ? examineGenesis : later;
    must(which, 'P3 bad_kind');
    const accept = await which(object, live);
    const log = seq === 0 ? await logStart(conv) : await logNext(logs[seq - 1] ?? conv, seq, object);
    if (highest && seq === highest.seq && !equal(log, highest.log)) stop(seq);
    const hash = await sha256(object);
    return () => {
      logs.push(log);
      hashes.push(hash);
      return accept();
    };
  }

  function stop(seq: number): never {
    fork = forkAt(seq);
    throw fork;
  }

  return {
    conv,
    last,
    examine,
    mustBeYoung,
    lineOf,
    genesis: () => genesis,
    /** Sequence of the last entry, -1 before the first; L there. */
    seq: () => logs.length - 1,
    log: () => logs.at(-1) ?? conv,
    epochs: epochs as readonly Epoch[],
    closed: () => closed,
    nextLeaf: () => top + 1,
    forked: () => fork,
    /** [L2] Refuses a log that has ended before what was seen; from here on entries are live. */
    mustBeWhole(): void {
      must(logs.length > (highest?.seq ?? -1), 'L2 rollback');
      whole = logs.length > 0;
    },
    isWhole: () => whole,
    stop,
    /** L at each entry that was taken, and its SHA-256. */
    logs: logs as readonly Bytes[],
    hashes: hashes as readonly Bytes[],
    async take(object: Bytes, live?: boolean): Promise<Taken> {
      return (await examine(object, live))();
    },
    /** Passes over an entry that was taken; another one in its place is a fork (L3). */
    async compare(seq: number, object: Bytes): Promise<void> {
      if (fork) throw fork;
      if (!equal(hashes[seq] ?? conv, await sha256(object))) stop(seq);
    },
  };
}
