// What the crypto worker costs in Chromium, through the same calls that a page
// makes: figures only, nothing is asserted about time.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMember } from './member.ts';
import { type B, b, type Call, startWorkers, tabOf } from './workers.ts';

const times = Number(process.env.ALDABA_ROUNDS ?? 30);
let workers: Awaited<ReturnType<typeof startWorkers>>;
let member: Awaited<ReturnType<typeof startMember>>;

beforeAll(async () => {
  member = await startMember();
  workers = await startWorkers();
}, 120_000);

afterAll(async () => {
  await workers?.stop();
  member?.stop();
});

/** Milliseconds of each run, the middle one first. */
function told(what: string, all: number[]): void {
  const sorted = all.toSorted((x, y) => x - y);
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2);
  console.log(`note: ${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${all.length} times`);
}

async function timed<T>(all: number[], act: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const value = await act();
  all.push(performance.now() - start);
  return value;
}

test.each([
  ['ML-KEM of the engine', true],
  ['ML-KEM of the fallback', false],
])(
  '%s',
  async (name, native) => {
    const now = 1_800_000_000_000;
    const { org = '', text: dept = '', objects: bundle = [] } = await member.ask('world', { now, mode: 2 });
    const pin = { org: b(org), dept: b(dept), minPolicy: 0, minMode: 2 };
    const [visitorPage, agentPage] = [await workers.page(native), await workers.page(native)];
    const [visitor, agent] = [await tabOf(visitorPage), await tabOf(agentPage)];
    const open = async (vault: Call, its: object) => {
      await vault(now, 'open', [its]);
      await vault(now, 'trust', [bundle.map(b)]);
    };
    await open(visitor, pin);
    await open(agent, { org: b(org), minPolicy: 0, minMode: 1 });
    const { text: invitation } = await member.ask('invite', { now, text: 'Ana' });
    const { request, mac } = (await agent(now, 'enrol', [invitation])) as { request: B; mac: B };
    const { objects: [cert = ''] = [] } = await member.ask('enrol', {
      now,
      request: request.hex,
      mac: mac.hex,
    });
    const key = ((await agent(now, 'certified', [b(cert)])) as B).hex;
    const { objects: [deptCert = '', wrap = ''] = [] } = await member.ask('keys', {
      now,
      objects: [cert, key],
    });
    await agent(now, 'department', [b(deptCert), b(wrap)]);

    const cost = { call: [], begin: [], load: [], accept: [], say: [], read: [] } as Record<string, number[]>;
    const spent = (what: string) => cost[what] ?? [];
    for (let at = 0; at < times; at++) {
      // What crossing into the page and its worker costs by itself.
      await timed(spent('call'), () => visitor(now, 'erase', [b('00'.repeat(32))]));
      const begun = await timed(spent('begin'), () => visitor(now, 'begin', []));
      const { conv, objects } = begun as { conv: B; objects: readonly B[] };
      const [genesis, keyObject, epoch, ...wraps] = objects;
      await visitor(now, 'take', [conv, 0, [genesis, epoch], [keyObject, ...wraps]]);
      await timed(spent('load'), () =>
        agent(now, 'take', [conv, 0, [genesis, epoch], [keyObject, ...wraps]]),
      );
      const accepted = (await timed(spent('accept'), () => agent(now, 'accept', [conv]))) as readonly B[];
      const [next, ...its] = accepted;
      for (const vault of [agent, visitor])
        await vault(now, 'take', [conv, 2, [next], [b(cert), b(key), ...its]]);
      const said = await timed(spent('say'), () => visitor(now, 'say', [conv, 'x'.repeat(200)]));
      const { event } = said as { event: B };
      const lines = await timed(spent('read'), () => agent(now, 'take', [conv, 3, [event], []]));
      expect((lines as readonly { text: string }[])[0]?.text).toBe('x'.repeat(200));
    }
    told(`${name}: an empty call, test to worker and back`, spent('call'));
    told(`${name}: begin a conversation (key, genesis, epoch 0, 2 wraps)`, spent('begin'));
    told(`${name}: verify and open epoch 0`, spent('load'));
    told(`${name}: accept (epoch, 2 wraps, verified)`, spent('accept'));
    told(`${name}: seal a message of 200 bytes`, spent('say'));
    told(`${name}: verify and open it`, spent('read'));
  },
  600_000,
);
