// The vault of a visitor, an agent and the department, through its own calls.
import { describe, expect, test } from 'vitest';
import { ascii, type Bytes, concat, random, sha256 } from './bytes.ts';
import { wrap } from './hpke.ts';
import { createVault } from './inside.ts';
import { memoryKeep } from './keep.ts';
import { encode } from './objects.ts';
import { type Actor, makeOrg, type Org } from './org.testing.ts';
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
      for (const object of objects) ([1, 2, 3].includes(object[1] ?? 0) ? log : extras).push(object);
    },
  };
}

/** An agent's vault, enrolled and with the department's keys. */
async function agent(world: Org, desk: Actor, subject = random(16)) {
  const keep = memoryKeep();
  const vault = createVault(keep, () => world.clock.now);
  await vault.open({ org: world.org, minPolicy: 0, minMode: 1 });
  const base = [world.first, world.issuer.card, await world.status(), desk.card, desk.key];
  await vault.trust(base);
  const { request } = await vault.enrol(await invitationText(random(16)));
  const pk = request.slice(-104, -72);
  const card = await world.certify(world.issuer, pk, { subject });
  const key = await vault.certified(card);
  const to = await sha256(key);
  const info = concat(ascii('asc1 dept'), desk.cert, to);
  const sealed = await wrap(desk.seeds ?? random(64), key.slice(68, 68 + 1216), info);
  await vault.department(desk.card, encode(14, { type: 2, leaf: 0, to, ...sealed }));
  return { vault, keep, card, key, base };
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
  const load = (vault: Vault) => vault.take(conv, 0, post.log, post.extras);
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
});
