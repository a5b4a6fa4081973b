// The vault of a visitor, an agent and the department, through its own calls.
import { describe, expect, test } from 'vitest';
import { pad, sealBody } from './body.ts';
import { ascii, type Bytes, concat, equal, hex, random, sha256, uint } from './bytes.ts';
import { type Answer, connect } from './facade.ts';
import { wrap } from './hpke.ts';
import { createVault } from './inside.ts';
import { importEpochSecret, messageKeys } from './kdf.ts';
import { memoryKeep } from './keep.ts';
import {
  type Identity,
  type Open,
  type Opened,
  openEpoch,
  openEvent,
  sealEvent,
  writeEpoch,
} from './member.ts';
import { core, encode, eventHeader, nobody, parse, read } from './objects.ts';
import { type Actor, type Chat, makeChat, makeOrg, type Org } from './org.testing.ts';
import { Refusal } from './refusal.ts';
import { serve } from './serve.ts';
import { invitationText } from './trust.ts';
import type { Line, Vault } from './vault.ts';

const rule = (name: string, code: string) => expect.objectContaining({ name: 'Refusal', rule: name, code });

/** What a server holds of one conversation; it orders and delivers. */
function server() {
  const log: Bytes[] = [];
  const extras: Bytes[] = [];
  return {
    log,
    extras,
    store(objects: readonly Bytes[]) {
      for (const object of objects) ([1, 2, 3, 4].includes(object[1] ?? 0) ? log : extras).push(object);
    },
  };
}

type Stored = ReturnType<typeof server>;

/** An agent's vault, enrolled and with the department's keys. */
async function agent(
  world: Org,
  desk: Actor,
  subject = random(16),
  departments = [world.dept],
  givenKeys = true,
) {
  const keep = memoryKeep();
  const vault = createVault(keep, () => world.clock.now);
  await vault.open({ org: world.org, minPolicy: 0, minMode: 1 });
  const base = [world.first, world.issuer.card, await world.status(), desk.card, desk.key];
  await vault.trust(base);
  const { request } = await vault.enrol(await invitationText(random(16)));
  const pk = request.slice(-104, -72);
  const card = await world.certify(world.issuer, pk, { subject, departments });
  const key = await vault.certified(card);
  const to = await sha256(key);
  const info = concat(ascii('asc1 dept'), desk.cert, to);
  const sealed = await wrap(desk.seeds ?? random(64), key.slice(68, 68 + 1216), info);
  const give = () => vault.department(desk.card, encode(14, { type: 2, leaf: 0, to, ...sealed }));
  if (givenKeys) await give();
  return { vault, keep, card, key, base, give };
}

async function visitor(world: Org, desk: Actor, keep = memoryKeep()) {
  const vault = createVault(keep, () => world.clock.now);
  await vault.open({ org: world.org, dept: world.dept, minPolicy: 0, minMode: 1 });
  await vault.trust([world.first, world.issuer.card, await world.status(), desk.card, desk.key]);
  return { vault, keep };
}

const texts = (lines: readonly Line[]) =>
  lines.flatMap((line) => (line.kind === 'message' ? [line.text] : []));

async function scene() {
  const world = await makeOrg();
  const desk = await world.department();
  const alice = await visitor(world, desk);
  const ana = await agent(world, desk);
  const post = server();
  const { conv, objects } = await alice.vault.begin();
  post.store(objects);
  post.extras.push(ana.card, ana.key);
  const load = (vault: Vault) => vault.take(conv, 0, post.log, post.extras, true);
  await load(alice.vault);
  return { world, desk, alice, ana, post, conv, load };
}

describe('a conversation', () => {
  test('begins, is accepted, goes both ways, is closed and opened again', async () => {
    const { world, alice, ana, post, conv, load } = await scene();
    const hello = await alice.vault.say(conv, 'Hola, ¿hay alguien?');
    post.store([hello.event]);
    expect(texts(await load(alice.vault))).toEqual(['Hola, ¿hay alguien?']);
    expect(texts(await load(ana.vault))).toEqual(['Hola, ¿hay alguien?']);
    expect(await ana.vault.state(conv)).toMatchObject({ acceptable: true, open: false, epoch: 0 });

    post.store(await ana.vault.accept(conv));
    const joined = await load(ana.vault);
    expect(joined).toMatchObject([{ kind: 'roster', n: 1, reason: 1 }]);
    expect(await ana.vault.state(conv)).toMatchObject({ acceptable: false, open: true, epoch: 1 });
    await load(alice.vault);
    const [a, b] = [await alice.vault.state(conv), await ana.vault.state(conv)];
    expect(a.safety).toBe(b.safety);
    expect(a.safety).toMatch(/^(\d{5} ){7}\d{5}$/);
    expect(a.log).toEqual(b.log);
    expect(a.members.map(({ role, name, mine }) => ({ role, name, mine }))).toEqual([
      { role: 1, name: '', mine: true },
      { role: 2, name: 'Ana', mine: false },
    ]);

    post.store([(await ana.vault.say(conv, 'Buenos días')).event]);
    expect(texts(await load(alice.vault))).toEqual(['Buenos días']);
    await load(ana.vault);
    post.store([await ana.vault.close(conv, 1)]);
    expect(await load(alice.vault)).toMatchObject([{ kind: 'closed', reason: 1 }]);
    await expect(alice.vault.say(conv, 'x')).rejects.toEqual(rule('S8', 'closed'));
    world.clock.now += 120_000;
    post.store(await alice.vault.reopen(conv));
    expect(await load(alice.vault)).toMatchObject([{ kind: 'roster', reason: 5 }]);
    post.store([(await alice.vault.say(conv, 'one more thing')).event]);
    expect(texts(await load(ana.vault))).toEqual(['one more thing']);
  });

  test('an agent hands over to a colleague, and is removed', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    const bob = await agent(world, desk);
    post.extras.push(bob.card, bob.key);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    await ana.vault.trust([bob.card, bob.key]);
    post.store(await ana.vault.transfer(conv, bob.card, false));
    await load(ana.vault);
    await load(bob.vault);
    await load(alice.vault);
    expect((await bob.vault.state(conv)).members.map(({ leaf }) => leaf)).toEqual([0, 2, 3]);
    post.store([(await bob.vault.say(conv, 'I am Bob')).event]);
    expect(texts(await load(alice.vault))).toEqual(['I am Bob']);
    await load(ana.vault);
    post.store(await bob.vault.remove(conv, [2]));
    expect(await load(ana.vault)).toMatchObject([{ kind: 'roster', locked: 'W1' }]);
    expect(await ana.vault.state(conv)).toMatchObject({ open: false });
    await expect(ana.vault.say(conv, 'still here?')).rejects.toEqual(rule('W6', 'locked'));
    await load(bob.vault);
    await load(alice.vault);
    world.clock.now += 60_000;
    post.store(await alice.vault.rekey(conv));
    expect(await load(bob.vault)).toMatchObject([{ kind: 'roster', reason: 3 }]);
    post.store([(await bob.vault.say(conv, 'alone now')).event]);
    expect(await load(ana.vault)).toMatchObject([
      { kind: 'roster', locked: 'W1' },
      { kind: 'unreadable', rule: 'W6', code: 'locked' },
    ]);
  });

  test('a page that comes back reads everything again, from what the server has and what was kept', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    post.store([(await alice.vault.say(conv, 'one')).event]);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    post.store([(await ana.vault.say(conv, 'two')).event]);
    await load(alice.vault);
    const back = await visitor(world, desk, alice.keep);
    expect(await back.vault.open({ org: world.org, dept: world.dept, minPolicy: 0, minMode: 1 })).toEqual({
      visitor: [conv],
      device: 'none',
    });
    await back.vault.trust([world.first, world.issuer.card, await world.status(), desk.card, desk.key]);
    expect(texts(await load(back.vault))).toEqual(['one', 'two']);
    post.store([(await back.vault.say(conv, 'three')).event]);
    const again = createVault(ana.keep, () => world.clock.now);
    const kept = await again.open({ org: world.org, minPolicy: 0, minMode: 1 });
    expect(kept).toMatchObject({ visitor: [], device: 'ready' });
    expect(kept.enrolment).toHaveLength(32);
    await again.trust(ana.base);
    expect(texts(await load(again))).toEqual(['one', 'two', 'three']);
  });

  test('a newer department key replaces the older when a member writes', async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    const next = await world.department(2);
    await alice.vault.trust([next.card, next.key]);
    post.extras.push(next.card, next.key);
    world.clock.now += 60_000;
    post.store(await alice.vault.rekey(conv));
    await load(alice.vault);
    expect((await alice.vault.state(conv)).members.map(({ leaf, role }) => [leaf, role])).toEqual([
      [0, 1],
      [2, 4],
    ]);
    expect(desk.role).toBe(4);
  });

  test('proofs of a session name the conversation or the certificate', async () => {
    const { alice, ana, conv } = await scene();
    const challenge = random(32);
    const mine = parse(await alice.vault.proof(challenge, conv), 13);
    expect([mine.owner, mine.challenge]).toEqual([conv, challenge]);
    const its = parse(await ana.vault.proof(challenge), 13);
    expect(its.owner).toEqual(await sha256(ana.card));
    await expect(alice.vault.proof(challenge)).rejects.toEqual(rule('W1', 'not_member'));
    await expect(ana.vault.proof(challenge, conv)).rejects.toEqual(rule('W1', 'not_member'));
  });

  test('[G8] [E19] [E20] what a vault does not accept', async () => {
    const old = await scene();
    await old.load(old.ana.vault);
    old.world.clock.now += 169 * 3_600_000;
    await old.ana.vault.trust([await old.world.status()]);
    await expect(old.ana.vault.accept(old.conv)).rejects.toEqual(rule('G8', 'genesis_age'));
    const late = await scene();
    await late.load(late.ana.vault);
    late.post.store(await late.ana.vault.accept(late.conv));
    await late.load(late.ana.vault);
    await expect(late.ana.vault.accept(late.conv)).rejects.toEqual(rule('E19', 'author_right'));
    const elsewhere = await scene();
    const eve = await agent(elsewhere.world, elsewhere.desk, random(16), [random(16)]);
    await elsewhere.load(eve.vault);
    expect(await eve.vault.state(elsewhere.conv)).toMatchObject({ acceptable: false });
    await expect(eve.vault.accept(elsewhere.conv)).rejects.toEqual(rule('E20', 'bad_accept'));
  });
});

/** A conversation whose epoch 0 was written as a member does, with the wraps in order. */
async function written() {
  const world = await makeOrg();
  const desk = await world.department();
  const chat = await makeChat(world, desk);
  await chat.add(chat.genesis);
  const policy = chat.trust.policy();
  if (!policy) throw new Error('no policy');
  const places = await Promise.all(
    [chat.me, chat.desk].map(async ({ leaf, who }) => ({
      leaf,
      role: who.role,
      cert: who.cert,
      box: await read(who.key, 5),
    })),
  );
  const { epoch, wraps } = await writeEpoch({
    conv: chat.conv,
    author: 0,
    sig: chat.visitor.sig,
    reason: 0,
    accept: nobody,
    policy,
    places,
    view: { seq: 0, log: chat.log(), now: world.clock.now },
  });
  await chat.add(epoch);
  return { world, desk, chat, wraps: await Promise.all(wraps.map((each) => read(each, 14))) };
}
type Wraps = Parameters<typeof openEpoch>[2];

const identity = ({ cert, keyHash: key, sig, kem }: Actor): Identity => ({ cert, key, sig, kem });
function lastOf(chat: Chat) {
  const epoch = chat.transcript.last();
  if (!epoch) throw new Error('no epoch');
  return epoch;
}
async function opened(chat: Chat, who: Actor, wraps: Wraps): Promise<Open> {
  const result = await openEpoch(lastOf(chat), [identity(who)], wraps);
  if (result.state !== 'open') throw result.why;
  return result;
}

describe('wraps', () => {
  const locks = async (chat: Chat, who: Identity, wraps: Wraps, name: string, code: string) => {
    const result = await openEpoch(lastOf(chat), [who], wraps);
    expect(result).toEqual({ state: 'locked', why: rule(name, code) });
  };

  /** An epoch 1 of the visitor and the department, with wraps and commitment of our choice for the visitor. */
  async function crafted(make: (coreHash: Bytes, chat: Chat) => Promise<{ wrap: Bytes; commit?: Bytes }>) {
    const { world, chat } = await written();
    world.clock.now += 60_000;
    const fields = { reason: 3, wraps: [random(32), random(32)], commit: random(32) };
    const plain = await chat.epoch([chat.me, chat.desk], chat.me, fields);
    const made = await make(await sha256(core(parse(plain, 2))), chat);
    const hashes = [await sha256(made.wrap), random(32)];
    const epoch = await chat.epoch([chat.me, chat.desk], chat.me, {
      ...fields,
      wraps: hashes,
      ...(made.commit && { commit: made.commit }),
    });
    await chat.add(epoch);
    return { chat, wraps: [await read(made.wrap, 14)] };
  }
  const infoFor = (coreHash: Bytes, leaf = 0) => concat(ascii('asc1 wrap'), coreHash, uint(leaf, 2));

  test('every member opens its own', async () => {
    const { chat, desk, wraps } = await written();
    expect((await opened(chat, chat.visitor, wraps)).seat.leaf).toBe(0);
    expect((await opened(chat, desk, wraps)).seat.leaf).toBe(1);
  });

  test('[W1] no place in the roster, or one with a key object that is not mine', async () => {
    const { world, chat, wraps } = await written();
    await locks(chat, identity(await world.actor()), wraps, 'W1', 'not_member');
    await locks(chat, { ...identity(chat.visitor), key: random(32) }, wraps, 'W1', 'not_member');
    expect(await openEpoch(lastOf(chat), [], wraps)).toEqual({
      state: 'locked',
      why: rule('W1', 'not_member'),
    });
  });

  test('[W6] a wrap that fails locks the epoch, though another place is mine', async () => {
    const { chat, desk, wraps } = await written();
    const [mine, its] = wraps;
    if (!mine || !its) throw new Error('no wraps');
    const both = [identity(chat.visitor), identity(desk)];
    const broken = await read(encode(14, { ...mine, enc: random(1120) }), 14);
    expect(await openEpoch(lastOf(chat), both, [broken, its])).toEqual({
      state: 'locked',
      why: rule('W3', 'wrap_hash'),
    });
    // A place whose key object is not mine is not my place.
    const other = [{ ...identity(chat.visitor), key: random(32) }, identity(desk)];
    expect(await openEpoch(lastOf(chat), other, wraps)).toMatchObject({ state: 'open', seat: { leaf: 1 } });
  });

  test('[W2] the wrap is not there', async () => {
    const { chat, wraps } = await written();
    await locks(chat, identity(chat.visitor), wraps.slice(1), 'W2', 'wrap_missing');
    await locks(chat, identity(chat.visitor), [], 'W2', 'wrap_missing');
  });

  test('[W3] another wrap for me, or the right hash for another leaf, key or type', async () => {
    const { chat, wraps } = await written();
    const [mine] = wraps;
    if (!mine) throw new Error('no wrap');
    const swapped = await read(encode(14, { ...mine, enc: random(1120) }), 14);
    await locks(chat, identity(chat.visitor), [swapped], 'W3', 'wrap_hash');
    for (const over of [{ leaf: 1 }, { to: random(32) }, { type: 3 }]) {
      const other = await crafted(async () => ({
        wrap: encode(14, { ...mine, to: chat.visitor.keyHash, ...over }),
      }));
      await locks(other.chat, identity(other.chat.visitor), other.wraps, 'W3', 'wrap_hash');
    }
  });

  test('[W4] a wrap that does not open: for another core, leaf or key, or of another length', async () => {
    const infos = [
      () => infoFor(random(32)),
      (coreHash: Bytes) => infoFor(coreHash, 1),
      (coreHash: Bytes) => concat(ascii('asc1 dept'), coreHash, uint(0, 2)),
    ];
    for (const info of infos) {
      const bad = await crafted(async (coreHash, { visitor: who }) => ({
        wrap: encode(14, {
          type: 1,
          leaf: 0,
          to: who.keyHash,
          ...(await wrap(random(32), who.kem.publicKey, info(coreHash))),
        }),
      }));
      await locks(bad.chat, identity(bad.chat.visitor), bad.wraps, 'W4', 'wrap_open');
    }
  });

  test('[W5] a secret that the epoch does not commit to', async () => {
    const bad = await crafted(async (coreHash, { visitor: who }) => ({
      wrap: encode(14, {
        type: 1,
        leaf: 0,
        to: who.keyHash,
        ...(await wrap(random(32), who.kem.publicKey, infoFor(coreHash))),
      }),
    }));
    await locks(bad.chat, identity(bad.chat.visitor), bad.wraps, 'W5', 'key_commit');
  });

  test('[W6] a locked epoch seals, opens and writes nothing', async () => {
    const { alice, ana, post, conv, load } = await scene();
    post.store([(await alice.vault.say(conv, 'hello')).event]);
    const without = post.extras.filter((object) => object[1] !== 14);
    const lines = await ana.vault.take(conv, 0, post.log, without);
    expect(lines).toMatchObject([
      { kind: 'roster', locked: 'W2' },
      { kind: 'unreadable', rule: 'W6', code: 'locked' },
    ]);
    expect(await ana.vault.state(conv)).toMatchObject({ open: false, acceptable: false });
    const locked = rule('W6', 'locked');
    await expect(ana.vault.say(conv, 'x')).rejects.toEqual(locked);
    await expect(ana.vault.close(conv, 1)).rejects.toEqual(locked);
    await expect(ana.vault.accept(conv)).rejects.toEqual(locked);
    await expect(ana.vault.rekey(conv)).rejects.toEqual(locked);
    await expect(ana.vault.remove(conv, [0])).rejects.toEqual(locked);
    await expect(ana.vault.reopen(conv)).rejects.toEqual(locked);
    // With the wrap it opens.
    await load(ana.vault);
    expect(await ana.vault.state(conv)).toMatchObject({ acceptable: true });
  });

  test('[L5] what seals and writes takes only what an opening made', async () => {
    const locked: Opened = { state: 'locked', why: new Refusal('W2', 'wrap_missing', '') };
    const view = { seq: 0, log: random(32), now: 0 };
    // @ts-expect-error: a locked epoch has no secret, and the compiler says so.
    await expect(sealEvent(locked, random(32), view, 1, random(16), ascii('x'))).rejects.toThrow();
    // @ts-expect-error: the same for opening.
    await expect(openEvent({}, locked)).rejects.toThrow();
    const { chat, wraps } = await written();
    const open = await opened(chat, chat.visitor, wraps);
    expect(open.secret.extractable).toBe(false);
    expect(open.mine.sig.extractable).toBe(false);
  });
});

describe('events', () => {
  /** An event whose body is of our making, signed by the visitor. */
  async function forged(
    padded: Bytes,
    { eventClass = 1, spoil = (part: Bytes) => part, C = undefined as Bytes | undefined } = {},
  ) {
    const { chat, wraps } = await written();
    const open = await opened(chat, chat.visitor, wraps);
    const fixed = { msgId: random(16), class: eventClass };
    const h = eventHeader(await chat.event(chat.me, fixed));
    const epoch = lastOf(chat).object.hash;
    const keys = await messageKeys(open.secret, epoch, h);
    const body = await sealBody(keys, concat(chat.conv, epoch, h), padded);
    const event = await chat.event(chat.me, { ...fixed, ct: spoil(body.ct), C: C ?? body.C });
    const taken = await chat.add(event);
    if (taken.kind !== 3) throw new Error('no event');
    return openEvent(taken.event, open);
  }
  const text = (content: string | Bytes, type = 1) =>
    pad(
      concat(
        Uint8Array.of(type),
        random(16),
        typeof content === 'string' ? new TextEncoder().encode(content) : content,
      ),
    );
  const flipped = (part: Bytes) => concat(Uint8Array.of((part[0] ?? 0) ^ 1), part.subarray(1));

  test('what is right opens', async () => {
    expect(await forged(text('hola\nEva'))).toMatchObject({ type: 1, text: 'hola\nEva' });
    expect(await forged(text(Uint8Array.of(2), 2), { eventClass: 3 })).toMatchObject({ type: 2, reason: 2 });
    const hash = random(32);
    const bad = concat(uint(7, 4), hash);
    expect(await forged(text(bad, 3), { eventClass: 4 })).toMatchObject({ type: 3, n: 7, epoch: hash });
  });

  test('[V8] another byte, another key', async () => {
    await expect(forged(text('x'), { spoil: flipped })).rejects.toEqual(rule('V8', 'decrypt'));
    const { chat, wraps } = await written();
    const open = await opened(chat, chat.visitor, wraps);
    const event = await sealEvent(
      open,
      chat.trust.policy()?.org ?? random(32),
      view(chat),
      1,
      random(16),
      ascii('x'),
    );
    const taken = await chat.add(event);
    if (taken.kind !== 3) throw new Error('no event');
    const other = { ...open, secret: await importEpochSecret(random(32)) };
    await expect(openEvent(taken.event, other)).rejects.toEqual(rule('V8', 'decrypt'));
    expect(await openEvent(taken.event, open)).toMatchObject({ text: 'x' });
  });
  const view = (chat: Chat) => ({ seq: chat.seq(), log: chat.log(), now: 1_800_000_000_000 });

  test('[V9] a commitment to something else', async () => {
    await expect(forged(text('x'), { C: random(32) })).rejects.toEqual(rule('V9', 'commitment'));
  });

  test('[V10] a body that is not padded as agreed', async () => {
    const padded = text('x');
    const lying = concat(padded);
    lying.set([255, 255, 255, 255]);
    const dirty = concat(padded);
    dirty[63] = 1;
    for (const wrong of [lying, dirty, concat(padded, new Uint8Array(64)), random(70)]) {
      await expect(forged(wrong)).rejects.toEqual(rule('V10', 'padding'));
    }
  });

  test('[V11] a payload that does not parse, or does not fit its class', async () => {
    const cases: readonly (readonly [Bytes, number])[] = [
      [text('', 1), 1],
      [text(new Uint8Array(8193).fill(97)), 1],
      [text(Uint8Array.of(0xff)), 1],
      [text('x', 2), 1],
      [text('x', 9), 1],
      [pad(Uint8Array.of(1, 2, 3)), 1],
      [pad(new Uint8Array()), 1],
      [text(Uint8Array.of(1), 2), 1],
      [text('x'), 3],
      [text(Uint8Array.of(0), 2), 3],
      [text(Uint8Array.of(4), 2), 3],
      [text(Uint8Array.of(1, 1), 2), 3],
      [text(random(35), 3), 4],
      [text(random(36), 3), 1],
      [text('x'), 2],
    ];
    for (const [padded, eventClass] of cases) {
      await expect(forged(padded, { eventClass })).rejects.toEqual(rule('V11', 'bad_payload'));
    }
  });

  test('[V11] a vault seals no text that others would refuse', async () => {
    const { alice, conv } = await scene();
    const bad = rule('V11', 'bad_payload');
    await expect(alice.vault.say(conv, '')).rejects.toEqual(bad);
    await expect(alice.vault.say(conv, 'ñ'.repeat(4097))).rejects.toEqual(bad);
    await expect(alice.vault.say(conv, 'x', random(15))).rejects.toEqual(bad);
    await alice.vault.say(conv, 'ñ'.repeat(4096));
  });

  test('[V11] marks and forms that do not keep section 4.3', async () => {
    const two = (delivered: number, read: number) => concat(uint(delivered, 8), uint(read, 8));
    const field = (name: string, kind = 1, value = 'x') =>
      concat(uint(name.length, 1), ascii(name), uint(kind, 1), uint(value.length, 2), ascii(value));
    const form = (...fields: Bytes[]) => concat(uint(fields.length, 1), ...fields);
    expect(await forged(text(two(1, 0), 4), { eventClass: 2 })).toMatchObject({ delivered: 1, read: 0 });
    expect(await forged(text(form(field('name', 1, 'Eva')), 5))).toMatchObject({
      fields: [{ name: 'name', kind: 1, value: 'Eva' }],
    });
    const cases: readonly (readonly [Bytes, number])[] = [
      [two(2, 0), 4],
      [two(0, 1), 4],
      [concat(two(1, 1), uint(0, 1)), 4],
      [form(), 5],
      [form(field('')), 5],
      [form(field('a'), field('a')), 5],
      [form(field('a', 7)), 5],
      [form(field('a', 1, 'x'.repeat(1025))), 5],
      [form(field('a'.repeat(65))), 5],
      [concat(form(field('a')), uint(0, 1)), 5],
      [form(field('a')).slice(0, -1), 5],
    ];
    for (const [content, type] of cases) {
      const eventClass = type === 4 ? 2 : 1;
      await expect(forged(text(content, type), { eventClass })).rejects.toEqual(rule('V11', 'bad_payload'));
    }
  });

  test('[V11] [L6] a vault marks what it has seen, and the visitor alone fills in a form', async () => {
    const { alice, ana, post, conv, load } = await scene();
    const fields = [
      { name: 'nombre', kind: 1, value: 'Nun\u0303ez' },
      { name: 'idioma', kind: 6, value: 'es' },
    ];
    const filled = await alice.vault.form(conv, fields);
    expect(await alice.vault.form(conv, fields, filled.cid)).toEqual(filled);
    await expect(alice.vault.say(conv, 'x', filled.cid)).rejects.toEqual(rule('L6', 'retry'));
    post.store([filled.event]);
    await load(alice.vault);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    await load(alice.vault);
    post.store([await ana.vault.mark(conv, 3, 2)]);
    expect(await load(alice.vault)).toMatchObject([
      { kind: 'marks', seq: 4, delivered: 3, read: 2, from: { name: 'Ana', mine: false } },
    ]);
    expect(await load(ana.vault)).toMatchObject([{ kind: 'marks', from: { mine: true } }]);
    const lines = await createVaultAgain(ana, conv, post);
    expect(lines[1]).toMatchObject({
      kind: 'form',
      seq: 2,
      fields: [
        { name: 'nombre', kind: 1, value: 'Nu\u00f1ez' },
        { name: 'idioma', value: 'es' },
      ],
    });
    const bad = rule('V11', 'bad_payload');
    await expect(ana.vault.mark(conv, 5, 0)).rejects.toEqual(bad);
    await expect(ana.vault.mark(conv, 2, 3)).rejects.toEqual(bad);
    await expect(ana.vault.form(conv, fields)).rejects.toEqual(bad);
    const long = 'x'.repeat(1024);
    for (const wrong of [
      [],
      [{ name: 'a'.repeat(256 + 4), kind: 1, value: 'x' }],
      [{ name: 'a', kind: 1, value: 'x'.repeat(65537) }],
      [{ name: 'a', kind: 0, value: 'x' }],
      Array.from({ length: 17 }, (_, at) => ({ name: `${at}`, kind: 1, value: '' })),
    ]) {
      await expect(alice.vault.form(conv, wrong)).rejects.toEqual(bad);
    }
    const full = Array.from({ length: 16 }, (_, at) => ({ name: `${at}`, kind: 1, value: long }));
    await expect(alice.vault.form(conv, full)).rejects.toEqual(rule('V10', 'padding'));
  });

  /** The lines of a page that comes back. */
  async function createVaultAgain(who: Awaited<ReturnType<typeof agent>>, conv: Bytes, post: Stored) {
    const again = createVault(who.keep, () => 1_800_000_000_000);
    const [policy] = who.base;
    await again.open({ org: policy?.slice(4, 36) ?? random(32), minPolicy: 0, minMode: 1 });
    await again.trust(who.base);
    return again.take(conv, 0, post.log, post.extras, true);
  }

  test("[V12] a message that is sealed again is shown once, and another's cid is its own", async () => {
    const { alice, ana, post, conv, load } = await scene();
    const once = await alice.vault.say(conv, 'pay 100');
    post.store([once.event]);
    await load(alice.vault);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(alice.vault);
    const again = await alice.vault.say(conv, 'pay 100', once.cid);
    expect(equal(again.event, once.event)).toBe(false);
    post.store([again.event]);
    expect((await load(ana.vault)).at(-1)).toMatchObject({
      kind: 'unreadable',
      rule: 'V12',
      code: 'duplicate_cid',
    });
    post.store([(await ana.vault.say(conv, 'mine', once.cid)).event]);
    expect(texts(await load(alice.vault))).toEqual(['mine']);
  });
});

describe('the state of a client', () => {
  test('[L1] a gap is not taken, and nothing is sent while it is there', async () => {
    const { alice, post, conv, load } = await scene();
    for (const text of ['one', 'two']) {
      post.store([(await alice.vault.say(conv, text)).event]);
      if (text === 'one') await load(alice.vault);
    }
    const third = await alice.vault.say(conv, 'three');
    post.store([third.event]);
    const gap = rule('L1', 'gap');
    await expect(alice.vault.take(conv, 4, post.log.slice(4), [])).rejects.toEqual(gap);
    await expect(alice.vault.say(conv, 'four')).rejects.toEqual(gap);
    await expect(alice.vault.close(conv, 2)).rejects.toEqual(gap);
    await expect(alice.vault.rekey(conv)).rejects.toEqual(gap);
    expect(await alice.vault.state(conv)).toMatchObject({ open: false, seq: 2 });
    expect(texts(await load(alice.vault))).toEqual(['two', 'three']);
    await alice.vault.say(conv, 'four');
  });

  test('[L2] a log that ends before what was seen', async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    post.store([(await alice.vault.say(conv, 'one')).event]);
    await load(alice.vault);
    const { vault } = await visitor(world, desk, alice.keep);
    const short = post.log.slice(0, 2);
    await expect(vault.take(conv, 0, short, post.extras, true)).rejects.toEqual(rule('L2', 'rollback'));
    await expect(vault.say(conv, 'x')).rejects.toEqual(rule('L1', 'gap'));
    await vault.take(conv, 2, post.log.slice(2), [], true);
    await vault.say(conv, 'x');
  });

  test('[L2] what is kept never goes down, whichever tab writes last', async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    const { vault: tab } = await visitor(world, desk, alice.keep);
    await tab.take(conv, 0, post.log, post.extras);
    for (const text of ['one', 'two', 'three']) {
      post.store([(await alice.vault.say(conv, text)).event]);
      await load(alice.vault);
    }
    await tab.take(conv, 2, post.log.slice(2, 3), []);
    const { vault } = await visitor(world, desk, alice.keep);
    const short = vault.take(conv, 0, post.log.slice(0, 4), post.extras, true);
    await expect(short).rejects.toEqual(rule('L2', 'rollback'));
  });

  test('[L3] a fork stops the conversation, also after the page was loaded again', async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    const [one, other] = [await alice.vault.say(conv, 'one'), await alice.vault.say(conv, 'other')];
    post.store([one.event]);
    await load(alice.vault);
    const fork = rule('L3', 'fork');
    await expect(alice.vault.take(conv, 2, [other.event], [])).rejects.toEqual(fork);
    await expect(alice.vault.say(conv, 'x')).rejects.toEqual(fork);
    expect(await alice.vault.state(conv)).toMatchObject({ open: false });
    const [kept] = await alice.keep.list('');
    expect(JSON.stringify(await alice.keep.list(''))).toContain('fork');
    expect(kept).toBeDefined();
    const { vault } = await visitor(world, desk, alice.keep);
    await expect(load(vault)).rejects.toEqual(fork);
  });

  test('[L3] another window was shown another log', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    const { vault: tab } = await visitor(world, desk, alice.keep);
    await load(tab);
    const [one, other] = [await alice.vault.say(conv, 'one'), await tab.say(conv, 'other')];
    await alice.vault.take(conv, 2, [one.event], []);
    const fork = rule('L3', 'fork');
    await expect(tab.take(conv, 2, [other.event], [])).rejects.toEqual(fork);
    await expect(tab.say(conv, 'x')).rejects.toEqual(fork);
    // What it was shown is kept as evidence, beside what was kept first.
    const records = JSON.stringify(await alice.keep.list(''));
    expect(records).toContain('fork');
    post.store([one.event]);
    const back = await visitor(world, desk, alice.keep);
    await expect(load(back.vault)).rejects.toEqual(fork);
    await load(ana.vault);
  });

  test('[L2] a visit is remembered when the whole log was there, not at a part of it', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    post.store([(await alice.vault.say(conv, 'one')).event]);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    post.store([(await ana.vault.say(conv, 'two')).event]);
    const start = world.clock.now;
    // A day later the agent is revoked since an hour after its words.
    world.clock.now += 23 * 3_600_000;
    const since = start + 3_600_000;
    const status = await world.status({ revoked: [{ cert: await sha256(ana.card), since }] });
    const read = async (entries: number, complete: boolean) => {
      const { vault } = await visitor(world, desk, alice.keep);
      await vault.trust([status]);
      return vault.take(conv, 0, post.log.slice(0, entries), post.extras, complete);
    };
    await read(4, false);
    expect(texts(await read(5, false))).toEqual(['one', 'two']);
    await read(5, true);
    // Written since that visit, whatever time it names.
    post.store([(await ana.vault.say(conv, 'three')).event]);
    await expect(read(6, true)).rejects.toEqual(rule('V4', 'revoked'));
  });

  test('[V4] [E14] once everything was there, what comes is judged now, however old it says it is', async () => {
    const { world, alice, ana, post, conv, load } = await scene();
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    const late = await ana.vault.say(conv, 'late');
    world.clock.now += 3_600_000;
    const revoked = [{ cert: await sha256(ana.card), since: world.clock.now }];
    await load(alice.vault);
    await alice.vault.trust([await world.status({ revoked })]);
    post.store([late.event]);
    await expect(load(alice.vault)).rejects.toEqual(rule('V4', 'revoked'));
    expect((await alice.vault.state(conv)).seq).toBe(2);
  });

  test('[L3] a log that was rewritten below what was seen', async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    const [one, other] = [await alice.vault.say(conv, 'one'), await alice.vault.say(conv, 'other')];
    post.store([one.event]);
    await load(alice.vault);
    const { vault } = await visitor(world, desk, alice.keep);
    const rewritten = [...post.log.slice(0, 2), other.event];
    await expect(vault.take(conv, 0, rewritten, post.extras)).rejects.toEqual(rule('L3', 'fork'));
  });

  test('[L4] a close erases nothing; a person does', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    post.store([await alice.vault.close(conv, 2)]);
    await load(alice.vault);
    await load(ana.vault);
    const back = await visitor(world, desk, alice.keep);
    await load(back.vault);
    expect(await back.vault.state(conv)).toMatchObject({ closed: true });
    await back.vault.erase(conv);
    // What is left says which organisation, and how new its policy and status were.
    expect(await alice.keep.list('')).toHaveLength(3);
    expect(await alice.keep.list('pin')).toHaveLength(2);
    await load(back.vault);
    await expect(back.vault.say(conv, 'x')).rejects.toEqual(rule('W6', 'locked'));
    await ana.vault.erase();
    expect(await ana.keep.list('')).toEqual([]);
    const pin = { org: world.org, minPolicy: 0, minMode: 1 } as const;
    expect(await ana.vault.open(pin)).toEqual({ visitor: [], device: 'none' });
  });

  test('[L4] what is erased in one window stays erased in another that is still open', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    const { vault: tab } = await visitor(world, desk, alice.keep);
    await load(tab);
    const gone = rule('L4', 'key_kept');
    post.store([(await alice.vault.say(conv, 'one')).event]);
    await alice.vault.erase(conv);
    await expect(load(tab)).rejects.toEqual(gone);
    expect(await alice.keep.list('')).toHaveLength(3);
    // The keys are gone from its memory, too.
    await load(tab);
    await expect(tab.say(conv, 'x')).rejects.toEqual(rule('W6', 'locked'));

    const other = createVault(ana.keep, () => world.clock.now);
    await other.open({ org: world.org, minPolicy: 0, minMode: 1 });
    await ana.vault.take(conv, 0, post.log.slice(0, 2), post.extras);
    await other.erase();
    await expect(ana.vault.certified(ana.card)).rejects.toEqual(rule('K10', 'bad_cert'));
    await ana.vault.trust([await world.status({ issued: world.clock.now })]);
    await expect(load(ana.vault)).rejects.toEqual(gone);
    expect(await ana.keep.list('')).toEqual([]);
  });

  test('[L4] a device that is erased while it takes a certificate keeps nothing', async () => {
    const world = await makeOrg();
    const keep = memoryKeep();
    let erased = false;
    const vault = createVault(
      {
        ...keep,
        async update(key, change) {
          // Another window comes between what was read and what is kept.
          if (erased && key.endsWith('/device')) await keep.drop(hex(world.org));
          return keep.update(key, change);
        },
      },
      () => world.clock.now,
    );
    await vault.open({ org: world.org, minPolicy: 0, minMode: 1 });
    await vault.trust([world.first, world.issuer.card, await world.status()]);
    const { request } = await vault.enrol(await invitationText(random(16)));
    const card = await world.certify(world.issuer, request.slice(-104, -72), {});
    erased = true;
    await expect(vault.certified(card)).rejects.toEqual(rule('L4', 'key_kept'));
    expect(await keep.list(hex(world.org))).toEqual([]);
  });

  test('[L6] a retry sends the same bytes, and another text with the same cid is none', async () => {
    const { alice, conv } = await scene();
    const once = await alice.vault.say(conv, 'one');
    expect((await alice.vault.say(conv, 'one', once.cid)).event).toEqual(once.event);
    await expect(alice.vault.say(conv, 'two', once.cid)).rejects.toEqual(rule('L6', 'retry'));
    expect((await alice.vault.say(conv, 'one')).event).not.toEqual(once.event);
  });

  test('[L7] nothing that leaves holds what was said, and there is no other way out', async () => {
    const { alice, conv } = await scene();
    const said = 'a sentence that nobody else writes';
    const { event } = await alice.vault.say(conv, said);
    expect(Buffer.from(event).includes(said)).toBe(false);
    expect(parse(event, 3).ct.length).toBe(64 + 16);
    expect(Object.keys(alice.vault).sort()).toEqual(
      (
        'accept begin certified close department enrol erase form grant mark open proof ' +
        'refresh rekey remove reopen say state take transfer trust'
      ).split(' '),
    );
  });

  test('a refused entry is named, and what came before it stays taken', async () => {
    const { alice, post, conv, load } = await scene();
    const good = (await alice.vault.say(conv, 'good')).event;
    const bad = concat(good.subarray(0, -1), Uint8Array.of((good.at(-1) ?? 0) ^ 1));
    post.store([good, bad]);
    await expect(load(alice.vault)).rejects.toThrow(/^V5 duplicate_event: entry 3: /);
    expect((await alice.vault.state(conv)).seq).toBe(2);
  });
});

describe('a roster that no longer holds', () => {
  const stale = rule('E14', 'bad_member');

  /** The conversation accepted by Ana, and everybody has everything. */
  async function accepted() {
    const all = await scene();
    await all.load(all.ana.vault);
    all.post.store(await all.ana.vault.accept(all.conv));
    await all.load(all.ana.vault);
    await all.load(all.alice.vault);
    return all;
  }
  const revoke = async ({ world }: { world: Org }, cards: readonly Bytes[]) => {
    const since = ++world.clock.now;
    const revoked = await Promise.all(cards.map(async (card) => ({ cert: await sha256(card), since })));
    return world.status({ revoked });
  };
  const seats = async (vault: Vault, conv: Bytes) =>
    (await vault.state(conv)).members.map(({ leaf, role }) => [leaf, role]);

  test('[E14] nothing is said to a revoked agent; a refresh calls the department, and a colleague accepts', async () => {
    const all = await accepted();
    const { world, desk, alice, ana, post, conv, load } = all;
    const bob = await agent(world, desk);
    post.extras.push(bob.card, bob.key);
    const cid = random(16);
    await alice.vault.say(conv, 'sealed before', cid);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: false, open: true });
    const status = await revoke(all, [ana.card]);
    for (const { vault } of [alice, ana, bob]) await vault.trust([status]);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: true });
    await expect(alice.vault.say(conv, 'secret')).rejects.toEqual(stale);
    await expect(alice.vault.say(conv, 'sealed before', cid)).rejects.toEqual(stale);
    await expect(alice.vault.close(conv, 2)).rejects.toEqual(stale);
    await expect(alice.vault.rekey(conv)).rejects.toEqual(stale);
    await ana.vault.trust([bob.card, bob.key]);
    await expect(ana.vault.transfer(conv, bob.card, true)).rejects.toEqual(stale);
    await expect(ana.vault.refresh(conv)).rejects.toEqual(rule('E18', 'not_author'));

    post.store(await alice.vault.refresh(conv));
    expect(await load(alice.vault)).toMatchObject([{ kind: 'roster', reason: 2 }]);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [3, 4],
    ]);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: false, open: true });
    post.store([(await alice.vault.say(conv, 'sealed before', cid)).event]);
    expect(texts(await load(bob.vault))).toEqual(['sealed before']);
    post.store(await bob.vault.accept(conv));
    await load(alice.vault);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [4, 2],
    ]);
  });

  test("[W1] [W6] what was locked for want of the department's keys is told when they are there", async () => {
    const { world, desk, alice, post, conv, load } = await scene();
    post.store([(await alice.vault.say(conv, 'is anybody there?')).event]);
    await load(alice.vault);
    const bea = await agent(world, desk, random(16), [world.dept], false);
    const locked = await load(bea.vault);
    expect(locked).toMatchObject([
      { kind: 'roster', seq: 1, locked: 'W1' },
      { kind: 'unreadable', seq: 2, rule: 'W6' },
    ]);
    expect(await bea.vault.take(conv, post.log.length, [], [])).toEqual([]);
    await bea.give();
    const opened = await bea.vault.take(conv, post.log.length, [], []);
    expect(opened).toMatchObject([
      { kind: 'roster', seq: 1 },
      { kind: 'message', seq: 2, text: 'is anybody there?' },
    ]);
    expect(opened[0]).not.toHaveProperty('locked');
    expect(await bea.vault.take(conv, post.log.length, [], [])).toEqual([]);
    expect(await bea.vault.state(conv)).toMatchObject({ acceptable: true });
  });

  test('[K14] [K16] a generation that has ended gives way to the next', async () => {
    const { world, alice, post, conv, load } = await scene();
    const next = await world.department(2);
    const minGen = [{ dept: world.dept, gen: 2, since: world.clock.now }];
    await alice.vault.trust([await world.status({ minGen }), next.card, next.key]);
    post.extras.push(next.card, next.key);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: true });
    await expect(alice.vault.say(conv, 'x')).rejects.toEqual(stale);
    post.store(await alice.vault.refresh(conv));
    await load(alice.vault);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [2, 4],
    ]);
    await alice.vault.say(conv, 'x');
  });

  test('[E16] [E19] the server of an assisted department goes on with its next certificate', async () => {
    const subject = random(16);
    const world = await makeOrg(1, { mandatory: [{ role: 8, subject }] });
    const desk = await world.department();
    const [old, next] = [await world.actor({ kind: 8, subject }), await world.actor({ kind: 8, subject })];
    const alice = await visitor(world, desk);
    await alice.vault.trust([old.card, old.key]);
    const post = server();
    const { conv, objects } = await alice.vault.begin();
    post.store(objects);
    await alice.vault.take(conv, 0, post.log, post.extras, true);
    await alice.vault.trust([await revoke({ world }, [old.card]), next.card, next.key]);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: true });
    post.store(await alice.vault.refresh(conv));
    await alice.vault.take(conv, 0, post.log, post.extras, true);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [1, 4],
      [3, 8],
    ]);
    await alice.vault.say(conv, 'x');
  });

  test('[E21] an agent takes out a colleague that no longer holds', async () => {
    const all = await accepted();
    const { world, desk, alice, ana, post, conv, load } = all;
    const bob = await agent(world, desk);
    post.extras.push(bob.card, bob.key);
    await ana.vault.trust([bob.card, bob.key]);
    post.store(await ana.vault.transfer(conv, bob.card, false));
    await load(ana.vault);
    await ana.vault.trust([await revoke(all, [bob.card])]);
    post.store(await ana.vault.refresh(conv));
    await load(ana.vault);
    expect(await seats(ana.vault, conv)).toEqual([
      [0, 1],
      [2, 2],
    ]);
    await load(alice.vault);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: false });
  });

  test('[E21] a department that a revoked agent sat beside comes back by a higher generation only', async () => {
    const world = await makeOrg(2, { keepDept: 1 });
    const desk = await world.department();
    const [alice, ana, post] = [await visitor(world, desk), await agent(world, desk), server()];
    const { conv, objects } = await alice.vault.begin();
    post.store(objects);
    post.extras.push(ana.card, ana.key);
    const load = (vault: Vault) => vault.take(conv, 0, post.log, post.extras, true);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(alice.vault);
    expect(await seats(alice.vault, conv)).toHaveLength(3);
    await alice.vault.trust([await revoke({ world }, [ana.card])]);
    const alone = parse((await alice.vault.refresh(conv))[0] ?? conv, 2);
    expect(alone.members.map(({ leaf }) => leaf)).toEqual([0]);
    const next = await world.department(2);
    await alice.vault.trust([next.card, next.key]);
    post.store(await alice.vault.refresh(conv));
    post.extras.push(next.card, next.key);
    await load(alice.vault);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });

  test('[R3] [R4] [R9] a colleague and a new device are given what was said before they came', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    const subject = parse(ana.card, 8).subject;
    const [bob, tablet] = [
      await agent(world, desk, random(16), undefined, false),
      await agent(world, desk, subject, undefined, false),
    ];
    for (const who of [bob, tablet]) post.extras.push(who.card, who.key);
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    await load(alice.vault);
    post.store([(await alice.vault.say(conv, 'before')).event]);
    await load(ana.vault);
    await load(alice.vault);
    post.store([await alice.vault.mark(conv, 3, 3)]);
    await load(ana.vault);
    for (const who of [bob, tablet]) {
      await ana.vault.trust([who.card, who.key]);
      post.store(await ana.vault.transfer(conv, who.card, false));
      await load(ana.vault);
    }
    const early = await load(bob.vault);
    expect(early).toMatchObject([
      { kind: 'roster', locked: 'W1' },
      { kind: 'roster', n: 1, locked: 'W1' },
      { kind: 'unreadable', seq: 3, rule: 'W6' },
      { kind: 'unreadable', seq: 4, rule: 'W6', control: true },
      { kind: 'roster', n: 2 },
      { kind: 'roster', n: 3 },
    ]);
    expect(early[4]).not.toHaveProperty('locked');
    await expect(bob.vault.grant(conv, 4, 1, 1)).rejects.toEqual(rule('R3', 'grant_right'));
    await expect(ana.vault.grant(conv, 9)).rejects.toEqual(rule('R3', 'grant_right'));
    await expect(ana.vault.grant(conv, 0, 1, 1)).rejects.toEqual(rule('R3', 'grant_right'));
    post.store([await ana.vault.grant(conv, 3)]);
    const given = await load(bob.vault);
    expect(given).toMatchObject([
      { kind: 'grant', seq: 7, fromN: 1, toN: 1, from: { name: 'Ana' }, to: { mine: true } },
      { kind: 'roster', seq: 2, n: 1 },
      { kind: 'message', seq: 3, text: 'before' },
      { kind: 'marks', seq: 4, read: 3 },
    ]);
    expect(given[0]).not.toHaveProperty('locked');
    expect(given[1]).not.toHaveProperty('locked');
    await load(ana.vault);
    expect(await load(tablet.vault)).toMatchObject([
      {},
      {},
      {},
      {},
      {},
      {},
      { kind: 'grant', to: { mine: false } },
    ]);
    post.store([await ana.vault.grant(conv, 4)]);
    expect(texts(await load(tablet.vault))).toEqual(['before']);
    expect(await load(ana.vault)).toMatchObject([
      { kind: 'grant', to: { mine: false, alsoMine: true }, fromN: 1, toN: 2 },
    ]);
    // A page that comes back has all of it.
    const back = createVault(bob.keep, () => world.clock.now);
    await back.open({ org: world.org, minPolicy: 0, minMode: 1 });
    await back.trust(bob.base);
    expect(texts(await load(back))).toEqual(['before']);
    // What is granted is no seat: nothing is given on of what one was not there for.
    await load(bob.vault);
    await expect(bob.vault.grant(conv, 4, 1, 1)).rejects.toEqual(rule('R3', 'grant_right'));
    post.store([(await bob.vault.say(conv, 'thanks')).event]);
    expect(texts(await load(alice.vault))).toEqual(['thanks']);
  });

  test('[S8] an agent opens again what was closed, with those that are there', async () => {
    const { alice, ana, post, conv, load } = await scene();
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    await load(ana.vault);
    await load(alice.vault);
    post.store([await alice.vault.close(conv, 2)]);
    await load(alice.vault);
    await load(ana.vault);
    post.store(await ana.vault.reopen(conv));
    expect(await load(alice.vault)).toMatchObject([
      { kind: 'roster', reason: 5, members: [{ leaf: 0 }, { leaf: 2 }] },
    ]);
    await load(ana.vault);
    post.store([(await ana.vault.say(conv, 'one more')).event]);
    expect(texts(await load(alice.vault))).toEqual(['one more']);
  });

  test('[S8] a conversation that was closed is opened again without an agent that is over', async () => {
    const { world, desk, alice, ana, post, conv, load } = await accepted();
    post.store([await ana.vault.close(conv, 1)]);
    await load(alice.vault);
    world.clock.now += 13 * 24 * 3_600_000;
    // The department and its enroller last longer than the agent.
    const next = await world.department(2);
    await alice.vault.trust([await world.status(), next.card, next.key]);
    post.extras.push(next.card, next.key);
    expect(await alice.vault.state(conv)).toMatchObject({ stale: true, closed: true });
    post.store(await alice.vault.reopen(conv));
    expect(await load(alice.vault)).toMatchObject([{ kind: 'roster', reason: 5 }]);
    expect(await seats(alice.vault, conv)).toEqual([
      [0, 1],
      [3, 4],
    ]);
    expect(desk.role).toBe(4);
    await alice.vault.say(conv, 'again');
  });
});

describe('what an address was', () => {
  const pin = (world: Org, minMode: 1 | 2 = 1, dept = world.dept) =>
    ({ org: world.org, dept, minPolicy: 0, minMode }) as const;

  test('[K3] another organisation is refused, for visitors and agents, until everything is erased', async () => {
    const [first, second] = [await makeOrg(), await makeOrg()];
    const keep = memoryKeep();
    const vault = createVault(keep, () => first.clock.now);
    await vault.open(pin(first));
    const later = createVault(keep, () => first.clock.now);
    await expect(later.open(pin(second))).rejects.toEqual(rule('K3', 'wrong_org'));
    await expect(later.open({ org: second.org, minPolicy: 0, minMode: 1 })).rejects.toThrow(
      /names another organisation/,
    );
    await vault.erase(random(32));
    await expect(later.open(pin(second))).rejects.toEqual(rule('K3', 'wrong_org'));
    await later.open(pin(first));
    await later.erase();
    await later.open(pin(second));
    await expect(later.open(pin(first))).rejects.toEqual(rule('K3', 'wrong_org'));
  });

  test('[G6, G7] a visitor may choose another department, which keeps its own mode', async () => {
    const world = await makeOrg();
    const desk = await world.department();
    const keep = memoryKeep();
    const now = () => world.clock.now;
    const open = async () => {
      const vault = createVault(keep, now);
      await vault.open(pin(world, 1, random(16))); // the site's first department is another one
      await vault.trust([world.first, world.issuer.card, await world.status(), desk.card, desk.key]);
      return vault;
    };
    const vault = await open();
    await expect(vault.begin()).rejects.toEqual(rule('G6', 'wrong_dept'));
    const { conv, objects } = await vault.begin({ dept: world.dept, minMode: 2 });
    const entries = objects.filter((object) => object[1] === 1 || object[1] === 2);
    const extras = objects.filter((object) => object[1] === 14);
    // It goes on after a reload, whichever department the page names first.
    const back = await open();
    await back.take(conv, 0, entries, extras);
    expect((await back.state(conv)).open).toBe(true);
    await expect(back.begin({ dept: world.dept, minMode: 1 })).rejects.toEqual(rule('G7', 'mode_mismatch'));
  });

  test('[G7] a weaker mode than before is refused for the same department', async () => {
    const world = await makeOrg();
    const keep = memoryKeep();
    const open = (minMode: 1 | 2, dept?: Bytes) =>
      createVault(keep, () => world.clock.now).open(pin(world, minMode, dept));
    await open(1);
    await open(2);
    await expect(open(1)).rejects.toEqual(rule('G7', 'mode_mismatch'));
    await open(2);
    // Another department, and the agents of the same address, have their own.
    await open(1, random(16));
    await createVault(keep).open({ org: world.org, minPolicy: 0, minMode: 1 });
  });

  test('[K12] what was revoked stays revoked in the next run', async () => {
    const { world, desk, alice, ana, post, conv, load } = await scene();
    await load(ana.vault);
    post.store(await ana.vault.accept(conv));
    const revoked = [{ cert: await sha256(ana.card), since: world.clock.now }];
    await alice.vault.trust([await world.status({ revoked })]);
    const { vault } = await visitor(world, desk, alice.keep);
    await expect(load(vault)).rejects.toEqual(rule('E14', 'bad_member'));
  });
});

describe('a device', () => {
  const twoWindows = async () => {
    const world = await makeOrg();
    const keep = memoryKeep();
    const open = async () => {
      const vault = createVault(keep, () => world.clock.now);
      await vault.open({ org: world.org, minPolicy: 0, minMode: 1 });
      await vault.trust([world.first, world.issuer.card, await world.status()]);
      return vault;
    };
    return { world, keep, open, one: await open(), two: await open() };
  };

  test('[W1] has one key, whichever of two windows asks first, and loses nothing that another one kept', async () => {
    const { world, keep, open, one, two } = await twoWindows();
    const invitation = await invitationText(random(16));
    const asked = await Promise.all([one.enrol(invitation), two.enrol(invitation)]);
    const [pk, same] = asked.map(({ request }) => request.slice(-104, -72));
    expect(same).toEqual(pk);
    const cards = [
      await world.certify(world.issuer, pk ?? random(32), {}),
      await world.certify(world.issuer, pk ?? random(32), {}),
    ] as const;
    const key = await one.certified(cards[0]);
    world.clock.now += 1;
    const other = await two.certified(cards[1]);
    // A certificate that has its key object keeps it.
    expect(await two.certified(cards[0])).toEqual(key);
    expect(await one.certified(cards[1])).toEqual(other);

    const desks = [await world.department(1), await world.department(2)];
    const to = await sha256(key);
    for (const [at, vault] of [one, two].entries()) {
      const desk = desks[at];
      if (!desk?.seeds) throw new Error('no department');
      const info = concat(ascii('asc1 dept'), desk.cert, to);
      const sealed = await wrap(desk.seeds, key.slice(68, 68 + 1216), info);
      await vault.trust([desk.card, desk.key]);
      await vault.department(desk.card, encode(14, { type: 2, leaf: 0, to, ...sealed }));
    }
    const third = await open();
    expect([await third.certified(cards[0]), await third.certified(cards[1])]).toEqual([key, other]);
    const [device] = (await keep.list(`${hex(world.org)}/agent/device`)) as { departments: unknown[] }[];
    expect(device?.departments).toHaveLength(2);
  });

  test('[K15] keys that are not those of the certificate or its key object', async () => {
    const world = await makeOrg();
    const desk = await world.department();
    const other = await world.department(2);
    const seeds = desk.seeds ?? random(64);
    const mixed = [
      concat(random(32), seeds.subarray(32)),
      concat(seeds.subarray(0, 32), random(32)),
      other.seeds ?? random(64),
    ];
    const code = rule('K15', 'dept_key_mismatch');
    for (const wrong of mixed) await expect(agent(world, { ...desk, seeds: wrong })).rejects.toEqual(code);
    const ana = await agent(world, desk);
    expect(await ana.vault.open({ org: world.org, minPolicy: 0, minMode: 1 })).toMatchObject({
      device: 'ready',
    });
  });

  test('[W3] [W4] [K14] a wrap for another device, of another type, with another info; a certificate of no department', async () => {
    const world = await makeOrg();
    const desk = await world.department();
    const { vault, key, card } = await agent(world, desk);
    const to = await sha256(key);
    const seeds = desk.seeds ?? random(64);
    const kem = key.slice(68, 68 + 1216);
    const make = async (
      over: { type?: number; leaf?: number; to?: Bytes; ct?: Bytes } = {},
      info = concat(ascii('asc1 dept'), desk.cert, to),
    ) => encode(14, { type: 2, leaf: 0, to, ...(await wrap(seeds, kem, info)), ...over });
    for (const over of [{ type: 1, ct: random(48) }, { leaf: 1 }, { to: random(32) }]) {
      await expect(vault.department(desk.card, await make(over))).rejects.toEqual(rule('W3', 'wrap_hash'));
    }
    const foreign = await make({}, concat(ascii('asc1 dept'), random(32), to));
    await expect(vault.department(desk.card, foreign)).rejects.toEqual(rule('W4', 'wrap_open'));
    await expect(vault.department(card, await make())).rejects.toEqual(rule('K14', 'bad_dept_key'));
    await vault.department(desk.card, await make());
  });

  test('[K10] [K17] a certificate of another device, and a mistyped invitation', async () => {
    const world = await makeOrg();
    const desk = await world.department();
    const { vault } = await agent(world, desk);
    const other = await world.actor();
    await expect(vault.certified(other.card)).rejects.toEqual(rule('K10', 'bad_cert'));
    await expect(vault.enrol('AAAAA-AAAAA')).rejects.toEqual(rule('K17', 'bad_enrolment'));
  });

  test('[K8] [K14] [G6] [G7] what a vault does not begin', async () => {
    const world = await makeOrg(1);
    const desk = await world.department();
    const pin = { org: world.org, dept: world.dept, minPolicy: 0, minMode: 1 as 1 | 2 };
    const begin = async (over: Partial<typeof pin>, objects: readonly Bytes[]) => {
      const vault = createVault(memoryKeep(), () => world.clock.now);
      await vault.open({ ...pin, ...over });
      await vault.trust(objects);
      return vault.begin();
    };
    const status = await world.status();
    const all = [world.first, world.issuer.card, status, desk.card, desk.key];
    await begin({}, all);
    await expect(begin({ minMode: 2 }, all)).rejects.toEqual(rule('G7', 'mode_mismatch'));
    await expect(begin({ dept: random(16) }, all)).rejects.toEqual(rule('G6', 'wrong_dept'));
    await expect(begin({}, all.slice(0, 3))).rejects.toEqual(rule('K14', 'bad_dept_key'));
    await expect(
      begin(
        {},
        all.filter((each) => each !== status),
      ),
    ).rejects.toEqual(rule('K8', 'stale_status'));
  });
});

describe('the worker', () => {
  async function channel() {
    const world = await makeOrg();
    const desk = await world.department();
    const { port1, port2 } = new MessageChannel();
    serve(
      port1 as unknown as Parameters<typeof serve>[0],
      createVault(memoryKeep(), () => world.clock.now),
    );
    const vault = connect(port2 as unknown as Worker);
    return { world, desk, vault, port2, end: () => port1.close() };
  }

  test('answers across its messages, refusals as refusals', async () => {
    const { world, desk, vault, end } = await channel();
    await vault.open({ org: world.org, dept: world.dept, minPolicy: 0, minMode: 2 });
    const wrong = await vault.trust([new Uint8Array(30), desk.card]).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(Refusal);
    expect(wrong).toMatchObject({
      rule: 'K9',
      code: 'bad_enroller',
      sentence: expect.stringMatching(/\w+ \w+/),
    });
    await vault.trust([world.first, world.issuer.card, await world.status(), desk.card, desk.key]);
    const { conv, objects } = await vault.begin();
    const log = [objects[0], objects[2]].flatMap((object) => object ?? []);
    // Not awaited one by one: they are answered in order.
    const [, said, state] = await Promise.all([
      vault.take(conv, 0, log, []),
      vault.say(conv, 'hola'),
      vault.state(conv),
    ]);
    expect(said.event[1]).toBe(3);
    expect(state).toMatchObject({ epoch: 0, open: true });
    end();
  });

  test('calls nothing but the methods of the vault', async () => {
    const { port2, vault, end } = await channel();
    const answers: Answer[] = [];
    const wanted = ['constructor', 'toString', '__proto__', 'nothing'];
    await new Promise<void>((done) => {
      port2.onmessage = ({ data }: { data: Answer }) => {
        answers.push(data);
        if (answers.length === wanted.length) done();
      };
      for (const [at, method] of wanted.entries()) port2.postMessage([at, method, []]);
    });
    for (const [, value, refused] of answers) {
      expect(value).toBeUndefined();
      expect(refused?.[2]).toMatch(/has no/);
    }
    expect(Object.keys(vault)).not.toContain('constructor');
    end();
  });

  test('a failure that is no refusal is an error', async () => {
    const { vault, end } = await channel();
    const error = await vault.state(random(32)).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(Refusal);
    end();
  });
});
