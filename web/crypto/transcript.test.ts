// Rules G, E, V1 to V7, L3 and S8: one conversation as everybody verifies it.
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, equal, random, sha256 } from './bytes.ts';
import { type Draft, parse, signed } from './objects.ts';
import { type Actor, type Chat, makeChat, makeOrg, type Org, type Seating } from './org.testing.ts';
import { createTranscript, type Setting } from './transcript.ts';
import { day, minute, roles } from './trust.ts';

const rule = (name: string, code: string) => expect.objectContaining({ name: 'Refusal', rule: name, code });
const hour = 60 * minute;
const damaged = (object: Bytes, at = -40): Bytes => {
  const other = concat(object);
  const place = other.length + at;
  other[place] = (other[place] ?? 0) ^ 1;
  return other;
};

/** A refusal with this rule and code, which leaves the transcript as it was. */
async function refuses(chat: Chat, entry: Bytes, name: string, code: string, live?: boolean): Promise<void> {
  const { transcript } = chat;
  const before = [transcript.seq(), transcript.log(), transcript.last(), transcript.closed()];
  await expect(transcript.take(entry, live)).rejects.toEqual(rule(name, code));
  expect([transcript.seq(), transcript.log(), transcript.last(), transcript.closed()]).toEqual(before);
}

type Line = Partial<Draft<7>['departments'][number]>;

/** The world with a conversation as far as its genesis and epoch 0, whose next entries are live. */
async function begun(mode: 1 | 2 = 2, line: Line = {}, extra: readonly Actor[] = []) {
  const world = await makeOrg(mode, line);
  const desk = await world.department();
  const chat = await makeChat(world, desk, {}, extra);
  await chat.add(chat.genesis);
  await chat.add(await chat.epoch([chat.me, chat.desk], chat.me));
  chat.transcript.mustBeWhole();
  return { world, desk, chat };
}

/** Who joins is known to trust. */
async function known(chat: Chat, who: Promise<Actor>): Promise<Actor> {
  const actor = await who;
  await chat.trust.add([actor.card, actor.key]);
  return actor;
}

/** An accept by the department with the agent as leaf 2; `keep` leaves the department in. */
function acceptance(chat: Chat, ana: Seating, keep = false, changes: Partial<Draft<2>> = {}): Promise<Bytes> {
  const seats = keep ? [chat.me, chat.desk, ana] : [chat.me, ana];
  return chat.epoch(seats, chat.desk, { accept: ana.leaf, ...changes }, ana.who);
}

/** The same, accepted by an agent. */
async function accepted(mode: 1 | 2 = 2, line: Line = {}, keep = false) {
  const scene = await begun(mode, { keepDept: keep ? 1 : 0, ...line });
  const { world, chat } = scene;
  const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
  await chat.add(await acceptance(chat, ana, keep));
  world.clock.now += 2 * minute;
  return { ...scene, ana };
}

describe('genesis', () => {
  async function fresh(over: Partial<Draft<1>> = {}, world?: Org) {
    const org = world ?? (await makeOrg());
    const chat = await makeChat(org, await org.department(), over);
    return { world: org, chat };
  }
  async function other(
    setting: Partial<Setting>,
    name: string,
    code: string,
    over: Partial<Draft<1>> = {},
    live?: boolean,
  ) {
    const { chat } = await fresh(over);
    const transcript = createTranscript(chat.setting(setting));
    await expect(transcript.take(chat.genesis, live)).rejects.toEqual(rule(name, code));
    expect(transcript.seq()).toBe(-1);
  }

  test('[G1] it does not parse, or something else comes first', async () => {
    const { chat } = await fresh();
    await refuses(chat, chat.genesis.subarray(1), 'G1', 'bad_genesis');
    await refuses(chat, await chat.epoch([chat.me, chat.desk], chat.me), 'G1', 'bad_genesis');
    await refuses(chat, await chat.event(chat.me), 'G1', 'bad_genesis');
  });

  test('[G2] a signature of another key, or a key of small order', async () => {
    const { chat } = await fresh();
    await refuses(chat, damaged(chat.genesis), 'G2', 'genesis_sig');
    const weak = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0));
    await other({}, 'G2', 'genesis_sig', { pk: weak });
  });

  test('[G3] another conversation than the one asked for', async () => {
    await other({ conv: random(32) }, 'G3', 'conv_mismatch');
  });

  test('[G4] another organisation', async () => {
    const { chat } = await fresh();
    const transcript = createTranscript(chat.setting({ org: random(32) }));
    await expect(transcript.take(chat.genesis)).rejects.toEqual(rule('G4', 'wrong_org'));
  });

  test('[G5] a policy that is not known, or older than the stored one', async () => {
    await other({}, 'G5', 'policy_rollback', { policy: random(32) });
    const { world, chat } = await fresh();
    await chat.trust.add([await world.policy({ version: 2 })]);
    await refuses(chat, chat.genesis, 'G5', 'policy_rollback', true);
    await chat.transcript.take(chat.genesis, false);
  });

  test("[G6] a department that the policy has not, or not the page's", async () => {
    await other({}, 'G6', 'wrong_dept', { dept: random(16) });
    await other({ dept: random(16) }, 'G6', 'wrong_dept');
  });

  test("[G7] not the department's mode, or weaker than the page asks", async () => {
    await other({}, 'G7', 'mode_mismatch', { mode: 1 });
    const world = await makeOrg(1);
    const { chat } = await fresh({}, world);
    const strict = createTranscript(chat.setting({ minMode: 2 }));
    await expect(strict.take(chat.genesis)).rejects.toEqual(rule('G7', 'mode_mismatch'));
    await chat.transcript.take(chat.genesis);
  });

  test('[G8] too old or from the future when it is accepted; age alone does not hide history', async () => {
    const world = await makeOrg();
    const { now } = world.clock;
    const old = await fresh({ time: now - 168 * hour - 1 }, world);
    await refuses(old.chat, old.chat.genesis, 'G8', 'genesis_age', true);
    await old.chat.transcript.take(old.chat.genesis);
    const next = await fresh({ time: now + 5 * minute + 1 }, world);
    await refuses(next.chat, next.chat.genesis, 'G8', 'genesis_age', true);
    const right = await fresh({ time: now - 168 * hour }, world);
    await right.chat.transcript.take(right.chat.genesis, true);
  });

  test("[G9] the visitor's own genesis in other bytes", async () => {
    const { chat } = await fresh();
    const other = createTranscript(chat.setting({ own: damaged(chat.genesis) }));
    await expect(other.take(chat.genesis)).rejects.toEqual(rule('G9', 'not_my_genesis'));
    await createTranscript(chat.setting({ own: chat.genesis })).take(chat.genesis);
  });

  test('[P3] a genesis, or a kind that a log does not have, in the middle of one', async () => {
    const { chat, desk } = await begun();
    for (const entry of [chat.genesis, desk.key, new Uint8Array(9), new Uint8Array()]) {
      await refuses(chat, entry, 'P3', 'bad_kind');
    }
  });
});

describe('epoch', () => {
  test('[E1] it does not parse', async () => {
    const { chat } = await begun();
    const next = await chat.epoch([chat.me, chat.desk], chat.me, { reason: 3 });
    await refuses(chat, next.subarray(0, -1), 'E1', 'bad_epoch');
    await refuses(chat, await chat.epoch([chat.me], chat.me, { reason: 0 }), 'E1', 'bad_epoch');
  });

  const header: readonly (readonly [string, string, (chat: Chat) => Partial<Draft<2>>])[] = [
    ['E2', 'wrong_conv', () => ({ conv: random(32) })],
    ['E3', 'epoch_skip', () => ({ n: 2 })],
    ['E4', 'epoch_fork', () => ({ prev: random(32) })],
    ['E4', 'epoch_fork', ({ conv }) => ({ prev: conv })],
    ['E6', 'log_mismatch', () => ({ seenLog: random(32) })],
    ['E6', 'log_mismatch', ({ seq }) => ({ seenSeq: seq() - 1 })],
    ['E6', 'log_mismatch', ({ seq }) => ({ seenSeq: seq() + 1 })],
    ['E23', 'policy_rollback', () => ({ policy: random(32) })],
    ['E23', 'policy_rollback', () => ({ version: 2 })],
    ['E25', 'wrap_count', () => ({ wraps: [random(32)] })],
    ['E25', 'wrap_count', () => ({ wraps: [random(32), random(32), random(32)] })],
    ['E24', 'notes_changed', () => ({ logRoot: random(32) })],
    ['E24', 'notes_changed', () => ({ notes: random(32) })],
    ['E27', 'epoch_budget', () => ({})],
  ];
  test.each(header)('[%s] %s', async (name, code, over) => {
    const { chat } = await begun();
    await refuses(
      chat,
      await chat.epoch([chat.me, chat.desk], chat.me, { reason: 3, ...over(chat) }),
      name,
      code,
    );
  });

  test('[E3] [E4] the first epoch has number 0 and follows the conversation', async () => {
    const world = await makeOrg();
    const chat = await makeChat(world, await world.department());
    await chat.add(chat.genesis);
    const seats = [chat.me, chat.desk];
    await refuses(chat, await chat.epoch(seats, chat.me, { n: 1, reason: 3 }), 'E3', 'epoch_skip');
    await refuses(chat, await chat.epoch(seats, chat.me, { prev: random(32) }), 'E4', 'epoch_fork');
    await chat.add(await chat.epoch(seats, chat.me));
  });

  test('[E5] another epoch than the one that was stored', async () => {
    const { chat } = await begun();
    const next = await chat.epoch([chat.me], chat.me);
    const highest = { n: 1, epoch: await sha256(next), seq: 99, log: random(32), seenAt: 0 };
    for (const [epoch, right] of [
      [highest.epoch, true],
      [random(32), false],
    ] as const) {
      const again = createTranscript(chat.setting({ highest: { ...highest, epoch } }));
      await again.take(chat.genesis);
      const first = chat.transcript.epochs[0]?.object.bytes ?? random(1);
      await again.take(first);
      if (right) await again.take(next, true);
      else await expect(again.take(next, true)).rejects.toEqual(rule('E5', 'epoch_rollback'));
    }
  });

  test('[E7] nobody, 17 members, leaves that do not ascend', async () => {
    const { chat } = await begun();
    const members = (leaves: readonly number[]) =>
      leaves.map((leaf) => ({ leaf, role: 1, cert: random(32), key: random(32) }));
    for (const leaves of [[], [...Array(17).keys()], [0, 2, 1], [0, 0], [1, 0]]) {
      const epoch = await chat.epoch([], chat.me, { members: members(leaves) });
      await refuses(chat, epoch, 'E7', 'bad_roster');
    }
  });

  test('[E8] a leaf for somebody else, now or after its owner has gone, and one below the highest', async () => {
    const { world, chat, ana } = await accepted();
    const bob = await known(chat, world.actor());
    await refuses(chat, await chat.epoch([chat.me, { leaf: 2, who: bob }], ana), 'E8', 'leaf_reuse');
    await refuses(chat, await chat.epoch([chat.me, { leaf: 1, who: bob }, ana], ana), 'E8', 'leaf_reuse');
    await chat.add(await chat.epoch([chat.me], chat.me));
    await refuses(chat, await chat.epoch([chat.me, ana], chat.me), 'E8', 'leaf_reuse');
  });

  test('[E9] one certificate, signing key or KEM key twice', async () => {
    const { world, chat, ana } = await accepted();
    const twice = await chat.epoch([chat.me, ana, { leaf: 3, who: ana.who }], ana);
    await refuses(chat, twice, 'E9', 'dup_member');
    const card = await world.certify(world.issuer, ana.who.pk, { serial: random(16) });
    const cert = await sha256(card);
    const bob = await known(chat, world.actor());
    const sameKem = await world.keyObject(bob.cert, ana.who.kem.publicKey, bob.sig);
    const key = await world.keyObject(cert, bob.kem.publicKey, ana.who.sig);
    await chat.trust.add([card, sameKem, key]);
    const renewed = { ...ana.who, card, cert, key, keyHash: await sha256(key) };
    await refuses(chat, await chat.epoch([chat.me, ana, { leaf: 3, who: renewed }], ana), 'E9', 'dup_member');
    const copied = { ...bob, key: sameKem, keyHash: await sha256(sameKem) };
    await refuses(chat, await chat.epoch([chat.me, ana, { leaf: 3, who: copied }], ana), 'E9', 'dup_member');
  });

  test('[E10] no visitor, a second one, one with a certificate', async () => {
    const { chat, ana } = await accepted();
    await refuses(chat, await chat.epoch([ana], ana), 'E10', 'visitor_rule');
    const roster = (role: number, cert: Bytes) => [
      { leaf: 0, role: 1, cert: chat.conv, key: chat.visitor.keyHash },
      { leaf: 2, role: 2, cert: ana.who.cert, key: ana.who.keyHash },
      { leaf: 3, role, cert, key: random(32) },
    ];
    await refuses(chat, await chat.epoch([], ana, { members: roster(1, random(32)) }), 'E10', 'visitor_rule');
    const late = roster(2, random(32)).map((member, at) => ({ ...member, role: at === 2 ? 1 : 2 }));
    await refuses(chat, await chat.epoch([], ana, { members: late }), 'E10', 'visitor_rule');
    const world = await makeOrg();
    const first = await makeChat(world, await world.department());
    await first.add(first.genesis);
    const posing = { leaf: 0, who: { ...first.visitor, cert: random(32) } };
    await refuses(first, await first.epoch([posing, first.desk], first.me), 'E10', 'visitor_rule');
  });

  /** The same member with another key object, valid from the given moment. */
  async function rekeyed(
    world: Org,
    chat: Chat,
    { leaf, who }: Seating,
    from: number,
    last = from + day,
  ): Promise<Seating> {
    const { kem } = await world.actor();
    const key = await world.keyObject(who.cert, kem.publicKey, who.sig, { from, until: last });
    await chat.trust.add([key]);
    return { leaf, who: { ...who, kem, key, keyHash: await sha256(key) } };
  }

  test("[E11] another than the visitor changes the visitor's key object", async () => {
    const { world, chat, ana } = await accepted();
    const mine = await rekeyed(world, chat, chat.me, world.clock.now - 1);
    await refuses(chat, await chat.epoch([mine, ana], ana), 'E11', 'visitor_rekey');
    await chat.add(await chat.epoch([mine, ana], chat.me));
  });

  test("[E12] another's key object gives way only to a newer one", async () => {
    const { world, chat, ana } = await accepted();
    const start = world.clock.now;
    const older = await rekeyed(world, chat, ana, start - day - 2 * minute, start + 60 * minute);
    await refuses(chat, await chat.epoch([chat.me, older], chat.me), 'E12', 'member_rekey');
    const newer = await rekeyed(world, chat, ana, start - minute);
    await chat.add(await chat.epoch([chat.me, newer], chat.me));
    // Its owner may go back.
    world.clock.now += minute;
    await chat.add(await chat.epoch([chat.me, ana], { ...ana, who: newer.who }));
  });

  test('[E13] the role is not that of the certificate', async () => {
    const { chat, ana } = await accepted();
    const posing = { leaf: 2, who: { ...ana.who, role: 3 } };
    await refuses(chat, await chat.epoch([chat.me, posing], ana), 'E13', 'role_mismatch');
  });

  describe('[E14] a member that does not hold', () => {
    const bad = (chat: Chat, ana: Seating, who: Actor, live?: boolean) =>
      chat
        .epoch([chat.me, ana, { leaf: 3, who }], ana)
        .then((epoch) => refuses(chat, epoch, 'E14', 'bad_member', live));

    test('a certificate or a key object that is not known, or not its owner’s', async () => {
      const { world, chat, ana } = await accepted();
      const bob = await world.actor();
      await bad(chat, ana, bob);
      await chat.trust.add([bob.card]);
      await bad(chat, ana, bob);
      const eve = await known(chat, world.actor());
      await bad(chat, ana, { ...bob, key: eve.key, keyHash: eve.keyHash });
      await chat.trust.add([bob.key]);
      await chat.add(await chat.epoch([chat.me, ana, { leaf: 3, who: bob }], ana));
    });

    test('[K16] a key object of the visitor that another signed', async () => {
      const { world, chat } = await begun();
      const { kem, sig } = await world.actor();
      const key = await world.keyObject(chat.conv, kem.publicKey, sig);
      await chat.trust.add([key]);
      const forged = { leaf: 0, who: { ...chat.visitor, key, keyHash: await sha256(key) } };
      await refuses(chat, await chat.epoch([forged, chat.desk], chat.me), 'E14', 'bad_member');
    });

    test('[K11] [K12] revoked or over: at its time and now when it is live, however old; at its time in history', async () => {
      const { world, chat, ana } = await accepted();
      const bob = await known(chat, world.actor());
      const more = [chat.me, ana, { leaf: 3, who: bob }];
      const epoch = await chat.epoch(more, ana);
      world.clock.now += minute;
      const since = world.clock.now;
      await chat.trust.add([await world.status({ revoked: [{ cert: bob.cert, since }] })]);
      await refuses(chat, epoch, 'E14', 'bad_member');
      await refuses(chat, await chat.epoch(more, ana, { time: since }), 'E14', 'bad_member', false);
      await chat.transcript.examine(epoch, false);
      // What happens now does not become history by the time that it names.
      const backdated = await chat.epoch(more, ana, { time: since - 11 * minute });
      await refuses(chat, backdated, 'E14', 'bad_member');
      // A certificate of now says nothing about a time before it, where only the own time tells.
      const card = await world.actor({ from: since - minute });
      const key = await world.keyObject(card.cert, card.kem.publicKey, card.sig, { from: since - minute });
      await chat.trust.add([card.card, key]);
      const young = { leaf: 3, who: { ...card, key, keyHash: await sha256(key) } };
      const early = await chat.epoch([chat.me, ana, young], ana, { time: since - 2 * minute });
      const right = await chat.epoch([chat.me, ana, young], ana, { time: since });
      await chat.transcript.examine(right);
      await refuses(chat, early, 'E14', 'bad_member');
      world.clock.now += 20 * day;
      await chat.trust.add([await world.status()]);
      await refuses(chat, epoch, 'E14', 'bad_member', true);
      await chat.add(epoch, false);
    });

    test('[K12] what is new since a visit is not judged at a time long before that', async () => {
      const { world, chat, ana } = await accepted();
      const bob = await known(chat, world.actor());
      const { now } = world.clock;
      const epoch = await chat.epoch([chat.me, ana, { leaf: 3, who: bob }], ana);
      const log = [chat.genesis, ...chat.transcript.epochs.map(({ object }) => object.bytes)];
      await chat.trust.add([await world.status({ revoked: [{ cert: bob.cert, since: now + hour }] })]);
      const seen = { n: 1, epoch: chat.last(), seq: 2, log: chat.log() };
      const read = async (seenAt: number, seq = 2) => {
        const highest = { ...seen, seq, seenAt, ...(seq > 2 && { n: 9, log: random(32) }) };
        const again = createTranscript(chat.setting({ highest }));
        for (const entry of log) await again.take(entry);
        return again.examine(epoch);
      };
      world.clock.now += 3 * hour;
      await read(now);
      await read(now + hour + 10 * minute - 1);
      await expect(read(now + hour + 10 * minute)).rejects.toEqual(rule('E14', 'bad_member'));
      // It was there at that visit; a clock that was ahead of today's is not believed.
      await read(now + 2 * hour, 9);
      world.clock.now = now + hour;
      await read(now + 9 * day);
    });

    test('a department that is another’s, or below the minimum generation', async () => {
      const { world, chat, ana } = await accepted(2, {}, true);
      await bad(chat, ana, await known(chat, world.department(2, { dept: random(16) })));
      const same = await chat.epoch([chat.me, chat.desk, ana], chat.me, { reason: 3 });
      world.clock.now += 1;
      const minGen = [{ dept: world.dept, gen: 2, since: world.clock.now }];
      await chat.trust.add([await world.status({ minGen })]);
      await refuses(chat, same, 'E14', 'bad_member');
      await chat.add(same, false);
    });

    test('[K8] by no status that holds', async () => {
      const { world, chat } = await begun();
      world.clock.now += day;
      await refuses(
        chat,
        await chat.epoch([chat.me, chat.desk], chat.me, { reason: 3 }),
        'K8',
        'stale_status',
      );
    });
  });

  describe('[E15] what the policy or the mode does not allow', () => {
    test('a role without leave, and a mode that the department no longer has', async () => {
      const { world, chat, ana } = await accepted();
      const next = await world.policy({ version: 2 }, [{ roles: 0x1fc & ~(1 << 2) }]);
      const other = await world.policy({ version: 3 }, [{ mode: 1 }]);
      const without = await world.policy({ version: 4 }, []);
      const named = async (policy: Bytes, version: number, seats: readonly Seating[]) =>
        chat.epoch(seats, chat.me, { policy: await sha256(policy), version });
      await chat.trust.add([next]);
      await refuses(chat, await named(next, 2, [chat.me, ana]), 'E15', 'mode_violation');
      await chat.transcript.examine(await named(next, 2, [chat.me]));
      await chat.trust.add([other]);
      await refuses(chat, await named(other, 3, [chat.me]), 'E15', 'mode_violation');
      await chat.trust.add([without]);
      await refuses(chat, await named(without, 4, [chat.me]), 'E15', 'mode_violation');
    });

    test('a server, or anybody of the operator, in a sealed conversation only', async () => {
      for (const over of [{ kind: 8 }, { kind: 3, custody: 2 }]) {
        const closed = await accepted();
        const machine = await known(closed.chat, closed.world.actor(over));
        const seats = [closed.chat.me, closed.ana, { leaf: 3, who: machine }];
        await refuses(closed.chat, await closed.chat.epoch(seats, closed.ana), 'E15', 'mode_violation');
        const { world, chat, ana } = await accepted(1);
        const helper = await known(chat, world.actor(over));
        await chat.add(await chat.epoch([chat.me, ana, { leaf: 3, who: helper }], ana));
      }
    });
  });

  /** A scanner that the policy demands. */
  async function withScanner() {
    const subject = random(16);
    const world = await makeOrg(2, { mandatory: [{ role: 6, subject }] });
    const desk = await world.department();
    const chat = await makeChat(world, desk);
    const scanner: Seating = { leaf: 2, who: await known(chat, world.actor({ kind: 6, subject })) };
    await chat.add(chat.genesis);
    return { world, chat, scanner, subject };
  }

  test('[E16] a member that the policy demands is missing', async () => {
    const { world, chat, scanner } = await withScanner();
    await refuses(chat, await chat.epoch([chat.me, chat.desk], chat.me), 'E16', 'mandatory_missing');
    const other = await known(chat, world.actor({ kind: 6 }));
    const seats = [chat.me, chat.desk, { leaf: 2, who: other }];
    await refuses(chat, await chat.epoch(seats, chat.me), 'E16', 'mandatory_missing');
    await chat.add(await chat.epoch([chat.me, chat.desk, scanner], chat.me));
    await refuses(chat, await chat.epoch([chat.me, chat.desk], chat.me), 'E16', 'mandatory_missing');
  });

  test('[E17] a bot comes into a sealed conversation by the visitor', async () => {
    const { world, chat, ana } = await accepted();
    const bot: Seating = { leaf: 3, who: await known(chat, world.actor({ kind: 5 })) };
    await refuses(chat, await chat.epoch([chat.me, ana, bot], ana), 'E17', 'bot_consent');
    await chat.add(await chat.epoch([chat.me, ana, bot], chat.me));
    const open = await accepted(1);
    const helper: Seating = { leaf: 3, who: await known(open.chat, open.world.actor({ kind: 5 })) };
    await open.chat.add(await open.chat.epoch([open.chat.me, open.ana, helper], open.ana));
  });

  test('[E18] the author is a member of the epoch before, of the first the visitor', async () => {
    const { world, chat, ana } = await accepted();
    const bob: Seating = { leaf: 3, who: await known(chat, world.actor()) };
    await refuses(chat, await chat.epoch([chat.me, ana, bob], bob), 'E18', 'not_author');
    await refuses(chat, await chat.epoch([chat.me, ana], chat.desk, { reason: 3 }), 'E18', 'not_author');
    const first = await makeChat(world, chat.desk.who);
    await first.add(first.genesis);
    await refuses(first, await first.epoch([first.me, first.desk], first.desk), 'E18', 'not_author');
  });

  test('[E18] [K11] [K12] the author’s certificate is revoked, or over', async () => {
    const { world, chat, ana } = await accepted(2, {}, true);
    const { now } = world.clock;
    const who = await world.actor({ until: now + hour });
    const key = await world.keyObject(who.cert, who.kem.publicKey, who.sig, { until: now + hour });
    await chat.trust.add([who.card, key]);
    const bob: Seating = { leaf: 3, who: { ...who, key, keyHash: await sha256(key) } };
    await chat.add(await chat.epoch([chat.me, chat.desk, ana, bob], ana));
    const wrong = (epoch: Bytes, live?: boolean) => refuses(chat, epoch, 'E18', 'not_author', live);
    // It takes itself out, so that no member of the new roster is bad.
    const leaves = await chat.epoch([chat.me, bob], ana);
    await chat.trust.add([await world.status({ revoked: [{ cert: ana.who.cert, since: now + minute }] })]);
    await chat.transcript.examine(leaves);
    world.clock.now += minute;
    await wrong(leaves);
    await wrong(await chat.epoch([chat.me, bob], ana), false);
    await chat.transcript.examine(leaves, false);
    await chat.transcript.examine(await chat.epoch([chat.me, bob], chat.me));
    const over = await chat.epoch([chat.me], bob);
    world.clock.now += hour;
    await wrong(over);
    await chat.transcript.examine(over, false);
  });

  test('[E18] [K14] a department of a generation that has ended accepts, and does nothing else', async () => {
    for (const revoked of [false, true]) {
      const { world, chat, desk } = await begun();
      const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
      const next: Seating = { leaf: 2, who: await known(chat, world.department(2)) };
      const since = world.clock.now;
      const minGen = [{ dept: world.dept, gen: 2, since }];
      await chat.trust.add([
        await world.status({ minGen, revoked: revoked ? [{ cert: desk.cert, since }] : [] }),
      ]);
      const other = await chat.epoch([chat.me, next], chat.desk, { reason: 3 });
      await refuses(chat, other, 'E18', 'not_author');
      const accept = await acceptance(chat, ana);
      if (revoked) await refuses(chat, accept, 'E18', 'not_author');
      else await chat.add(accept);
    }
  });

  describe('[E19] the author table', () => {
    const wrong = async (
      chat: Chat,
      seats: readonly Seating[],
      author: Seating,
      changes: Partial<Draft<2>> = {},
    ) => refuses(chat, await chat.epoch(seats, author, changes), 'E19', 'author_right');

    test('a visitor adds no people, and removes nobody that must be there', async () => {
      const { world, chat, ana } = await accepted();
      const bob: Seating = { leaf: 3, who: await known(chat, world.actor()) };
      await wrong(chat, [chat.me, ana, bob], chat.me);
      for (const kind of [3, 6, 7]) {
        const helper: Seating = { leaf: 3, who: await known(chat, world.actor({ kind })) };
        await wrong(chat, [chat.me, ana, helper], chat.me);
      }
      const current: Seating = { leaf: 3, who: await known(chat, world.department(2)) };
      await chat.add(await chat.epoch([chat.me, ana, current], chat.me));
      await chat.add(await chat.epoch([chat.me], chat.me));
    });

    test('[E16] a second scanner of the demanded subject may be removed, the last one may not', async () => {
      const { world, chat, scanner, subject } = await withScanner();
      await chat.add(await chat.epoch([chat.me, chat.desk, scanner], chat.me));
      const ana: Seating = { leaf: 3, who: await known(chat, world.actor()) };
      const all = [chat.me, scanner, ana];
      await chat.add(await chat.epoch(all, chat.desk, { accept: 3 }, ana.who));
      const twin: Seating = { leaf: 4, who: await known(chat, world.actor({ kind: 6, subject })) };
      await chat.add(await chat.epoch([...all, twin], ana));
      await chat.transcript.examine(await chat.epoch(all, ana));
      await chat.add(await chat.epoch(all, chat.me));
      for (const author of [chat.me, ana]) {
        await refuses(chat, await chat.epoch([chat.me, ana], author), 'E16', 'mandatory_missing');
      }
    });

    test('[E16] whom the policy demands comes with its next certificate, by the visitor too', async () => {
      const { world, chat, scanner, subject } = await withScanner();
      await chat.add(await chat.epoch([chat.me, chat.desk, scanner], chat.me));
      const next: Seating = { leaf: 3, who: await known(chat, world.actor({ kind: 6, subject })) };
      const other: Seating = { leaf: 4, who: await known(chat, world.actor({ kind: 6 })) };
      await wrong(chat, [chat.me, chat.desk, next, other], chat.me);
      await chat.add(await chat.epoch([chat.me, chat.desk, next], chat.me));
    });

    test('an agent removes others and itself, adds what the policy allows', async () => {
      const { world, chat, ana } = await accepted();
      const bob: Seating = { leaf: 3, who: await known(chat, world.actor({ kind: 3 })) };
      await chat.add(await chat.epoch([chat.me, ana, bob], ana));
      await chat.add(await chat.epoch([chat.me, bob], bob));
      await chat.add(await chat.epoch([chat.me], bob));
    });

    test('a department adds devices and drops itself, and only by an accept', async () => {
      const { world, chat, desk } = await begun();
      const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
      await wrong(chat, [chat.me, chat.desk, ana], chat.desk);
      await wrong(chat, [chat.me], chat.desk);
      const fresh = await rekeyed(world, chat, chat.desk, world.clock.now - minute);
      await wrong(chat, [chat.me, fresh], chat.desk);
      await wrong(chat, [chat.me, fresh, ana], chat.desk, { accept: 2 });
      const scanner: Seating = { leaf: 3, who: await known(chat, world.actor({ kind: 6 })) };
      await wrong(chat, [chat.me, ana, scanner], chat.desk, { accept: 2 });
      const next: Seating = { leaf: 3, who: await known(chat, world.department(2)) };
      const old: Seating = { leaf: 3, who: await known(chat, world.department(1, { serial: random(16) })) };
      await wrong(chat, [chat.me, chat.desk, ana, next], chat.desk, { accept: 2 });
      await wrong(chat, [chat.me, ana, old], chat.desk, { accept: 2 });
      expect(desk.role).toBe(4);
      await wrong(chat, [chat.me, chat.desk, ana], chat.desk, { accept: 2 });
      await wrong(chat, [chat.me, ana, next], chat.desk, { accept: 2 });
      await chat.add(await chat.epoch([chat.me, ana], chat.desk, { accept: 2 }, ana.who));
    });

    test('where the policy keeps departments, a newer generation may take the place of the old one', async () => {
      const { world, chat } = await begun(2, { keepDept: 1 });
      const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
      const next: Seating = { leaf: 3, who: await known(chat, world.department(2)) };
      await wrong(chat, [chat.me, chat.desk, ana, next], chat.desk, { accept: 2 });
      await chat.add(await chat.epoch([chat.me, ana, next], chat.desk, { accept: 2 }, ana.who));
    });

    test('a department takes over only where the policy allows it', async () => {
      for (const takeover of [0, 1]) {
        const { world, chat, ana } = await accepted(2, { takeover }, true);
        const bob: Seating = { leaf: 3, who: await known(chat, world.actor()) };
        const seats = [chat.me, chat.desk, ana, bob];
        const epoch = await chat.epoch(seats, chat.desk, { accept: 3 }, bob.who);
        if (takeover) await chat.add(epoch);
        else await refuses(chat, epoch, 'E19', 'author_right');
        const without = await chat.epoch([chat.me, chat.desk, bob], chat.desk, { accept: 3 }, bob.who);
        if (!takeover) await refuses(chat, without, 'E19', 'author_right');
      }
    });

    test('a bot, scanner, archive or server changes its own key object and nothing else', async () => {
      for (const kind of [5, 6, 7, 8]) {
        const { world, chat, ana } = await accepted(1);
        const machine: Seating = { leaf: 3, who: await known(chat, world.actor({ kind })) };
        await chat.add(await chat.epoch([chat.me, ana, machine], ana));
        const bob: Seating = { leaf: 4, who: await known(chat, world.actor()) };
        await wrong(chat, [chat.me, ana, machine, bob], machine);
        await wrong(chat, [chat.me, machine], machine);
        await wrong(chat, [chat.me, ana], machine);
        const fresh = await rekeyed(world, chat, ana, world.clock.now - 1);
        await wrong(chat, [chat.me, fresh, machine], machine);
        const mine = await rekeyed(world, chat, machine, world.clock.now - 1);
        await chat.add(await chat.epoch([chat.me, ana, mine], machine));
      }
    });

    test('everybody may author a rekey with the same members', async () => {
      const { world, chat, ana } = await accepted(2, {}, true);
      for (const author of [chat.me, chat.desk, ana]) {
        await chat.add(await chat.epoch([chat.me, chat.desk, ana], author, { reason: 3 }));
        world.clock.now += minute;
      }
    });
  });

  describe('[E20] an accept', () => {
    const wrong = (chat: Chat, epoch: Bytes) => refuses(chat, epoch, 'E20', 'bad_accept');

    test('by somebody else than a department', async () => {
      const { world, chat, ana } = await accepted();
      const bob: Seating = { leaf: 3, who: await known(chat, world.actor()) };
      await wrong(chat, await chat.epoch([chat.me, ana, bob], ana, { accept: 3 }, bob.who));
    });

    test('of a leaf that is not there or not new', async () => {
      const { world, chat } = await begun(2, { keepDept: 1 });
      const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
      await wrong(chat, await chat.epoch([chat.me, chat.desk, ana], chat.desk, { accept: 3 }, ana.who));
      await wrong(chat, await chat.epoch([chat.me, chat.desk, ana], chat.desk, { accept: 0 }, chat.visitor));
    });

    test('by a device of another department, or a bot', async () => {
      const { world, chat } = await begun();
      const eve: Seating = { leaf: 2, who: await known(chat, world.actor({ departments: [random(16)] })) };
      await wrong(chat, await acceptance(chat, eve));
    });

    test('with a device of another person', async () => {
      const { world, chat } = await begun();
      const subject = random(16);
      const ana: Seating = { leaf: 2, who: await known(chat, world.actor({ subject })) };
      const bob: Seating = { leaf: 3, who: await known(chat, world.actor()) };
      const second: Seating = { leaf: 3, who: await known(chat, world.actor({ subject })) };
      await wrong(chat, await chat.epoch([chat.me, ana, bob], chat.desk, { accept: 2 }, ana.who));
      await chat.add(await chat.epoch([chat.me, ana, second], chat.desk, { accept: 2 }, ana.who));
    });
  });

  test("[E21] the department's key stays though an agent goes", async () => {
    const { world, chat, ana } = await accepted(2, {}, true);
    const stays = await chat.epoch([chat.me, chat.desk], chat.me);
    await refuses(chat, stays, 'E21', 'dept_stale');
    const old: Seating = { leaf: 3, who: await known(chat, world.department(1, { serial: random(16) })) };
    await refuses(chat, await chat.epoch([chat.me, old], ana), 'E21', 'dept_stale');
    const next: Seating = { leaf: 3, who: await known(chat, world.department(2)) };
    await refuses(chat, await chat.epoch([chat.me, chat.desk, next], ana), 'E21', 'dept_stale');
    await chat.add(await chat.epoch([chat.me, next], ana));
  });

  test('[E22] a wrong signature, and a countersignature that is missing, wrong, or too much', async () => {
    const { world, chat } = await begun();
    const ana: Seating = { leaf: 2, who: await known(chat, world.actor()) };
    const right = await acceptance(chat, ana);
    const wrong = (epoch: Bytes) => refuses(chat, epoch, 'E22', 'epoch_sig');
    await wrong(damaged(right));
    await wrong(damaged(right, -104));
    await wrong(right.subarray(0, -64));
    await wrong(await chat.epoch([chat.me, ana], chat.desk, { accept: 2 }, chat.desk.who));
    const removal = await chat.epoch([chat.me], chat.me);
    await wrong(damaged(removal));
    await wrong(await chat.epoch([chat.me], { leaf: 0, who: ana.who }));
    await wrong(await chat.epoch([chat.me], chat.me, {}, chat.visitor));
    await chat.add(right);
  });

  test('[E23] a version below the last epoch’s, or not the genesis’s at the start', async () => {
    const { world, chat } = await begun();
    const next = await world.policy({ version: 2 });
    await chat.trust.add([next]);
    const named = { policy: await sha256(next), version: 2 };
    const first = await makeChat(world, chat.desk.who);
    await first.add(first.genesis);
    await first.trust.add([next]);
    const start = await first.epoch([first.me, first.desk], first.me, named);
    await refuses(first, start, 'E23', 'policy_rollback');
    world.clock.now += minute;
    await chat.add(await chat.epoch([chat.me, chat.desk], chat.me, { reason: 3, ...named }));
    await refuses(chat, await chat.epoch([chat.me], chat.me), 'E23', 'policy_rollback');
  });

  test('[E26] the first epoch has exactly whom it must have', async () => {
    const { world, chat, scanner } = await withScanner();
    const wrong = async (seats: readonly Seating[]) =>
      refuses(chat, await chat.epoch(seats, chat.me), 'E26', 'bad_epoch0');
    const at = (leaf: number, { who }: Seating): Seating => ({ leaf, who });
    const ana: Seating = { leaf: 3, who: await known(chat, world.actor()) };
    await wrong([chat.me, at(1, scanner)]);
    await wrong([chat.me, at(1, scanner), at(2, chat.desk)]);
    await wrong([chat.me, chat.desk, scanner, ana]);
    await wrong([chat.me, chat.desk, at(3, scanner)]);
    await wrong([chat.me, at(2, chat.desk), at(3, scanner)]);
    await chat.add(await chat.epoch([chat.me, chat.desk, scanner], chat.me));
  });

  describe('[E27] the budget', () => {
    test('the same members only after a minute', async () => {
      const { world, chat } = await begun();
      const same = (time: number) => chat.epoch([chat.me, chat.desk], chat.me, { reason: 3, time });
      const { now } = world.clock;
      await refuses(chat, await same(now + minute - 1), 'E27', 'epoch_budget');
      // Nor before it, by a clock that is turned back.
      await refuses(chat, await same(now - minute + 1), 'E27', 'epoch_budget');
      await chat.transcript.examine(await same(now - minute));
      await chat.add(await same(now + minute));
    });

    test('20 epochs of one certificate in an hour', async () => {
      const { world, chat, ana } = await accepted();
      const rekey = (author: Seating) => chat.epoch([chat.me, ana], author, { reason: 3 });
      for (let count = 0; count < 20; count++) {
        await chat.add(await rekey(chat.me));
        world.clock.now += minute;
      }
      await refuses(chat, await rekey(chat.me), 'E27', 'epoch_budget');
      const back = await chat.epoch([chat.me, ana], chat.me, {
        reason: 3,
        time: world.clock.now - 80 * minute + 1,
      });
      await chat.transcript.examine(back);
      const among = { reason: 3, time: world.clock.now - hour };
      await refuses(chat, await chat.epoch([chat.me, ana], chat.me, among), 'E27', 'epoch_budget');
      await chat.transcript.examine(await rekey(ana));
      world.clock.now += 40 * minute;
      await chat.add(await rekey(chat.me));
    });

    test('6 members of one certificate in an hour', async () => {
      const { world, chat, ana } = await accepted();
      const more: Seating[] = [];
      for (let leaf = 3; leaf < 10; leaf++) more.push({ leaf, who: await known(chat, world.actor()) });
      await refuses(chat, await chat.epoch([chat.me, ana, ...more], ana), 'E27', 'epoch_budget');
      await chat.add(await chat.epoch([chat.me, ana, ...more.slice(0, 4)], ana));
      await chat.add(await chat.epoch([chat.me, ana, ...more.slice(0, 6)], ana));
      await refuses(chat, await chat.epoch([chat.me, ana, ...more], ana), 'E27', 'epoch_budget');
      world.clock.now += hour;
      await chat.add(await chat.epoch([chat.me, ana, ...more], ana));
    });

    test('the last 200 of 2000 only remove', { timeout: 120_000 }, async () => {
      const { world, chat, ana } = await accepted();
      const seats = [chat.me, ana];
      while ((chat.transcript.last()?.object.n ?? 0) < 1799) {
        world.clock.now += 3 * minute + 1;
        await chat.add(await chat.epoch(seats, chat.me, { reason: 3 }), false);
      }
      world.clock.now += hour;
      await refuses(chat, await chat.epoch(seats, chat.me, { reason: 3 }), 'E27', 'epoch_budget', false);
      await chat.add(await chat.epoch([chat.me], chat.me), false);
    });
  });

  test('[K18] another device is one only when a device of the same person that was there brings it', async () => {
    const { world, chat, ana } = await accepted();
    const { subject } = parse(ana.who.card, 8);
    const luis: Seating = { leaf: 3, who: await known(chat, world.actor()) };
    const [tablet, phone] = [
      await known(chat, world.actor({ subject })),
      await known(chat, world.actor({ subject })),
    ];
    const second = async (seats: readonly Seating[], author: Seating) => {
      const taken = await chat.add(await chat.epoch(seats, author));
      return taken.kind === 2 ? taken.epoch.second : undefined;
    };
    const four: Seating = { leaf: 4, who: tablet };
    expect(await second([chat.me, ana, luis, four], ana)).toEqual([4]);
    expect(await second([chat.me, ana, luis, four, { leaf: 5, who: phone }], luis)).toEqual([]);
    expect(await second([chat.me, ana, luis, four], chat.me)).toEqual([]);
  });

  test('[E29] a time more than ten minutes off is marked and not refused', async () => {
    const { world, chat } = await begun();
    const { now } = world.clock;
    const marked = async (seats: readonly Seating[], time: number) => {
      const taken = await chat.add(await chat.epoch(seats, chat.me, { time }), false);
      return taken.kind === 2 && taken.epoch.uncertain;
    };
    const next: Seating = { leaf: 2, who: await known(chat, world.department(2)) };
    expect(await marked([chat.me], now - 10 * minute - 1)).toBe(true);
    expect(await marked([chat.me, next], now + 10 * minute + 1)).toBe(true);
    expect(await marked([chat.me], now + 10 * minute)).toBe(false);
  });
});

describe('event', () => {
  test('[V1] it does not parse', async () => {
    const { chat } = await begun();
    const event = await chat.event(chat.me);
    await refuses(chat, event.subarray(0, -1), 'V1', 'bad_event');
    await refuses(chat, await chat.event(chat.me, { ct: random(79) }), 'V1', 'bad_event');
  });

  test('[V2] an epoch that is over, or not there yet, or none at all', async () => {
    const { world, chat, ana } = await accepted();
    const first = chat.transcript.epochs[0]?.object.hash;
    await refuses(chat, await chat.event(ana, { n: 2 }), 'V2', 'epoch_stale');
    // After the epoch's entry nobody seals for the one before.
    await refuses(chat, await chat.event(chat.me, { n: 0 }, first), 'V2', 'epoch_stale');
    const empty = await makeChat(world, chat.desk.who);
    await empty.add(empty.genesis);
    await refuses(empty, await empty.event(empty.me, { n: 0 }), 'V2', 'epoch_stale');
  });

  test('[V2] the epoch before: by a member of both, sealed before the change, within 64 entries', async () => {
    const { world, chat, ana } = await accepted();
    const hash = chat.last();
    const seen = { n: 1, seenSeq: chat.seq(), seenLog: chat.log() };
    const late = (who: Seating, over = {}) => chat.event(who, { ...seen, ...over }, hash);
    await chat.add(await chat.epoch([chat.me], chat.me));
    await refuses(chat, await late(ana), 'V2', 'epoch_stale');
    await refuses(
      chat,
      await late(chat.me, { seenSeq: chat.seq(), seenLog: chat.log() }),
      'V2',
      'epoch_stale',
    );
    await chat.add(await late(chat.me));
    const entry = chat.transcript.last()?.seq ?? 0;
    while (chat.seq() < entry + 63) await chat.add(await chat.event(chat.me));
    await chat.add(await late(chat.me));
    await refuses(chat, await late(chat.me), 'V2', 'epoch_stale');
    world.clock.now += minute;
    await chat.add(await chat.epoch([chat.me], chat.me, { reason: 3 }));
    await refuses(chat, await late(chat.me), 'V2', 'epoch_stale');
  });

  test('[V3] a stranger, and a class that the role may not send', async () => {
    const { world, chat, ana } = await accepted(1, {}, true);
    await refuses(chat, await chat.event({ leaf: 9, who: ana.who }), 'V3', 'not_member');
    const kinds = [3, 5, 6, 7, 8];
    const others: Seating[] = [];
    for (const [at, kind] of kinds.entries()) {
      others.push({ leaf: 3 + at, who: await known(chat, world.actor({ kind })) });
    }
    const all = [chat.me, chat.desk, ana, ...others];
    await chat.add(await chat.epoch(all, ana));
    const allowed: Readonly<Record<number, readonly number[]>> = {
      1: [1, 2, 3, 5, 8],
      2: [1, 2, 3, 5, 6, 8],
      3: [1, 2, 3],
      4: [1, 2, 3, 5, 6, 7, 8],
    };
    for (const seating of all) {
      for (const eventClass of [1, 2, 3, 4]) {
        const event = await chat.event(seating, { class: eventClass });
        const may = allowed[eventClass]?.includes(seating.who.role);
        if (may) await chat.transcript.examine(event);
        else await refuses(chat, event, 'V3', 'not_member');
      }
    }
  });

  test('[V4] a sender that is revoked or over; its words of before stay', async () => {
    const { world, chat, ana } = await accepted();
    await chat.add(await chat.event(ana));
    const event = await chat.event(ana);
    world.clock.now += minute;
    const since = world.clock.now;
    await chat.trust.add([await world.status({ revoked: [{ cert: ana.who.cert, since }] })]);
    const wrong = (entry: Bytes, live?: boolean) => refuses(chat, entry, 'V4', 'revoked', live);
    await wrong(event);
    // However old it says that it is.
    await wrong(await chat.event(ana, { time: 0 }));
    await wrong(await chat.event(ana), false);
    await chat.add(await chat.event(chat.me));
    await chat.add(event, false);
  });

  test('[V4] [K9] [K11] a certificate that is over, by the policy of its epoch', async () => {
    const { world, chat, ana } = await accepted();
    const event = await chat.event(ana);
    // A later policy without the enroller changes nothing for an epoch that names the old one.
    await chat.trust.add([await world.policy({ version: 2, enrollers: [] })]);
    await chat.transcript.examine(event);
    world.clock.now += 12 * day - 2 * minute;
    await chat.transcript.examine(await chat.event(ana));
    world.clock.now += 1000;
    await refuses(chat, event, 'V4', 'revoked');
    await refuses(chat, await chat.event(ana), 'V4', 'revoked', false);
    await chat.transcript.examine(event, false);
    await chat.transcript.examine(await chat.event(chat.me));
  });

  test('[V5] the same event, and the same id of one leaf', async () => {
    const { chat, ana } = await accepted();
    const msgId = random(16);
    const event = await chat.event(chat.me, { msgId });
    await chat.add(event);
    await refuses(chat, event, 'V5', 'duplicate_event');
    await refuses(chat, await chat.event(chat.me, { msgId }), 'V5', 'duplicate_event');
    await chat.add(await chat.event(ana, { msgId }));
  });

  test('[V6] another log, or a part of it that is not there', async () => {
    const { chat } = await accepted();
    for (const over of [{ seenLog: random(32) }, { seenSeq: chat.seq() + 1 }, { seenSeq: chat.seq() - 1 }]) {
      await refuses(chat, await chat.event(chat.me, over), 'V6', 'log_mismatch');
    }
  });

  test('[V7] another key, epoch, conversation or byte', async () => {
    const { chat, ana } = await accepted();
    await refuses(chat, await chat.event({ leaf: 0, who: ana.who }), 'V7', 'event_sig');
    await refuses(chat, await chat.event(chat.me, {}, random(32)), 'V7', 'event_sig');
    const event = await chat.event(chat.me);
    await refuses(chat, damaged(event), 'V7', 'event_sig');
    await refuses(chat, damaged(event, -70), 'V7', 'event_sig');
    const header: Draft<3> = {
      n: 1,
      leaf: 0,
      class: 1,
      msgId: random(16),
      seenSeq: chat.seq(),
      seenLog: chat.log(),
      time: 0,
      ct: random(80),
      C: random(32),
    };
    const elsewhere = concat(random(32), chat.last());
    const org = await sha256(chat.genesis.subarray(4, 36));
    const foreign = await signed(3, header, chat.visitor.sig, org, elsewhere);
    await refuses(chat, foreign, 'V7', 'event_sig');
  });
});

describe('grants', () => {
  /** Ana accepted as leaf 2, Luis came as leaf 3, her other device as 4, a bot as 5: epochs 1 and 2. */
  async function team(line: Line = {}) {
    const scene = await accepted(2, line);
    const { world, chat, ana } = scene;
    const { subject } = parse(ana.who.card, 8);
    const luis: Seating = { leaf: 3, who: await known(chat, world.actor()) };
    const tablet: Seating = { leaf: 4, who: await known(chat, world.actor({ subject })) };
    const bot: Seating = {
      leaf: 5,
      who: await known(chat, world.actor({ kind: roles.bot, departments: [] })),
    };
    await chat.add(await chat.epoch([chat.me, ana, luis, tablet], ana));
    await chat.add(await chat.epoch([chat.me, ana, luis, tablet, bot], chat.me));
    return { ...scene, luis, tablet, bot };
  }

  test('[R1] [R2] it does not parse, or is not made in the last epoch of this conversation', async () => {
    const { chat, ana } = await team();
    const right = await chat.grant(ana, 3);
    await refuses(chat, right.slice(0, -1), 'R1', 'bad_grant');
    await refuses(chat, concat(right, Uint8Array.of(0)), 'R1', 'bad_grant');
    await refuses(chat, await chat.grant(ana, 3, { fromN: 3, toN: 2 }), 'R1', 'bad_grant');
    const stale = ['R2', 'epoch_stale'] as const;
    await refuses(chat, await chat.grant(ana, 3, { conv: random(32) }), ...stale);
    const before = chat.transcript.epochs[2]?.object.hash ?? random(32);
    await refuses(chat, await chat.grant(ana, 3, { epoch: before }), ...stale);
    expect(await chat.add(right)).toMatchObject({
      kind: 4,
      grant: { from: { leaf: 2 }, to: { leaf: 3 }, epochs: [{ object: { n: 3 } }] },
    });
  });

  test('[R3] who gives was there in every epoch, and who takes is another person or device', async () => {
    const { world, chat, ana, luis, tablet, bot } = await team();
    const right = ['R3', 'grant_right'] as const;
    const of = (n: number) => ({ fromN: n, ct: random(32 * (4 - n) + 16) });
    await refuses(chat, await chat.grant(ana, 3, of(0)), ...right);
    await chat.transcript.examine(await chat.grant(ana, 3, of(1)));
    await chat.transcript.examine(await chat.grant(chat.me, 3, of(0)));
    await refuses(chat, await chat.grant(luis, 4, of(1)), ...right);
    await chat.transcript.examine(await chat.grant(luis, 4, of(2)));
    await refuses(chat, await chat.grant(ana, 3, { toN: 4, ct: random(80) }), ...right);
    await refuses(chat, await chat.grant(ana, 3, { toN: 2 ** 32 - 1 }), ...right);
    for (const leaf of [0, 1, 2, 5, 9]) await refuses(chat, await chat.grant(ana, leaf), ...right);
    await refuses(chat, await chat.grant(bot, 3), ...right);
    await refuses(chat, await chat.grant(chat.desk, 3), ...right);
    await refuses(chat, await chat.grant({ ...ana, leaf: 9 }, 3), ...right);
    chat.transcript.mustBeWhole();
    for (const { who } of [ana, tablet]) {
      const since = world.clock.now;
      await chat.trust.add([await world.status({ revoked: [{ cert: who.cert, since }] })]);
      await refuses(chat, await chat.grant(who === ana.who ? ana : luis, 4), ...right);
    }
  });

  test("[R4] the policy's history, and always one's own other device", async () => {
    const { chat, ana } = await team({ history: 0 });
    await refuses(chat, await chat.grant(ana, 3), 'R4', 'grant_policy');
    await refuses(chat, await chat.grant(chat.me, 3), 'R4', 'grant_policy');
    await chat.add(await chat.grant(ana, 4));
  });

  test('[R10] [R5] [R6] [R8] twice, another log, another signature, another count of secrets', async () => {
    const { chat, ana, luis } = await team();
    const { seq } = { seq: chat.seq() };
    await refuses(chat, await chat.grant(ana, 3, { seenLog: random(32) }), 'R5', 'log_mismatch');
    await refuses(chat, await chat.grant(ana, 3, { seenSeq: seq + 1 }), 'R5', 'log_mismatch');
    await refuses(chat, await chat.grant({ ...ana, who: luis.who }, 3), 'R6', 'grant_sig');
    await refuses(chat, damaged(await chat.grant(ana, 3)), 'R6', 'grant_sig');
    for (const size of [49, 80]) {
      await refuses(chat, await chat.grant(ana, 3, { ct: random(size) }), 'R8', 'grant_length');
    }
    const once = await chat.grant(ana, 3);
    await chat.add(once);
    await refuses(chat, once, 'R10', 'duplicate_grant');
  });

  test('[S8] none after a close', async () => {
    const { chat, ana } = await team();
    await chat.add(await chat.event(ana, { class: 3 }));
    await refuses(chat, await chat.grant(ana, 3), 'S8', 'closed');
  });
});

describe('the end and the log', () => {
  test('[S8] after a close the visitor or the agent opens again, and nothing else happens', async () => {
    const { world, chat, ana } = await accepted();
    const again = (author: Seating, seats = [chat.me, ana]) => chat.epoch(seats, author, { reason: 5 });
    await refuses(chat, await again(chat.me), 'S8', 'closed');
    await chat.add(await chat.event(ana, { class: 3 }));
    expect(chat.transcript.closed()).toBe(true);
    await refuses(chat, await chat.event(chat.me), 'S8', 'closed');
    await refuses(chat, await chat.epoch([chat.me], chat.me), 'S8', 'closed');
    await refuses(chat, await chat.epoch([chat.me, ana], ana, { reason: 3 }), 'S8', 'closed');
    await refuses(chat, await again(chat.desk), 'S8', 'closed');
    await refuses(chat, await again({ leaf: 9, who: ana.who }), 'S8', 'closed');
    await chat.transcript.examine(await again(ana, [chat.me, ana]));
    world.clock.now += minute;
    await chat.add(await again(chat.me));
    expect(chat.transcript.closed()).toBe(false);
    await chat.add(await chat.event(chat.me));
    await chat.add(await chat.event(ana, { class: 3 }));
    await chat.add(await again(ana));
    expect(chat.transcript.closed()).toBe(false);
  });

  test('[S8] [E19] an agent that opens again brings nobody; a bot and a department do not open', async () => {
    const { world, chat, ana } = await accepted(1, {}, true);
    const bot: Seating = {
      leaf: 3,
      who: await known(chat, world.actor({ kind: roles.bot, departments: [] })),
    };
    const more: Seating = { leaf: 4, who: await known(chat, world.actor()) };
    const all = [chat.me, chat.desk, ana, bot];
    await chat.add(await chat.epoch(all, ana));
    await chat.add(await chat.event(chat.me, { class: 3 }));
    const again = (author: Seating, seats: readonly Seating[]) => chat.epoch(seats, author, { reason: 5 });
    await refuses(chat, await again(bot, all), 'S8', 'closed');
    await refuses(chat, await again(chat.desk, all), 'S8', 'closed');
    await refuses(chat, await again(ana, [...all, more]), 'E19', 'author_right');
    await chat.add(await again(ana, [chat.me, chat.desk, ana]));
  });

  test('[L3] another entry in a place that was taken, or that was seen before: nothing goes on', async () => {
    const { chat } = await begun();
    const [hello, other] = [await chat.event(chat.me), await chat.event(chat.me)];
    await chat.add(hello);
    await chat.transcript.compare(2, hello);
    await expect(chat.transcript.compare(2, other)).rejects.toEqual(rule('L3', 'fork'));
    await expect(chat.transcript.take(await chat.event(chat.me))).rejects.toEqual(rule('L3', 'fork'));
    const epoch = chat.transcript.epochs[0]?.object;
    const highest = { n: 0, epoch: epoch?.hash ?? random(32), seq: 2, log: chat.log(), seenAt: 0 };
    const again = createTranscript(chat.setting({ highest }));
    for (const entry of [chat.genesis, epoch?.bytes ?? random(1)]) await again.take(entry);
    await expect(again.take(other)).rejects.toEqual(rule('L3', 'fork'));
    expect(again.seq()).toBe(1);
    await expect(again.take(hello)).rejects.toEqual(rule('L3', 'fork'));
  });

  test('the log is that of every other reader', async () => {
    const { chat } = await accepted();
    expect(equal(chat.transcript.log(), chat.log())).toBe(true);
    expect(chat.transcript.seq()).toBe(2);
  });
});
