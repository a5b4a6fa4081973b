// What makes an organisation's people, departments and services believable:
// policies, status, certificates and key objects (rules K3 to K16), and how a
// device asks for its certificate (section 4.1).
import { ascii, type Bytes, equal, has, hex, hmac, sha256 } from './bytes.ts';
import { checkPublicKey, verify } from './ed25519.ts';
import { checkKemKey } from './hpke.ts';
import { derive, importEpochSecret } from './kdf.ts';
import { type Obj, read } from './objects.ts';
import { must, Refusal, under } from './refusal.ts';

export type Policy = Obj<7>;
export type Certificate = Obj<8>;
export type KeyObject = Obj<5>;
type Status = Obj<9>;

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const sealed = 2;
export const operator = 2;

/** Certificate kinds and roles by name. */
export const roles = { visitor: 1, agent: 2, supervisor: 3, department: 4, bot: 5, server: 8, enroller: 9 };

interface Placed {
  readonly role: number;
}
export const isPerson = ({ role }: Placed) => role === roles.agent || role === roles.supervisor;
export const isDepartment = ({ role }: Placed) => role === roles.department;

/** The right that an enroller needs to certify a kind, as its bit. */
const rightFor: Readonly<Record<number, number>> = { 2: 1, 3: 1, 4: 2, 5: 4, 6: 4, 7: 4, 8: 4 };

/** Refuses unless the last signature of the object, over all before it, is one by the key. */
export function mustBeSigned(
  rule: string,
  object: { readonly bytes: Bytes; readonly sig: Bytes },
  key: Uint8Array,
  org: Uint8Array,
  prefix: Uint8Array = new Uint8Array(),
  content: Uint8Array = object.bytes.subarray(0, -64),
  signature: Uint8Array = object.sig,
): Promise<void> {
  const kind = object.bytes[1] ?? 0;
  return under(
    rule,
    verify(key, kind, org, prefix, content, signature).then((holds) => must(holds, rule)),
  );
}

/** What was seen before, so that nothing older is taken and nothing that was revoked comes back. */
export interface Seen {
  readonly version: number;
  readonly issued: number;
  /** Since when a certificate is revoked, by its hash. */
  readonly revoked?: Iterable<readonly [cert: string, since: number]>;
  /** The lowest generation that counts, and since when. */
  readonly minGen?: Iterable<
    readonly [dept: string, least: { readonly gen: number; readonly since: number }]
  >;
}

/** The newer of each, the earliest `since` of each certificate, and the highest minimum of each department. */
export function unite(a: Seen, b: Seen) {
  const [revoked, minGen] = [new Map(a.revoked), new Map(a.minGen)];
  for (const [cert, since] of b.revoked ?? []) revoked.set(cert, Math.min(since, revoked.get(cert) ?? since));
  for (const [dept, least] of b.minGen ?? []) {
    const old = minGen.get(dept) ?? { gen: -1, since: 0 };
    if (least.gen > old.gen || (least.gen === old.gen && least.since < old.since)) minGen.set(dept, least);
  }
  const [version, issued] = [Math.max(a.version, b.version), Math.max(a.issued, b.issued)];
  return { version, issued, revoked, minGen };
}

/** How a member is judged: by which policy and at which moment. */
export interface Judgement {
  readonly policy: Policy;
  readonly at: number;
  /** The conversation's department, which a department's certificate must name. */
  readonly dept: Uint8Array;
  /** It may be of a generation that has ended (E18). */
  readonly handsOver?: boolean;
}

export type Trust = ReturnType<typeof createTrust>;

export function createTrust(org: Bytes, minPolicy: number, now: () => number, seen: Seen) {
  const policies = new Map<string, Policy>();
  const certs = new Map<string, Certificate>();
  const keys = new Map<string, KeyObject>();
  let current: Policy | undefined;
  let status: Status | undefined;
  let known = unite(seen, { version: minPolicy, issued: 0 });

  /** K6 for an enroller beside a policy; it holds as soon as both are known. */
  const mustFit = (policy: Policy, enroller: Certificate | undefined) =>
    must(
      enroller?.custody !== operator || policy.departments.every(({ mode }) => mode !== sealed),
      'K6 bad_policy',
    );

  const add = {
    async 7(object: Bytes) {
      const policy = await read(object, 7);
      const { root, version, departments, enrollers, maxDays } = policy;
      const same = equal(policy.org, org) && equal(await sha256(root), org);
      must(same, 'K3 wrong_org');
      await mustBeSigned('K4 bad_policy_sig', policy, root, org);
      for (const other of policies.values()) {
        const one = other.version !== version || equal(other.hash, policy.hash);
        must(one, 'K5 policy_rollback');
      }
      checkPublicKey(policy.statusKey);
      const mustAgree = (holds: boolean, what: string) =>
        must(holds, 'K6 bad_policy', `the policy is wrong: ${what}`);
      mustAgree(policy.minVer === 1, 'min_ver');
      for (const { mode, maxDays: days } of [{ mode: 0, maxDays }, ...departments]) {
        mustAgree(days >= 1 && days <= (mode === sealed ? 14 : 30), 'max_cert_days');
      }
      mustAgree(new Set(enrollers.map(hex)).size === enrollers.length, 'enrollers');
      const names = departments.map(({ dept }) => hex(dept));
      const sorted = names.every((name, at) => at === 0 || (names[at - 1] ?? '') < name);
      mustAgree(sorted, 'departments');
      for (const each of enrollers) mustFit(policy, certs.get(hex(each)));
      policies.set(hex(policy.hash), policy);
    },

    async 9(object: Bytes) {
      const next = await read(object, 9);
      must(current, 'K5 policy_rollback');
      must(equal(next.org, org), 'K3 wrong_org');
      await mustBeSigned('K7 bad_status_sig', next, current.statusKey, org);
      mustBeFresh(next);
      const { version, hash } = current;
      const named = next.version < version || (next.version === version && equal(next.policy, hash));
      must(named, 'K5 policy_rollback');
      status = next;
      known = unite(known, {
        version: 0,
        issued: next.issued,
        revoked: next.revoked.map(({ cert, since }) => [hex(cert), since]),
        minGen: next.minGen.map(({ dept, gen, since }) => [hex(dept), { gen, since }]),
      });
    },

    async 8(object: Bytes) {
      const cert = await read(object, 8);
      checkPublicKey(cert.pk);
      const rule = 'K9 bad_enroller';
      if (cert.kind === roles.enroller) {
        const [policy] = policies.values();
        must(equal(cert.issuer, org), 'K10 bad_cert');
        must(policy, rule);
        await mustBeSigned(rule, cert, policy.root, org);
      } else {
        const issuer = certs.get(hex(cert.issuer));
        must(issuer?.kind === roles.enroller, rule);
        const right = issuer.rights & (rightFor[cert.kind] ?? 0);
        must(right, rule);
        await mustBeSigned('K10 bad_cert', cert, issuer.pk, org);
      }
      must(equal(cert.org, org), 'K10 bad_cert');
      certs.set(hex(cert.hash), cert);
    },

    async 5(object: Bytes) {
      const key = await read(object, 5);
      await checkKemKey(key.kem);
      // A visitor's is judged with its conversation, whose id is its owner.
      const owner = certs.get(hex(key.owner));
      if (owner) await mustOwn(key, owner.pk);
      keys.set(hex(key.hash), key);
    },
  };

  const lists = (policy: Policy, enroller: Certificate) => has(policy.enrollers, enroller.hash);

  const mustOwn = async (key: KeyObject, owner: Uint8Array) => {
    must(equal(key.org, org), 'K16 bad_keyobj');
    await mustBeSigned('K16 bad_keyobj', key, owner, org);
  };

  /** [K8] The status, when it holds now. */
  function mustBeFresh(given = status): Status {
    const rule = 'K8 stale_status';
    const time = now();
    must(given, rule);
    must(time <= given.until, rule, 'the status has ended: load a new one, or set the clock');
    must(given.until - given.issued <= day, rule);
    must(given.issued <= time + 5 * minute, rule, 'the status is from the future: set the clock');
    must(given.issued >= known.issued, rule);
    return given;
  }

  /** [K5, K8] What happens now needs a current policy and a status that holds. */
  function mustBeLive(): void {
    must(current, 'K5 policy_rollback');
    mustBeFresh();
  }

  const within = (at: number, { from, until }: { readonly from: number; readonly until: number }) =>
    at >= from && at <= until;

  /** [K9 to K12, K14] Refuses a certificate that does not hold by the judgement. */
  function mustHold(cert: Certificate, { policy, at, dept, handsOver }: Judgement): void {
    must(cert.kind !== roles.enroller, 'K10 bad_cert');
    const enroller = certs.get(hex(cert.issuer));
    mustFit(policy, enroller);
    const lasts = enroller && enroller.until - enroller.from <= 400 * day;
    must(lasts && lists(policy, enroller) && within(at, enroller), 'K9 bad_enroller');
    const days = (cert.until - cert.from) / day;
    const rule = 'K11 cert_time';
    must(within(at, cert), rule);
    must(cert.until <= enroller.until, rule);
    const listed = policy.departments.filter((line) => has(cert.departments, line.dept));
    const ofDepartment = cert.kind === roles.department;
    const most = ofDepartment ? 90 : Math.min(policy.maxDays, ...listed.map(({ maxDays }) => maxDays));
    must(days <= most, rule, `the certificate lasts more than ${most} days`);
    for (const one of [cert.hash, cert.issuer])
      must((known.revoked.get(hex(one)) ?? at + 1) > at, 'K12 revoked');
    if (!ofDepartment) return;
    const least = known.minGen.get(hex(dept));
    const ended = least && least.since <= at && cert.gen < least.gen && !handsOver;
    const named = equal(cert.dept, dept) && !ended;
    must(named, 'K14 bad_dept_key');
  }

  function holds(cert: Certificate, judgement: Judgement): boolean {
    try {
      mustHold(cert, judgement);
      return true;
    } catch {
      return false;
    }
  }

  /** [K16] Refuses a key object that is not its owner's, or not at this time. */
  async function mustHoldKey(
    key: KeyObject,
    owner: Bytes,
    pk: Uint8Array,
    at: number,
    cert?: Certificate,
  ): Promise<void> {
    const rule = 'K16 bad_keyobj';
    must(equal(key.owner, owner), rule);
    must(within(at, key), rule);
    const inside = cert
      ? key.from >= cert.from && key.until <= cert.until
      : key.until - key.from <= 400 * day;
    must(inside, rule);
    await mustOwn(key, pk);
  }

  /** The newest key object of a certificate that holds now. */
  async function keyOf(cert: Certificate): Promise<KeyObject | undefined> {
    const mine = [...keys.values()]
      .filter((key) => equal(key.owner, cert.hash))
      .sort((a, b) => b.from - a.from);
    for (const key of mine) {
      try {
        await mustHoldKey(key, cert.hash, cert.pk, now(), cert);
        return key;
      } catch {}
    }
    return undefined;
  }

  return {
    policies,
    certs,
    keys,
    mustBeLive,
    mustHold,
    holds,
    mustHoldKey,
    keyOf,
    policy: () => current,
    seen: () => known,

    /** Verifies and remembers, whatever the order. What is wrong is left out and refused, or only left out. */
    async add(objects: readonly Bytes[], passOver = false): Promise<void> {
      const alien = objects.some(({ 1: kind = 0 }) => !(kind in add));
      let refused = alien ? new Refusal('P3', 'bad_kind', 'bad kind') : undefined;
      const each = async (kind: 5 | 7 | 8 | 9, chosen: (object: Bytes) => boolean = () => true) => {
        for (const object of objects.filter((one) => one[1] === kind && chosen(one))) {
          const name = hex(await sha256(object));
          if (policies.has(name) || certs.has(name) || keys.has(name)) continue;
          try {
            await add[kind](object);
          } catch (error) {
            refused ??= error as Refusal;
          }
        }
      };
      const isEnroller = (object: Bytes) => object[36] === roles.enroller;
      await each(7);
      const newest = [...policies.values()].reduce<Policy | undefined>(
        (best, policy) => (best && best.version >= policy.version ? best : policy),
        undefined,
      );
      if (newest && newest !== current) {
        if (newest.version >= known.version) {
          current = newest;
          known = { ...known, version: newest.version };
        } else refused ??= new Refusal('K5', 'policy_rollback', 'an older policy');
      }
      await each(9);
      await each(8, isEnroller);
      await each(8, (object) => !isEnroller(object));
      await each(5);
      if (refused && !passOver) throw refused;
    },

    /** The valid certificates of a role that `fits`, with their key objects, newest first. */
    async find(
      role: number,
      judgement: Judgement,
      fits: (cert: Certificate) => boolean,
    ): Promise<{ readonly card: Certificate; readonly box: KeyObject } | undefined> {
      const all = [...certs.values()].filter((cert) => cert.kind === role && fits(cert));
      for (const card of all.sort((a, b) => b.gen - a.gen || b.from - a.from)) {
        const box = holds(card, judgement) && (await keyOf(card));
        if (box) return { card, box };
      }
      return undefined;
    },
  };
}

/** Crockford's base 32: no I, L, O and U. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

async function checkBits(inv: Uint8Array): Promise<string> {
  return bits((await sha256(ascii('asc1 invitation'), inv)).subarray(0, 3)).slice(0, 22);
}

const bits = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');

/** The text of an invitation of 16 bytes: 30 characters in six groups, of which the last 22 bits are a check. */
export async function invitationText(inv: Uint8Array): Promise<string> {
  const all = `${bits(inv)}${await checkBits(inv)}`;
  return all.replace(/.{5}/g, (five) => letters[Number.parseInt(five, 2)] ?? '').replace(/.{5}(?=.)/g, '$&-');
}

/** The 16 bytes of an invitation's text, however it is grouped and in either case. */
export async function readInvitation(text: string): Promise<Bytes> {
  const plain = text.toUpperCase().replace(/[ -]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const all = Array.from(plain, (letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const inv = Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(all.slice(8 * at, 8 * at + 8), 2));
  const right = /^[01]{150}$/.test(all) && all.slice(128) === (await checkBits(inv));
  must(right, 'K17 bad_enrolment', 'the invitation is mistyped: it has six groups of five characters');
  return inv;
}

async function fromInvitation(inv: Bytes, info: string, n: number): Promise<Bytes> {
  return derive(await importEpochSecret(inv), ascii(info), n);
}

/** How a request names its invitation; 16 bytes. */
export function invitationId(inv: Bytes): Promise<Bytes> {
  return fromInvitation(inv, 'asc1 invitation id', 16);
}

/** The MAC that travels with a request; 32 bytes. */
export async function enrolmentMac(inv: Bytes, request: Uint8Array): Promise<Bytes> {
  return hmac(await fromInvitation(inv, 'asc1 enrol', 32), await sha256(request));
}

/** [K17] The request, when its invitation is this one, which was not used, and all of it is right. */
export async function checkEnrolment(
  request: Bytes,
  mac: Uint8Array,
  inv: Bytes,
  org: Bytes,
  now: number,
  used: boolean,
): Promise<Obj<10>> {
  const rule = 'K17 bad_enrolment';
  const asked = await read(request, 10);
  must(equal(asked.org, org), rule);
  await mustBeSigned(rule, asked, asked.pk, org);
  must(equal(asked.invitation, await invitationId(inv)), rule);
  must(equal(mac, await enrolmentMac(inv, request)), rule);
  must(!used, rule);
  const age = now - asked.time;
  must(age < day && age >= -5 * minute, rule);
  return asked;
}
