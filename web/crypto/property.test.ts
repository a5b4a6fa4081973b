// What must never be accepted, on real conversations of both implementations,
// at places that a printed seed draws.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shake256 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { ascii, type Bytes, concat, equal, hex } from './bytes.ts';
import { newSigningKey, openEpoch } from './member.ts';
import { type Case, runner, type Vectors } from './members.testing.ts';
import { type Draft, parse, signed } from './objects.ts';
import { Refusal } from './refusal.ts';

/** ALDABA_SEED repeats a run, ALDABA_ROUNDS makes it longer. */
const seed = process.env.ALDABA_SEED ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
const rounds = Number(process.env.ALDABA_ROUNDS ?? 60);
console.log(`note: seed ${seed} (properties)`);

/** Numbers below a limit, of one purpose. */
function stream(purpose: string) {
  let count = 0;
  return (below: number): number => {
    const drawn = shake256(ascii(`${seed} ${purpose} ${count++}`), { dkLen: 6 });
    return new DataView(drawn.buffer, drawn.byteOffset).getUint32(0) % below;
  };
}

const folder = join(import.meta.dirname, '..', '..', 'protocol', 'vectors');
const files = ['members-go.json', 'members-ts.json'].map((name) => {
  const vectors = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vectors;
  const tools = runner(vectors);
  // The longest log that takes one more entry and can be tried against itself: a whole conversation.
  const longest = vectors.cases
    .filter((one) => one.step === 'entry' && one.rule === '' && !one.expect && (one.log?.length ?? 0) < 20)
    .reduce((best, one) => ((one.log?.length ?? 0) > (best.log?.length ?? 0) ? one : best));
  const entries = [...(longest.log ?? []), longest.input ?? 0].map((at) => tools.object(at));
  const opening = vectors.cases.find((one) => one.step === 'open' && one.rule === '' && one.wraps?.length);
  return { name, vectors, tools, longest, entries, opening };
});

describe.each(files)('$name', ({ name, tools, longest, entries, opening }) => {
  const foreign = files.find((other) => other.name !== name)?.entries ?? [];

  /** The transcript before entry `at`, as history. */
  const before = async (at: number) => {
    const one: Case = { ...longest, log: (longest.log ?? []).slice(0, at) };
    return (await tools.logOf(one)).transcript;
  };

  /** Each is refused, nothing changes, and the right entry is still taken. */
  async function neverTaken(at: number, false_: readonly Bytes[]): Promise<void> {
    const transcript = await before(at);
    const right = entries[at] ?? new Uint8Array();
    const was = [transcript.seq(), hex(transcript.log()), transcript.closed()];
    for (const entry of false_.filter((each) => !equal(each, right))) {
      await expect(transcript.take(entry, false)).rejects.toBeInstanceOf(Refusal);
      expect([transcript.seq(), hex(transcript.log()), transcript.closed()]).toEqual(was);
    }
    await transcript.take(right, false);
  }

  test('it is a conversation with several epochs and events', () => {
    const kinds = entries.map((entry) => entry[1]);
    expect(kinds[0]).toBe(1);
    expect(kinds.filter((kind) => kind === 2).length).toBeGreaterThan(1);
    expect(kinds.filter((kind) => kind === 3).length).toBeGreaterThan(0);
  });

  test('[L9, E3, V6] no other order, no entry again, none of another conversation', async () => {
    for (let at = 1; at < entries.length; at++) {
      // Two events that have not seen each other may come in either order, with
      // another L each; whoever has seen one of the orders refuses the other (L3).
      const early = entries.filter((entry, other) => {
        if (other <= at) return other < at;
        return entry[1] !== 3 || parse(entry, 3).seenSeq >= at;
      });
      await neverTaken(at, [...early, ...foreign]);
    }
  });

  test('[E22, V7, P10] no flipped bit, no cut, no byte more', { timeout: 300_000 }, async () => {
    const draw = stream(`flips ${name}`);
    for (let round = 0; round < rounds; round++) {
      const at = 1 + draw(entries.length - 1);
      const right = entries[at] ?? new Uint8Array();
      const flipped = concat(right);
      const place = draw(right.length);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << draw(8));
      const more = new Uint8Array(1 + draw(9));
      await neverTaken(at, [flipped, right.slice(0, draw(right.length)), concat(right, more)]);
    }
  });

  test('[E22] no roster that another key has signed, whatever is changed in it', async () => {
    const draw = stream(`rosters ${name}`);
    const stranger = await newSigningKey();
    for (const [at, entry] of entries.entries()) {
      if (entry[1] !== 2 || at === 0) continue;
      const {
        bytes: _bytes,
        sig: _sig,
        ...draft
      } = parse(entry, 2) as Draft<2> & { bytes: Bytes; sig: Bytes };
      const members = draft.members.map((member) => ({ ...member }));
      const some = members[draw(members.length)];
      if (some) some.key = new Uint8Array(32).fill(1 + draw(255));
      const { org } = longest;
      const bytes = Uint8Array.from(org.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      const forged = [
        await signed(2, { ...draft, members }, stranger.sig, bytes),
        await signed(2, { ...draft, members: members.slice(0, -1) }, stranger.sig, bytes),
        await signed(2, draft, stranger.sig, bytes),
      ];
      await neverTaken(at, forged);
    }
  });

  test('[V7] no event under another epoch', async () => {
    for (const [at, entry] of entries.entries()) {
      if (entry[1] !== 3) continue;
      const n = parse(entry, 3).n;
      const moved = [n + 1, n + 7, ...(n > 0 ? [n - 1] : [])].map((other) => {
        const copy = concat(entry);
        new DataView(copy.buffer).setUint32(4, other);
        return copy;
      });
      await neverTaken(at, moved);
    }
  });

  test('[W2, W3, W6] no epoch opens without its own wrap, and whole', async () => {
    if (!opening) throw new Error('there is no case that opens');
    const { transcript } = await tools.logOf(opening);
    const taken = await transcript.take(tools.object(opening.input), opening.live);
    if (taken.kind !== 2) throw new Error('this is no epoch');
    const identities = await tools.identitiesOf(opening);
    const wraps = await tools.wrapsOf(opening);
    const open = await openEpoch(taken.epoch, identities, wraps);
    if (open.state !== 'open') throw open.why;
    const own = taken.epoch.object.wraps[taken.epoch.seats.indexOf(open.seat)] ?? new Uint8Array();
    const others = wraps.filter(({ hash }) => !equal(hash, own));
    expect((await openEpoch(taken.epoch, identities, others)).state).toBe('locked');
    expect((await openEpoch(taken.epoch, identities, [])).state).toBe('locked');
    const draw = stream(`wraps ${name}`);
    const mine = wraps.find(({ hash }) => equal(hash, own));
    if (!mine) throw new Error('the own wrap is not there');
    for (let round = 0; round < rounds; round++) {
      // As if the epoch had named the damaged one.
      const ct = concat(mine.ct);
      const enc = concat(mine.enc);
      const target = draw(2) === 0 ? ct : enc;
      const place = draw(target.length);
      target[place] = (target[place] ?? 0) ^ (1 << draw(8));
      const damaged = { ...mine, ct, enc };
      expect((await openEpoch(taken.epoch, identities, [damaged])).state).toBe('locked');
    }
  });
});

test('[L3] no other order for who has seen one, of two events that have not seen each other', async () => {
  let tried = 0;
  for (const { tools, vectors } of files) {
    for (const one of vectors.cases.filter(
      ({ step, rule, expect }) => step === 'entry' && !rule && !expect,
    )) {
      const log = (one.log ?? []).map((at) => tools.object(at));
      const last = log.at(-1);
      const input = tools.object(one.input);
      const at = log.length - 1;
      const aside = last?.[1] === 3 && input[1] === 3 && parse(input, 3).seenSeq < at;
      if (!aside || tried >= rounds) continue;
      const { transcript } = await tools.logOf(one);
      const hash = transcript.last()?.object.hash ?? new Uint8Array();
      const seen = { seq: at, log: transcript.log(), n: -1, epoch: hash, seenAt: 0 };
      const reader = (await tools.logOf({ ...one, log: (one.log ?? []).slice(0, -1) }, undefined, seen))
        .transcript;
      await expect(reader.take(input, false)).rejects.toMatchObject({ rule: 'L3' });
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(0);
});
