// Rules K3 to K17 of trust: what an organisation's keys must hold.
import { beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, concat, hex, random, sha256 } from './bytes.ts';
import { signed } from './objects.ts';
import { type Actor, makeOrg, type Org } from './org.testing.ts';
import {
  checkEnrolment,
  createTrust,
  day,
  enrolmentMac,
  invitationId,
  invitationText,
  type Judgement,
  minute,
  readInvitation,
  type Trust,
} from './trust.ts';
import { kemKeyPair } from './xwing.ts';

const rule = (name: string, code: string) => expect.objectContaining({ name: 'Refusal', rule: name, code });
const hour = 60 * minute;
const flipLast = (object: Bytes): Bytes => {
  const other = concat(object);
  other[other.length - 40] = (other.at(-40) ?? 0) ^ 1;
  return other;
};
/** y = 1: the neutral element, which verifies what nobody signed. */
const weak = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0));

let world: Org;
let trust: Trust;
beforeEach(async () => {
  world = await makeOrg();
  trust = await world.trusted([]);
});
const empty = (minPolicy = 0, version = 0, issued = 0) =>
  createTrust(world.org, minPolicy, () => world.clock.now, { version, issued });

describe('policy', () => {
  const refuses = (object: Bytes, name: string, code: string) =>
    expect(trust.add([object])).rejects.toEqual(rule(name, code));

  test('[K3] another root, and a root that org_id is not the hash of', async () => {
    const other = await makeOrg();
    await refuses(other.first, 'K3', 'wrong_org');
    await refuses(await world.policy({ version: 2, root: other.root.pk }), 'K3', 'wrong_org');
    await refuses(await world.policy({ version: 2, org: other.org }), 'K3', 'wrong_org');
  });

  test('[K4] a signature of another key, or over other bytes', async () => {
    const policy = await world.policy({ version: 2 });
    await refuses(flipLast(policy), 'K4', 'bad_policy_sig');
    const forged = concat(policy.subarray(0, -64), flipLast(policy).subarray(-64));
    await refuses(forged, 'K4', 'bad_policy_sig');
  });

  test('[K5] below the stored version, the minimum of the page, or the status', async () => {
    const second = await world.policy({ version: 2 });
    await expect(empty(2).add([world.first])).rejects.toEqual(rule('K5', 'policy_rollback'));
    await expect(empty(0, 2).add([world.first])).rejects.toEqual(rule('K5', 'policy_rollback'));
    const fresh = empty(2, 2);
    await fresh.add([world.first, second]);
    expect(fresh.policy()?.version).toBe(2);
    const newer = await world.status({ version: 2, policy: await sha256(second) });
    await expect(trust.add([newer])).rejects.toEqual(rule('K5', 'policy_rollback'));
    await trust.add([newer, second]);
    expect(trust.seen().version).toBe(2);
  });

  test('[K5] the version of the status with another hash, and two policies of one version', async () => {
    const status = await world.status({ policy: random(32) });
    await expect(trust.add([status])).rejects.toEqual(rule('K5', 'policy_rollback'));
    await refuses(await world.policy(), 'K5', 'policy_rollback');
  });

  test('[K5] an older policy is kept for history and does not become the current one', async () => {
    const second = await world.policy({ version: 2 });
    const fresh = empty();
    await fresh.add([second]);
    await fresh.add([world.first]);
    expect(fresh.policy()?.version).toBe(2);
    expect(fresh.policies.size).toBe(2);
  });

  test('[K6] what does not agree with itself', async () => {
    const [a, b] = [world.dept, random(16)].sort((x, y) => (hex(x) < hex(y) ? -1 : 1));
    const cert = world.issuer.cert;
    const wrong = [
      world.policy({ version: 2, minVer: 2 }),
      world.policy({ version: 2, maxDays: 0 }),
      world.policy({ version: 2, maxDays: 31 }),
      world.policy({ version: 2 }, [{ maxDays: 15 }]),
      world.policy({ version: 2 }, [{ maxDays: 0 }]),
      world.policy({ version: 2 }, [{ mode: 1, maxDays: 31 }]),
      world.policy({ version: 2, enrollers: [cert, cert] }),
      world.policy({ version: 2 }, [{}, {}]),
      world.policy({ version: 2 }, [{ dept: b }, { dept: a }] as never),
    ];
    for (const policy of wrong) await refuses(await policy, 'K6', 'bad_policy');
    await trust.add([await world.policy({ version: 2 }, [{ dept: a }, { dept: b }] as never)]);
  });

  test("[K6] an operator's enroller beside a sealed department, whichever is known first", async () => {
    const operator = await world.enroller({ custody: 2 });
    const enrollers = [world.issuer.cert, operator.cert];
    const policy = await world.policy({ version: 2, enrollers });
    await trust.add([operator.card]);
    await refuses(policy, 'K6', 'bad_policy');
    const other = empty();
    const agent = await world.actor({}, operator);
    await other.add([policy, operator.card, agent.card], true);
    const [known, card] = [other.policy(), other.certs.get(hex(agent.cert))];
    if (!known || !card) throw new Error('they were not taken');
    const judged = { policy: known, at: world.clock.now, dept: world.dept };
    expect(() => other.mustHold(card, judged)).toThrow(rule('K6', 'bad_policy'));
    await trust.add([await world.policy({ version: 2, enrollers }, [{ mode: 1 }])]);
  });
});

describe('status', () => {
  const refuses = async (object: Promise<Bytes>, name: string, code: string) =>
    expect(trust.add([await object])).rejects.toEqual(rule(name, code));

  test("[K7] [K3] [K5] not by the policy's status key, of another organisation, or before any policy", async () => {
    await refuses(world.status({}, world.root.sig), 'K7', 'bad_status_sig');
    await refuses(world.status({ org: random(32) }), 'K3', 'wrong_org');
    await refuses(world.status().then(flipLast), 'K7', 'bad_status_sig');
    await expect(empty().add([await world.status()])).rejects.toEqual(rule('K5', 'policy_rollback'));
  });

  test('[K8] ended, too long, from the future, older than the last', async () => {
    const { now } = world.clock;
    await refuses(world.status({ until: now - 1 }), 'K8', 'stale_status');
    await refuses(world.status({ until: now + day }), 'K8', 'stale_status');
    await refuses(world.status({ issued: now + 5 * minute + 1, until: now + hour }), 'K8', 'stale_status');
    await trust.add([await world.status({ issued: now + 5 * minute, until: now + hour })]);
    await refuses(world.status({ issued: now }), 'K8', 'stale_status');
    const again = empty(0, 0, now + 1);
    await expect(again.add([world.first, await world.status({ issued: now })])).rejects.toEqual(
      rule('K8', 'stale_status'),
    );
  });

  test('[K8] what stands on a status refuses when it has ended, and when there was none', () => {
    trust.mustBeLive();
    world.clock.now += day;
    expect(() => trust.mustBeLive()).toThrow(rule('K8', 'stale_status'));
    expect(() => empty().mustBeLive()).toThrow(rule('K5', 'policy_rollback'));
  });
});

describe('certificates', () => {
  const judged = (over: Partial<Judgement> = {}): Judgement => {
    const policy = trust.policy();
    if (!policy) throw new Error('no policy');
    return { policy, at: world.clock.now, dept: world.dept, ...over };
  };
  const holds = async ({ card, cert }: { card: Bytes; cert: Bytes }, over: Partial<Judgement> = {}) => {
    await trust.add([card]);
    const known = trust.certs.get(hex(cert));
    if (!known) throw new Error('the certificate was not taken');
    trust.mustHold(known, judged(over));
  };
  const refuses = async (who: Promise<Actor>, name: string, code: string, over: Partial<Judgement> = {}) =>
    expect(holds(await who, over)).rejects.toEqual(rule(name, code));

  test('one that is right holds', async () => {
    await holds(await world.actor());
    await holds(await world.department());
  });

  test('[K1] a certificate for a weak key is not taken', async () => {
    const card = await world.certify(world.issuer, weak, {});
    await expect(trust.add([card])).rejects.toEqual(rule('K1', 'weak_key'));
    expect(trust.certs.size).toBe(1);
  });

  test('[K9] an enroller that is unknown, unlisted, over, without the right, not of the root', async () => {
    const stranger = await world.enroller();
    await refuses(world.actor({}, stranger), 'K9', 'bad_enroller');
    await trust.add([stranger.card]);
    await refuses(world.actor({}, stranger), 'K9', 'bad_enroller');
    const agent = await world.actor();
    await trust.add([agent.card]);
    await refuses(world.actor({}, agent as never), 'K9', 'bad_enroller');
    for (const [rights, kind] of [
      [6, 2],
      [6, 3],
      [5, 4],
      [3, 5],
      [3, 6],
      [3, 7],
      [3, 8],
    ] as const) {
      const half = await world.enroller({ rights });
      await trust.add([half.card]);
      const over = kind === 4 ? { kind, dept: world.dept, gen: 1 } : { kind };
      await refuses(world.actor(over, half), 'K9', 'bad_enroller');
    }
    const { sig, pk } = await world.newSigningKey();
    const forged = await world.certify({ sig, cert: world.org }, pk, { kind: 9 });
    await expect(trust.add([forged])).rejects.toEqual(rule('K9', 'bad_enroller'));
    const other = await world.enroller({ issuer: random(32) });
    await expect(trust.add([other.card])).rejects.toEqual(rule('K10', 'bad_cert'));
    const { now } = world.clock;
    await refuses(world.actor(), 'K9', 'bad_enroller', { at: now + 300 * day + 1 });
    await refuses(world.actor(), 'K9', 'bad_enroller', { at: now - 31 * day });
  });

  test('[K10] another signature, another organisation', async () => {
    const { card } = await world.actor();
    await expect(trust.add([flipLast(card)])).rejects.toEqual(rule('K10', 'bad_cert'));
    await refuses(world.actor({ org: random(32) }), 'K10', 'bad_cert');
    const enroller = await world.enroller({ org: random(32) });
    await expect(trust.add([enroller.card])).rejects.toEqual(rule('K10', 'bad_cert'));
  });

  test('[K11] not yet, no longer, beyond its issuer, longer than the policy or a department says', async () => {
    const { now } = world.clock;
    await refuses(world.actor({ from: now + 1 }), 'K11', 'cert_time');
    await refuses(world.actor({ until: now - 1 }), 'K11', 'cert_time');
    await holds(await world.actor(), { at: now - day });
    await refuses(world.actor(), 'K11', 'cert_time', { at: now - day - 1 });
    await refuses(world.actor({ from: now, until: now + 14 * day + 1 }), 'K11', 'cert_time');
    await holds(await world.actor({ from: now, until: now + 14 * day }));
    await refuses(world.actor({ departments: [], from: now, until: now + 31 * day }), 'K11', 'cert_time');
    await holds(await world.actor({ departments: [], from: now, until: now + 30 * day }));
    await refuses(world.department(1, { from: now, until: now + 91 * day }), 'K11', 'cert_time');
    await holds(await world.department(1, { from: now, until: now + 90 * day }));
    const short = await world.enroller({ until: now + 5 * day });
    const long = await world.enroller({ from: now - 101 * day });
    const enrollers = [world.issuer.cert, short.cert, long.cert];
    await trust.add([short.card, long.card, await world.policy({ version: 2, enrollers })]);
    await refuses(world.actor({}, short), 'K11', 'cert_time');
    await refuses(world.actor({}, long), 'K9', 'bad_enroller');
  });

  test('[K12] revoked itself, or by its issuer, since a moment that is not after the one asked for', async () => {
    const [agent, colleague] = [await world.actor(), await world.actor()];
    const since = world.clock.now - minute;
    await trust.add([await world.status({ revoked: [{ cert: agent.cert, since }] })]);
    await expect(holds(agent)).rejects.toEqual(rule('K12', 'revoked'));
    await expect(holds(agent, { at: since })).rejects.toEqual(rule('K12', 'revoked'));
    await holds(agent, { at: since - 1 });
    await holds(colleague);
    await trust.add([await world.status({ revoked: [{ cert: world.issuer.cert, since }] })]);
    await expect(holds(colleague)).rejects.toEqual(rule('K12', 'revoked'));
    await holds(colleague, { at: since - 1 });
  });

  test('[K12] [K14] a later status takes back no revocation and no minimum, in this run and the next', async () => {
    const { now } = world.clock;
    const [agent, old] = [await world.actor(), await world.department(1)];
    const { dept } = world;
    await trust.add([
      await world.status({
        revoked: [
          { cert: agent.cert, since: now },
          { cert: agent.cert, since: now - hour },
          { cert: agent.cert, since: now },
        ],
        minGen: [
          { dept, gen: 2, since: now - hour },
          { dept, gen: 1, since: now - hour },
        ],
      }),
    ]);
    await trust.add([
      await world.status({
        issued: now,
        revoked: [{ cert: agent.cert, since: now }],
        minGen: [{ dept, gen: 2, since: now }],
      }),
    ]);
    await trust.add([await world.status({ issued: now + 1 })]);
    const seen = structuredClone(trust.seen());
    const later = createTrust(world.org, 0, () => world.clock.now, seen);
    await later.add([world.first, world.issuer.card, await world.status({ issued: now + 1 })]);
    for (const store of [trust, later]) {
      trust = store;
      await expect(holds(agent, { at: now - hour })).rejects.toEqual(rule('K12', 'revoked'));
      await holds(agent, { at: now - hour - 1 });
      await expect(holds(old, { at: now - hour })).rejects.toEqual(rule('K14', 'bad_dept_key'));
      await holds(old, { at: now - hour - 1 });
    }
  });

  test("[K14] another department's key, or a generation below a minimum that holds at the moment", async () => {
    await refuses(world.department(1, { dept: random(16) }), 'K14', 'bad_dept_key');
    const [old, current] = [await world.department(1), await world.department(2)];
    const since = world.clock.now - minute;
    const { dept } = world;
    // The highest counts, wherever it stands.
    const minGen = [1, 2, 1].map((gen) => ({ dept, gen, since }));
    await trust.add([await world.status({ minGen: [...minGen, { dept: random(16), gen: 9, since }] })]);
    await expect(holds(old)).rejects.toEqual(rule('K14', 'bad_dept_key'));
    await expect(holds(old, { at: since })).rejects.toEqual(rule('K14', 'bad_dept_key'));
    await holds(old, { at: since - 1 });
    await holds(current);
  });

  test('the newest department key that holds is found', async () => {
    const fits = () => true;
    for (const gen of [1, 3, 2]) {
      const { card, key } = await world.department(gen);
      await trust.add([card, key]);
    }
    const later = await world.department(4);
    await trust.add([later.card]);
    expect((await trust.find(4, judged(), fits))?.card.gen).toBe(3);
    expect(await trust.find(5, judged(), fits)).toBeUndefined();
  });
});

describe('key objects', () => {
  test('[K2] a key that has another encoding is not taken', async () => {
    const who = await world.actor();
    const kem = concat(who.kem.publicKey);
    kem.set([0xff, 0xff], 30);
    const key = await world.keyObject(who.cert, kem, who.sig);
    await expect(trust.add([who.card, key])).rejects.toEqual(rule('K2', 'bad_kem_key'));
  });

  test('[K16] by another owner, outside its time or its certificate, of another organisation', async () => {
    const [who, other] = [await world.actor(), await world.actor()];
    await trust.add([who.card, other.card]);
    const { now } = world.clock;
    const make = async (sig: CryptoKey, over: Parameters<Org['keyObject']>[3] = {}) => {
      const kem = await kemKeyPair(random(32));
      return world.keyObject(who.cert, kem.publicKey, sig, over);
    };
    const code = rule('K16', 'bad_keyobj');
    await expect(trust.add([await make(other.sig)])).rejects.toEqual(code);
    await expect(trust.add([await make(who.sig, { org: random(32) })])).rejects.toEqual(code);
    const card = trust.certs.get(hex(who.cert));
    const check = async (over: Parameters<Org['keyObject']>[3], at = now, owner = who.cert) => {
      const object = await make(who.sig, over);
      await trust.add([object]);
      const key = trust.keys.get(hex(await sha256(object)));
      if (!key) throw new Error('the key object was not taken');
      return trust.mustHoldKey(key, owner, who.pk, at, card);
    };
    await check({});
    await expect(check({}, now, other.cert)).rejects.toEqual(code);
    await expect(check({ from: now + 1 })).rejects.toEqual(code);
    await expect(check({ until: now - 1 })).rejects.toEqual(code);
    await expect(check({ until: now + 12 * day + 1 })).rejects.toEqual(code);
    await expect(check({ from: now - day - 1 })).rejects.toEqual(code);
  });

  test("[K16] a visitor's lasts at most 400 days", async () => {
    const { now } = world.clock;
    const conv = random(32);
    const { sig, pk } = await world.newSigningKey();
    const kem = (await kemKeyPair(random(32))).publicKey;
    const check = async (over: Parameters<Org['keyObject']>[3]) => {
      const object = await world.keyObject(conv, kem, sig, over);
      await trust.add([object]);
      const key = trust.keys.get(hex(await sha256(object)));
      if (!key) throw new Error('the key object was not taken');
      return trust.mustHoldKey(key, conv, pk, now);
    };
    await check({ from: now, until: now + 400 * day });
    await expect(check({ from: now, until: now + 400 * day + 1 })).rejects.toEqual(rule('K16', 'bad_keyobj'));
  });
});

test('what is not of this store is passed over, and one that is wrong spares the others', async () => {
  const [good, bad] = [await world.actor(), await world.actor()];
  await trust.add([random(40), new Uint8Array(), good.key, flipLast(bad.card), good.card], true);
  expect(trust.certs.has(hex(good.cert))).toBe(true);
  expect(trust.keys.has(hex(good.keyHash))).toBe(true);
  expect(trust.certs.size).toBe(2);
});

describe('enrolment', () => {
  test('an invitation comes back from its text, in either case, with letters mistaken for digits', async () => {
    for (let round = 0; round < 50; round++) {
      const inv = random(16);
      const text = await invitationText(inv);
      expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]{5}$/);
      expect(await readInvitation(text)).toEqual(inv);
      const spoken = text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
      expect(await readInvitation(spoken)).toEqual(inv);
    }
  });

  test('[K17] a mistyped invitation', async () => {
    const text = await invitationText(random(16));
    const wrong = rule('K17', 'bad_enrolment');
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '-') continue;
      const other = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      await expect(readInvitation(other)).rejects.toEqual(wrong);
    }
    for (const other of [
      '',
      text.slice(1),
      `${text}A`,
      text.replace(/.$/, 'U'),
      `${text}\n`,
      `${text}\u00a0`,
    ]) {
      await expect(readInvitation(other)).rejects.toEqual(wrong);
    }
  });

  test('[K17] signature, MAC, invitation, use and age of a request', async () => {
    const { now } = world.clock;
    const inv = random(16);
    const { sig, pk } = await world.newSigningKey();
    const make = async (over = {}) =>
      signed(
        10,
        {
          org: world.org,
          invitation: await invitationId(inv),
          subject: random(16),
          device: random(16),
          kind: 2,
          pk,
          time: now,
          ...over,
        },
        sig,
        world.org,
      );
    const request = await make();
    const mac = await enrolmentMac(inv, request);
    const check = (what: Bytes, its = mac, used = false, by = inv) =>
      checkEnrolment(what, its, by, world.org, now, used);
    expect((await check(request)).pk).toEqual(pk);
    const wrong = rule('K17', 'bad_enrolment');
    await expect(check(flipLast(request))).rejects.toEqual(wrong);
    await expect(check(request.subarray(0, -1))).rejects.toEqual(rule('P5', 'bad_length'));
    await expect(check(request, random(32))).rejects.toEqual(wrong);
    await expect(check(request, mac, true)).rejects.toEqual(wrong);
    await expect(check(request, mac, false, random(16))).rejects.toEqual(wrong);
    // The server swaps the key: it can sign, and it cannot make the MAC.
    const swapped = await make({ pk: world.root.pk });
    await expect(check(swapped, await enrolmentMac(inv, swapped))).rejects.toEqual(wrong);
    const other = await make();
    await expect(check(other)).rejects.toEqual(wrong);
    for (const over of [
      { time: now - day },
      { time: now + 5 * minute + 1 },
      { org: random(32) },
      { invitation: random(16) },
    ]) {
      const late = await make(over);
      await expect(check(late, await enrolmentMac(inv, late))).rejects.toEqual(wrong);
    }
  });
});
