// Random histories with members of both implementations: internal/seal behind
// tools/member, and the crypto worker in Chromium. Each entry, genuine or not,
// goes to everybody, and all must say the same: plaintext, refusal, log hash,
// roster, safety number. One run has ML-KEM by the engine where it has it, and
// one by the fallback.
import { randomInt } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Line, type State, startMember } from './member.ts';
import { type B, b, type Call, Refused, startWorkers, tabOf } from './workers.ts';

const rounds = Number(process.env.ALDABA_ROUNDS ?? (process.env.ALDABA_SOAK ? 2000 : 150));
const seed = Number(process.env.ALDABA_SEED ?? randomInt(2 ** 31));

/** A small generator with a seed (Mulberry32): histories come again. Keys and secrets are never drawn from it. */
function generator(from: number) {
  let state = from >>> 0;
  return (below: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

let workers: Awaited<ReturnType<typeof startWorkers>>;
type Go = Awaited<ReturnType<typeof startMember>>;

beforeAll(async () => {
  workers = await startWorkers();
  console.log(`note: differential seed ${seed}, ${rounds} histories`);
}, 120_000);

afterAll(async () => {
  await workers?.stop();
  const tale = [...counts].sort().map(([what, times]) => `${what} ${times}`);
  console.log(`note: differential, ${rounds} histories: ${tale.join(', ')}`);
});

/** What somebody says of entries, and where the conversation stands for them then. */
interface Said {
  readonly lines?: readonly Line[];
  readonly state?: State;
  /** Of a refusal, with its sentence. */
  readonly rule?: string;
  readonly why?: string;
}

/** Somebody who reads a conversation and acts in it. */
interface Player {
  readonly name: string;
  readonly cert: string;
  take(now: number, from: number, entries: readonly string[], wraps: readonly string[]): Promise<Said>;
  learn(now: number, objects: readonly string[]): Promise<void>;
  act(now: number, op: string, request?: Record<string, unknown>): Promise<readonly string[]>;
  state(now: number): Promise<State>;
}

function goPlayer(go: Go, name: string, who: number, conv: string, cert: string): Player {
  return {
    name,
    cert,
    async take(now, from, entries, wraps) {
      const { lines = [] } = await go.ask('take', { who, now, conv, entries, wraps });
      if (from === 0) return { lines };
      return { lines, state: await this.state(now) };
    },
    learn: async (_now, objects) => void (await go.ask('learn', { who, objects })),
    act: async (now, op, request) => (await go.ask(op, { who, now, conv, ...request })).objects ?? [],
    async state(now) {
      const { state } = await go.ask('state', { who, now, conv });
      if (!state) throw new Error('the Go side told no state');
      return state;
    },
  };
}

interface VaultLine extends Omit<Line, 'cid'> {
  readonly locked?: string;
  readonly delivered?: number;
  readonly read?: number;
  readonly fromN?: number;
}

function stateOf(told: unknown): State {
  const { seq, log, epoch, members, closed, safety } = told as Omit<State, 'log' | 'members'> & {
    log: B;
    members: readonly { leaf: number }[];
  };
  return { seq, log: log.hex, epoch, members: members.map(({ leaf }) => leaf), closed, safety };
}

function browserPlayer(name: string, vault: Call, conv: string, cert: string): Player {
  const bytes = (objects: unknown) => (objects as readonly B[]).map(({ hex }) => hex);
  return {
    name,
    cert,
    async take(now, from, entries, wraps) {
      const [told, state] = await vault.all(now, [
        // Complete: from the genesis on, everything happens now, as it does for the Go side.
        ['take', [b(conv), from, entries.map(b), wraps.map(b), true]],
        ['state', [b(conv)]],
      ]);
      const lines = (told as VaultLine[]).map((line) => {
        const { kind, seq, text, reason, n, rule, locked, delivered, read, fields, fromN, second } = line;
        if (kind === 'message') return { kind, seq, text: text ?? '' };
        if (kind === 'closed') return { kind, seq, reason: reason ?? 0 };
        if (kind === 'marks') return { kind, seq, marks: [delivered ?? -1, read ?? -1] };
        if (kind === 'form') return { kind, seq, fields: fields ?? [] };
        if (kind === 'grant') return { kind, seq, n: fromN ?? -1, ...(locked && { rule: locked }) };
        if (kind === 'unreadable') return { kind, seq, rule: rule ?? '' };
        return {
          kind,
          seq,
          n: n ?? -1,
          reason: reason ?? -1,
          ...(second && { second }),
          ...(locked && { rule: locked }),
        };
      });
      return { lines, state: stateOf(state) };
    },
    learn: async (now, objects) => void (await vault(now, 'trust', [objects.map(b)])),
    async act(now, op, request = {}) {
      const { text, cid, reason, leaves, cert: other, leave, leaf, from, to, marks, fields } = request;
      switch (op) {
        case 'say': {
          const said = (await vault(now, op, [b(conv), text, b(String(cid))])) as { event: B };
          return [said.event.hex];
        }
        case 'close':
          return [((await vault(now, op, [b(conv), reason])) as B).hex];
        case 'form': {
          const said = (await vault(now, op, [b(conv), fields, b(String(cid))])) as { event: B };
          return [said.event.hex];
        }
        case 'mark':
          return [((await vault(now, op, [b(conv), ...(marks as number[])])) as B).hex];
        case 'grant':
          return [((await vault(now, op, [b(conv), leaf, from, to])) as B).hex];
        case 'remove':
          return bytes(await vault(now, op, [b(conv), leaves]));
        case 'transfer':
          return bytes(await vault(now, op, [b(conv), b(String(other)), leave]));
        default:
          return bytes(await vault(now, op, [b(conv)]));
      }
    },
    state: async (now) => stateOf(await vault(now, 'state', [b(conv)])),
  };
}

const counts = new Map<string, number>();
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

/** What somebody says of entries: lines, or the rule of a refusal. */
async function verdict(
  player: Player,
  now: number,
  from: number,
  entries: readonly string[],
  wraps: readonly string[],
): Promise<Said> {
  try {
    return await player.take(now, from, entries, wraps);
  } catch (error) {
    if (error instanceof Refused) return { rule: error.rule, why: error.message };
    throw error;
  }
}

/** One history. */
async function play(
  go: Go,
  number: number,
  pages: { readonly visitor: Page; readonly agent: Page },
): Promise<void> {
  const draw = generator(seed + number);
  let now = 1_800_000_000_000 + number * 86_400_000;
  const world = await go.ask('world', { now, mode: 1 + draw(2) });
  const { org = '', text: dept = '', objects: bundle = [] } = world;
  const known = [...bundle];
  const pin = { org: b(org), dept: b(dept), minPolicy: 0, minMode: 1 };

  // An agent in Chromium is enrolled as in life.
  const agentVault = await tabOf(pages.agent);
  const opened = [agentVault];
  await agentVault(now, 'open', [pin]);
  await agentVault(now, 'trust', [known.map(b)]);
  const { text: invitation = '' } = await go.ask('invite', { now, text: 'Ana' });
  const { request, mac } = (await agentVault(now, 'enrol', [invitation])) as { request: B; mac: B };
  const { objects: [cert = ''] = [] } = await go.ask('enrol', { now, request: request.hex, mac: mac.hex });
  const keyObject = ((await agentVault(now, 'certified', [b(cert)])) as B).hex;
  const { objects: keys = [] } = await go.ask('keys', { now, objects: [cert, keyObject] });
  for (let at = 0; at < keys.length; at += 2) {
    await agentVault(now, 'department', [b(keys[at] ?? ''), b(keys[at + 1] ?? '')]);
  }
  known.push(cert, keyObject);
  const goAgent = await go.ask('agent', { now, text: 'Luis', objects: known });
  const [goCert = '', goKey = ''] = goAgent.objects ?? [];
  known.push(goCert, goKey);

  // The visitor is one of the two.
  let conv: string;
  let objects: readonly string[];
  let visitor: Player;
  if (draw(2) === 0) {
    const begun = await go.ask('begin', { now, objects: bundle });
    conv = begun.conv ?? '';
    objects = begun.objects ?? [];
    visitor = goPlayer(go, 'Go visitor', begun.who ?? -1, conv, conv);
  } else {
    const vault = await tabOf(pages.visitor);
    opened.push(vault);
    await vault(now, 'open', [pin]);
    await vault(now, 'trust', [bundle.map(b)]);
    const begun = (await vault(now, 'begin', [])) as { conv: B; objects: readonly B[] };
    conv = begun.conv.hex;
    objects = begun.objects.map(({ hex }) => hex);
    visitor = browserPlayer('Chromium visitor', vault, conv, conv);
  }
  const [genesis = '', visitorKey = '', epoch0 = '', ...wraps0] = objects;
  known.push(visitorKey);
  const observer = await go.ask('begin', { now, objects: bundle }); // a stranger without keys of this conversation
  const ana = browserPlayer('Chromium agent', agentVault, conv, cert);
  const luis = goPlayer(go, 'Go agent', goAgent.who ?? -1, conv, goCert);
  const players = [visitor, ana, luis, goPlayer(go, 'Go observer', observer.who ?? -1, conv, '')];
  if (draw(3) === 0) {
    // A second tab of the same agent.
    const second = await tabOf(pages.agent);
    await second(now, 'open', [pin]);
    await second(now, 'trust', [known.map(b)]);
    players.push(browserPlayer('Chromium agent, second tab', second, conv, cert));
    count('two tabs');
  }
  const log = [genesis, epoch0];
  const wraps = [...wraps0];
  for (const player of players) await player.learn(now, known);

  /** What the first who read an entry said of it, by sequence. */
  const told = new Map<number, string>();
  /** Whoever reads an entry, at once or later, reads the same. */
  function hears(player: Player, line: Line | undefined): void {
    if (!line || !['message', 'marks', 'form', 'roster'].includes(line.kind)) return;
    const { kind, text, marks, fields, second } = line;
    const all = JSON.stringify({ kind, text, marks, fields, second });
    expect(all, `${player.name} at ${line.seq}`).toBe(told.get(line.seq) ?? all);
    told.set(line.seq, all);
  }

  /** Gives everybody the next entry; all must say the same. */
  async function offer(entry: string, withWraps: readonly string[]): Promise<boolean> {
    const verdicts = await Promise.all(
      players.map(async (player) => ({
        player,
        said: await verdict(player, now, log.length, [entry], withWraps),
      })),
    );
    const rules = new Set(verdicts.map(({ said }) => said.rule ?? ''));
    const told = verdicts.map(({ player, said }) => `${player.name}: ${said.why ?? 'taken'}`).join('\n');
    expect(rules.size, `history ${number}, entry ${log.length}\n${told}`).toBe(1);
    const [rule = ''] = rules;
    if (rule) {
      count(`refused ${rule}`);
      return false;
    }
    log.push(entry);
    // Who can read it must read the same; who cannot says by which rule.
    for (const { player, said } of verdicts) {
      const [line, ...again] = said.lines ?? [];
      expect(line?.seq, `${player.name} tells no line`).toBe(log.length - 1);
      if (line?.rule) count(`hidden ${line.rule}`);
      for (const each of [line, ...again]) hears(player, each);
      for (const each of again) if (each.kind !== 'roster') count(`later ${each.kind}`);
    }
    const states = verdicts.map(({ said }) => said.state);
    expect(states[0]).toBeDefined();
    for (const state of states)
      expect(state, `history ${number}, after entry ${log.length - 1}`).toEqual(states[0]);
    count('entries');
    return true;
  }
  for (const player of players) {
    const said = await verdict(player, now, 0, [genesis], []);
    expect(said.rule, `${player.name}: ${said.why}`).toBeUndefined();
  }
  log.pop();
  expect(await offer(epoch0, wraps)).toBe(true);

  const rejected: string[] = [];
  /** Who has just brought somebody in, and may give what was said before. */
  let host: Player | undefined;
  for (let step = 0; step < 16; step++) {
    now += 1000 * (1 + draw(80));
    const actors = [visitor, ana, luis];
    const giving = host && draw(3) > 0 ? host : undefined;
    host = undefined;
    const actor = giving ?? actors[draw(actors.length)] ?? visitor;
    const chosen = giving ? 20 : draw(24);
    const { members, seq, epoch } = await visitor.state(now);
    let op = 'say';
    const details: Record<string, unknown> = {};
    const cid = [...Array(16)].map(() => draw(256).toString(16).padStart(2, '0')).join('');
    if (chosen < 7) Object.assign(details, { text: `mensaje ${step} ${'ñ'.repeat(draw(90))}`, cid });
    else if (chosen < 10 && actor !== visitor) op = 'accept';
    else if (chosen === 10) op = 'rekey';
    else if (chosen === 11) {
      op = 'remove';
      details.leaves = [members[members.length - 1] ?? 0];
    } else if ((chosen === 12 || chosen > 21) && actor !== visitor) {
      op = 'transfer';
      const [to, box] = actor === ana ? [goCert, goKey] : [cert, keyObject];
      const other = actor === luis ? { cert: await hashOf(to) } : { cert: to };
      Object.assign(details, { ...other, leave: draw(2) === 0, ...(actor === luis && { objects: [box] }) });
    } else if (chosen === 13) {
      op = 'close';
      details.reason = 1 + draw(3);
    } else if (chosen === 14) op = 'reopen';
    else if (chosen === 15 && draw(4) === 0) {
      await go.ask('revoke', { cert: await hashOf(draw(2) === 0 ? cert : goCert) });
      const { objects: status = [] } = await go.ask('status', { now });
      for (const player of players) await player.learn(now, status);
      count('revoked');
      continue;
    } else if (chosen === 17 || chosen === 18) {
      op = 'mark';
      const delivered = draw(seq + 2);
      details.marks = [delivered, draw(delivered + 1)];
    } else if (chosen === 19) {
      op = 'form';
      const fields = [...Array(1 + draw(3))].map((_, at) => ({
        name: `campo ${at}`,
        kind: 1 + draw(6),
        value: 'ñ'.repeat(draw(40)),
      }));
      Object.assign(details, { fields, cid });
    } else if (chosen === 20 || chosen === 21) {
      op = 'grant';
      const from = giving ? Math.min(epoch, 1) : Math.min(epoch, draw(3));
      const to = from + draw(epoch - from + 1);
      const leaf = giving ? members.at(-1) : members[draw(members.length)];
      Object.assign(details, { leaf: leaf ?? 0, from, to });
    } else Object.assign(details, { text: 'corto', cid });
    const race = draw(8) === 0 ? actors[draw(actors.length)] : undefined;
    let made: readonly string[];
    let rival: readonly string[] = [];
    try {
      made = await actor.act(now, op, details);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      count(`${op} not made`);
      continue;
    }
    if (race && race !== actor) {
      try {
        rival = await race.act(now, draw(2) === 0 ? 'rekey' : 'accept');
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
    }
    const [entry = '', ...its] = made;
    count(op);
    // First what is not genuine: a flipped bit, a cut, an entry again, one of before.
    if (draw(3) === 0) {
      const at = draw(entry.length);
      const flipped = `${entry.slice(0, at)}${((Number.parseInt(entry[at] ?? '0', 16) ^ (1 << draw(4))) & 15).toString(16)}${entry.slice(at + 1)}`;
      await refusedByAll(flipped, its);
    }
    if (draw(6) === 0) await refusedByAll(entry.slice(0, 2 * (1 + draw(entry.length / 2 - 1))), its);
    if (draw(6) === 0) await refusedByAll(log[1 + draw(log.length - 1)] ?? '', wraps);
    const old = rejected[draw(rejected.length + 1)];
    if (old) await refusedByAll(old, wraps);
    // Then the entry, now and then with a wrap that is missing for somebody.
    const given = its.length > 1 && draw(8) === 0 ? its.filter((_, at) => at !== draw(its.length)) : its;
    if (await offer(entry, given)) {
      wraps.push(...given);
      if (op === 'transfer') host = actor;
    }
    if (!rival[0]) continue;
    // Two epochs after the same one: the second has lost, for ever.
    if (await offer(rival[0], rival.slice(1))) wraps.push(...rival.slice(1));
    else {
      count('lost race');
      rejected.push(rival[0]);
    }
  }

  // An address names one organisation for good (K3); the next history has another.
  for (const vault of opened) await vault(now, 'erase', []);

  async function refusedByAll(entry: string, its: readonly string[]): Promise<void> {
    const before = log.length;
    expect(await offer(entry, its), `history ${number}: a false entry was taken at ${before}`).toBe(false);
    count('false entries');
  }
}

async function hashOf(object: string): Promise<string> {
  const bytes = Uint8Array.from(object.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}

// The two run side by side: one waits for its page while the other thinks.
test.concurrent.each([
  ['ML-KEM of the engine where it has one', true],
  ['ML-KEM of the fallback', false],
])(
  'histories of both implementations agree, %s',
  async (_name, native) => {
    const go = await startMember();
    try {
      const pages = { visitor: await workers.page(native), agent: await workers.page(native) };
      const half = Math.ceil(rounds / 2);
      for (let number = native ? 0 : half; number < (native ? half : rounds); number++) {
        await play(go, number, pages);
        for (const page of Object.values(pages))
          await page.evaluate(() => (window as unknown as { aldaba: { end(): void } }).aldaba.end());
      }
    } finally {
      go.stop();
    }
    expect(counts.get('entries') ?? 0).toBeGreaterThan(rounds / 2);
  },
  3 * 3_600_000,
);
