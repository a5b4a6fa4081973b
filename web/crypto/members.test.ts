// The cases over whole objects, one file by each implementation; both read both.
// With ALDABA_UPDATE=1 this writes TypeScript's anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, hex, random, sha256, uint } from './bytes.ts';
import {
  formContent,
  type Identity,
  marksContent,
  type Open,
  openEpoch,
  sealEvent,
  textContent,
  writeEpoch,
  writeGrant,
} from './member.ts';
import { type Case, runner, type Vectors } from './members.testing.ts';
import { type Kind, nobody, read } from './objects.ts';
import { type Actor, makeChat, makeOrg } from './org.testing.ts';
import { Refusal } from './refusal.ts';
import { createTranscript } from './transcript.ts';

const folder = join(import.meta.dirname, '..', '..', 'protocol', 'vectors');

/** A conversation as this implementation makes it, and what is false about it. */
async function make(): Promise<Vectors> {
  const world = await makeOrg(2);
  const { org, clock } = world;
  const [dept, ana, luis] = [await world.department(), await world.actor(), await world.actor()];
  const chat = await makeChat(world, dept);
  const { conv, visitor, trust } = chat;
  const status = await world.status();
  const [deptKey, anaKey, luisKey, visitorKey] = [
    await read(dept.key, 5),
    await read(ana.key, 5),
    await read(luis.key, 5),
    await read(visitor.key, 5),
  ];
  await trust.add([ana.card, ana.key, luis.card, luis.key, status]);
  const policy = trust.policy();
  if (!policy) throw new Error('there is no policy');

  const objects: string[] = [];
  const index = (object: Bytes) => {
    const at = objects.indexOf(hex(object));
    return at < 0 ? objects.push(hex(object)) - 1 : at;
  };
  const known = [
    world.first,
    world.issuer.card,
    status,
    dept.card,
    dept.key,
    ana.card,
    ana.key,
    luis.card,
    luis.key,
    visitor.key,
  ].map(index);
  const cases: Case[] = [];
  const wraps: Bytes[] = [];
  const log: Bytes[] = [];
  const keysOf = ({ cert, keyHash, seeds }: Actor) => {
    if (!seeds) throw new Error('only who has seeds reads a vector');
    return {
      owner: hex(cert),
      sign_seed: hex(seeds.subarray(0, 32)),
      kem: [{ key_object: hex(keyHash), seed: hex(seeds.subarray(32)) }],
    };
  };
  const common = () => ({
    rule: '',
    code: '',
    now: clock.now,
    live: true,
    org: hex(org),
    trust: known,
    log: log.map(index),
  });
  const identity = ({ cert, keyHash, sig, kem }: Actor): Identity => ({ cert, key: keyHash, sig, kem });
  const opened: Open[] = [];

  /** What this implementation says of a false entry is what the other must say. */
  async function falsified(name: string, entry: Bytes, then: Bytes): Promise<void> {
    const at = createTranscript(chat.setting());
    for (const old of log) await at.take(old, false);
    const refusal = await at.take(entry, true).catch((error: unknown) => error);
    if (!(refusal instanceof Refusal)) throw new Error(`${name} is taken`);
    const { rule, code } = refusal;
    cases.push({
      ...common(),
      name: `[${rule}] ${name}`,
      step: 'entry',
      rule,
      code,
      input: index(entry),
      // biome-ignore lint/suspicious/noThenProperty: the vectors call it so
      then: index(then),
    });
  }

  /** Adds an entry with its true and false cases. */
  async function post(name: string, entry: Bytes, its: readonly Bytes[] = []): Promise<void> {
    for (let drawn = 0; drawn < 6; drawn++) {
      const at = Math.floor(Math.random() * entry.length);
      const flipped = concat(entry);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (drawn + 1));
      await falsified(`${name}, with bit ${drawn + 1} of byte ${at} flipped`, flipped, entry);
    }
    await falsified(`${name}, cut`, entry.slice(0, -1), entry);
    await falsified(`${name}, and a byte more`, concat(entry, uint(0, 1)), entry);
    for (const [at, old] of log.slice(1).entries())
      await falsified(`${name} comes, and entry ${at + 1} again`, old, entry);
    const taken = await chat.add(entry, true);
    cases.push({
      ...common(),
      name,
      step: 'entry',
      input: index(entry),
      hash: hex(await sha256(entry)),
      log_after: hex(chat.log()),
    });
    wraps.push(...its);
    if (taken.kind === 2) {
      for (const who of [dept, ana]) {
        const place = taken.epoch.seats.some(({ cert }) => hex(cert) === hex(who.cert));
        const rule = place ? {} : { rule: 'W1', code: 'not_member' };
        cases.push({
          ...common(),
          ...rule,
          name: `${name}: opened by ${who === dept ? 'the department' : 'the agent'}`,
          step: 'open',
          input: index(entry),
          wraps: wraps.map(index),
          member: keysOf(who),
        });
        if (!place) continue;
        cases.push({
          ...common(),
          name: `[W2] ${name}: without any wrap`,
          step: 'open',
          rule: 'W2',
          code: 'wrap_missing',
          input: index(entry),
          wraps: [],
          member: keysOf(who),
        });
      }
      const parsed = await Promise.all(wraps.map((each) => read(each, 14)));
      const mine = await openEpoch(taken.epoch, [identity(visitor)], parsed);
      if (mine.state !== 'open') throw mine.why;
      opened.push(mine);
    }
    log.push(entry);
  }

  log.push(chat.genesis);
  await chat.add(chat.genesis, true);
  cases.push({ ...common(), log: [], name: 'genesis', step: 'genesis', input: index(chat.genesis) });
  const view = () => ({ seq: chat.seq(), log: chat.log(), now: clock.now });
  const first = await writeEpoch({
    conv,
    author: 0,
    sig: visitor.sig,
    reason: 0,
    accept: nobody,
    policy,
    view: view(),
    places: [
      { leaf: 0, role: 1, cert: conv, box: visitorKey },
      { leaf: 1, role: 4, cert: dept.cert, box: deptKey },
    ],
  });
  await post('epoch 0', first.epoch, first.wraps);
  const readCase = (name: string, entry: Bytes, who: Actor) => ({
    ...common(),
    log: log.slice(0, -1).map(index),
    name,
    step: 'read',
    input: index(entry),
    wraps: wraps.map(index),
    member: keysOf(who),
  });
  const reads = (name: string, entry: Bytes, who: Actor, text: string) =>
    cases.push({ ...readCase(name, entry, who), payload_type: 1, text });
  const current = () => {
    const last = opened.at(-1);
    if (!last) throw new Error('no epoch is open');
    return last;
  };
  const texts = ['hola', '¿qué tal? 👋', 'x'.repeat(8192)];
  for (const text of texts) {
    const event = await sealEvent(current(), org, view(), 1, random(16), textContent(text));
    await post(`a text of ${text.length}`, event);
    reads(`a text of ${text.length}, read by the department`, event, dept, text);
  }
  const before = chat.transcript.last();
  if (!before) throw new Error('there is no epoch');
  const accept = await writeEpoch({
    conv,
    before,
    author: 1,
    sig: dept.sig,
    reason: 1,
    accept: 2,
    countersig: ana.sig,
    policy,
    view: view(),
    places: [
      { leaf: 0, role: 1, cert: conv, box: visitorKey },
      { leaf: 2, role: 2, cert: ana.cert, box: anaKey },
    ],
  });
  await post('an accept', accept.epoch, accept.wraps);
  const answer = await sealEvent(current(), org, view(), 1, random(16), textContent('para Ana'));
  await post('a text after the accept', answer);
  reads('a text after the accept, read by the agent', answer, ana, 'para Ana');
  const marks = await sealEvent(current(), org, view(), 4, random(16), marksContent(chat.seq(), 1));
  await post('marks', marks);
  cases.push({
    ...readCase('marks, read by the agent', marks, ana),
    payload_type: 4,
    marks: [chat.seq() - 1, 1],
  });
  const fields = [
    { name: 'correo', kind: 2, value: 'eva@example.com' },
    { name: 'tema', kind: 4, value: '' },
  ];
  const form = await sealEvent(current(), org, view(), 5, random(16), formContent(fields));
  await post('a form', form);
  cases.push({ ...readCase('a form, read by the agent', form, ana), payload_type: 5, fields });
  const inAnswer = chat.transcript.last();
  const joined = await writeEpoch({
    conv,
    ...(inAnswer && { before: inAnswer }),
    author: 2,
    sig: ana.sig,
    reason: 2,
    accept: nobody,
    policy,
    view: view(),
    places: [
      { leaf: 0, role: 1, cert: conv, box: visitorKey },
      { leaf: 2, role: 2, cert: ana.cert, box: anaKey },
      { leaf: 3, role: 2, cert: luis.cert, box: luisKey },
    ],
  });
  await post('a colleague comes', joined.epoch, joined.wraps);
  const here = chat.transcript.last();
  const parsed = await Promise.all(wraps.map((each) => read(each, 14)));
  const anas = here && (await openEpoch(here, [identity(ana)], parsed));
  if (anas?.state !== 'open') throw new Error('the agent is locked out');
  const given = await writeGrant(
    anas,
    org,
    view(),
    { leaf: 3, box: luisKey },
    chat.transcript.epochs.slice(1, 2),
    [identity(ana)],
    parsed,
  );
  await post('a grant', given);
  cases.push({
    ...readCase('a grant, opened by the colleague', given, luis),
    step: 'grant',
    payload_type: 1,
    text: 'para Ana',
  });
  cases.push({ ...readCase('a grant, of which the agent has no need', given, ana), step: 'grant' });
  const close = await sealEvent(current(), org, view(), 2, random(16), uint(1, 1));
  await post('a close', close);
  const late = await sealEvent(current(), org, view(), 1, random(16), textContent('tarde'));
  const again = chat.transcript.last();
  const reopen = await writeEpoch({
    conv,
    ...(again && { before: again }),
    author: 0,
    sig: visitor.sig,
    reason: 5,
    accept: nobody,
    policy,
    view: view(),
    places: [
      { leaf: 0, role: 1, cert: conv, box: visitorKey },
      { leaf: 2, role: 2, cert: ana.cert, box: anaKey },
    ],
  });
  await falsified('a text after the close', late, reopen.epoch);
  await post('opened again', reopen.epoch, reopen.wraps);
  for (const [name, kind, object] of [
    ['policy', 7, world.first],
    ['certificate', 8, dept.card],
    ['key object', 5, dept.key],
    ['status', 9, status],
    ['wrap', 14, first.wraps[0] ?? status],
  ] as const) {
    const one = { ...common(), log: [], kind: kind as Kind, step: 'parse' };
    cases.push({ ...one, name: `a ${name} parses`, input: index(object) });
    const longer = concat(object, uint(0, 1));
    cases.push({
      ...one,
      name: `[P6] a ${name} and a byte more`,
      rule: 'P6',
      code: 'trailing',
      input: index(longer),
    });
  }
  return { objects, cases };
}

if (process.env.ALDABA_UPDATE === '1') {
  writeFileSync(join(folder, 'members-ts.json'), `${JSON.stringify(await make(), undefined, 1)}\n`);
}

describe.each(['members-go.json', 'members-ts.json'])('%s', (name) => {
  const vectors = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors;
  const { ours, known, run } = runner(vectors);
  const cases = vectors.cases.filter(ours);

  test('there are cases, and every step is known', () => {
    expect(cases.length).toBeGreaterThan(50);
    expect(cases.filter((one) => !known(one))).toEqual([]);
  });

  test.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => run(one));
});
