// [P1 to P10] Every object, whole and damaged.
import { shake256 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { ascii, type Bytes, concat, equal, uint } from './bytes.ts';
import {
  core,
  type Draft,
  encode,
  eventHeader,
  headerWithoutId,
  type Kind,
  nobody,
  parse,
} from './objects.ts';
import { Refusal } from './refusal.ts';

/** ALDABA_SEED repeats a run, ALDABA_ROUNDS makes it longer. */
const seed = process.env.ALDABA_SEED ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
const rounds = Number(process.env.ALDABA_ROUNDS ?? 300);
console.log(`note: seed ${seed} (objects)`);

/** A stream of its own for each purpose, so that the order of tests does not matter. */
function stream(purpose: string) {
  let count = 0;
  return (n: number): Bytes =>
    new Uint8Array(shake256(ascii(`${seed} ${encodeURI(purpose)} ${count++}`), { dkLen: n }));
}
const random = stream('fields');
const rule = (name: string, code: string) => expect.objectContaining({ name: 'Refusal', rule: name, code });

const id = () => random(16);
const hash = () => random(32);
const sig = random(64);
const time = 1_800_000_000_000;
const zero = new Uint8Array(16);

const epoch: Draft<2> = {
  conv: hash(),
  n: 4,
  prev: hash(),
  seenSeq: 9,
  seenLog: hash(),
  time,
  author: 0,
  accept: nobody,
  reason: 3,
  version: 7,
  policy: hash(),
  notes: hash(),
  logRoot: hash(),
  members: [
    { leaf: 0, role: 1, cert: hash(), key: hash() },
    { leaf: 5, role: 2, cert: hash(), key: hash() },
  ],
  commit: hash(),
  wraps: [hash(), hash()],
};
const certificate: Draft<8> = {
  org: hash(),
  kind: 4,
  custody: 1,
  subject: id(),
  device: id(),
  serial: id(),
  dept: id(),
  gen: 3,
  rights: 0,
  departments: [id(), id()],
  name: 'Núñez',
  title: '',
  pk: hash(),
  from: time,
  until: time + 1,
  issuer: hash(),
};
const event: Draft<3> = {
  n: 1,
  leaf: 2,
  class: 1,
  msgId: id(),
  seenSeq: 2 ** 53 - 1,
  seenLog: hash(),
  time,
  ct: random(80),
  C: hash(),
};
const policy: Draft<7> = {
  org: hash(),
  root: hash(),
  version: 2,
  time,
  minVer: 1,
  nextRoot: hash(),
  statusKey: hash(),
  statusCustody: 2,
  maxDays: 30,
  logRequired: 1,
  enrollers: [hash(), hash()],
  issuers: [{ alg: 1, iss: 'https://id.example', key: random(32) }],
  departments: [
    {
      dept: id(),
      mode: 2,
      roles: 0x1fc,
      takeover: 1,
      keepDept: 0,
      history: 1,
      maxAgeHours: 24,
      maxDays: 14,
      mandatory: [{ role: 6, subject: id() }],
    },
    {
      dept: id(),
      mode: 1,
      roles: 4,
      takeover: 0,
      keepDept: 1,
      history: 0,
      maxAgeHours: 1,
      maxDays: 30,
      mandatory: [],
    },
  ],
};

/** One object of each kind; a signature is any 64 bytes here. */
const drafts: { readonly [K in Kind]: Draft<K> } = {
  1: { org: hash(), dept: id(), mode: 2, policy: hash(), pk: hash(), nonce: hash(), time },
  2: epoch,
  3: event,
  4: {
    conv: hash(),
    epoch: hash(),
    fromN: 1,
    toN: 2,
    toLeaf: 4,
    author: 2,
    seenSeq: 7,
    seenLog: hash(),
    time,
    enc: random(1120),
    ct: random(80),
  },
  5: { org: hash(), owner: hash(), kem: random(1216), from: time, until: time + 5 },
  7: policy,
  8: certificate,
  9: {
    org: hash(),
    version: 1,
    policy: hash(),
    issued: time,
    until: time + 9,
    minGen: [{ dept: id(), gen: 2, since: 1_790_000_000_000 }],
    revoked: [hash(), hash(), hash()].map((cert, since) => ({ cert, since })),
    logSize: 0,
    logRoot: hash(),
  },
  10: { org: hash(), invitation: id(), subject: id(), device: id(), kind: 2, pk: hash(), time },
  11: { old: hash(), new: hash(), version: 3, time, sigOld: sig },
  12: { conv: hash(), seq: 12, log: hash(), received: time },
  13: { org: hash(), challenge: hash(), owner: hash(), time },
  14: { type: 1, leaf: 3, to: hash(), enc: random(1120), ct: random(48) },
};
const kinds = Object.keys(drafts).map(Number) as Kind[];

/** The object with these fields, as a stranger might make it. */
function make<K extends Kind>(kind: K, over: Partial<Draft<K>> = {}): Bytes {
  const values = { ...drafts[kind], ...over };
  const signed = kind === 14 ? values : { ...values, sig };
  return encode(kind, signed as Draft<K>);
}

/** The rule that refuses; nothing when the object is accepted, and then encodes to the same bytes. */
function refusedBy(object: Bytes, kind: Kind): string | undefined {
  try {
    const parsed = parse(object, kind);
    expect(equal(encode(kind, parsed as Draft<Kind>), object), 'an accepted object is canonical').toBe(true);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return (error as Refusal).rule;
  }
}

const set = (object: Uint8Array, at: number, ...values: readonly number[]): Bytes => {
  const other = concat(object);
  other.set(values, at < 0 ? object.length + at : at);
  return other;
};

describe.each(kinds)('kind %i', (kind) => {
  const object = make(kind);

  test('[P10] comes back as it was', () => {
    expect(parse(object, kind)).toMatchObject(drafts[kind]);
    expect(refusedBy(object, kind)).toBeUndefined();
  });

  test('[P5] ends nowhere early', () => {
    for (let n = 4; n < object.length; n++) expect(refusedBy(object.subarray(0, n), kind), `${n}`).toBe('P5');
  });

  test('[P6] one more byte', () => {
    expect(refusedBy(concat(object, Uint8Array.of(0)), kind)).toBe('P6');
  });

  test('[P10] no byte can be another and the object the same', () => {
    for (let at = 0; at < object.length; at++) {
      for (const bit of [1, 1 << (at % 8), 0x80]) {
        const other = set(object, at, (object[at] ?? 0) ^ bit);
        if (refusedBy(other, kind)) continue;
        const read = parse(other, kind);
        expect(equal(encode(kind, read as Draft<Kind>), object), `byte ${at}`).toBe(false);
      }
    }
  });

  test('random bytes behind the header are refused by a rule of P', () => {
    const draw = stream(`random ${kind}`);
    for (let round = 0; round < rounds; round++) {
      const [size = 0, more = 0] = draw(2);
      const body = concat(object.subarray(0, 4), draw(4 * size + more));
      expect(refusedBy(body, kind) ?? 'P10').toMatch(/^P/);
      const damaged = concat(object);
      for (const at of draw(3)) damaged.set(draw(1), (at * 257 + more) % damaged.length);
      expect(refusedBy(damaged, kind) ?? 'P10').toMatch(/^P/);
    }
  });
});

describe('the rules of parsing', () => {
  const refuses = (object: Bytes, kind: Kind, name: string, code: string) =>
    expect(() => parse(object, kind)).toThrow(rule(name, code));

  test.each([
    [1, 512],
    [2, 4096],
    [3, 16384],
    [4, 65536],
    [5, 2048],
    [7, 16384],
    [8, 1024],
    [9, 262144],
    [10, 512],
    [11, 512],
    [12, 512],
    [13, 512],
    [14, 2048],
  ] as [Kind, number][])('[P1] an object of kind %i above %i bytes', (kind, limit) => {
    const padded = (size: number) => concat(make(kind), new Uint8Array(size - make(kind).length));
    refuses(padded(limit + 1), kind, 'P1', 'too_large');
    refuses(padded(limit), kind, 'P6', 'trailing');
  });

  test('[P2] another version', () => {
    refuses(set(make(1), 0, 2), 1, 'P2', 'bad_version');
  });

  test('[P3] another kind than the expected one', () => {
    refuses(make(3), 2, 'P3', 'bad_kind');
    refuses(set(make(1), 1, 77), 1, 'P3', 'bad_kind');
  });

  test('[P4] [P5] another suite, or half a header', () => {
    refuses(set(make(1), 2, 0, 0x20), 1, 'P4', 'bad_suite');
    for (const n of [0, 1, 2, 3]) refuses(make(1).slice(0, n), 1, 'P5', 'bad_length');
  });

  test('[P5] a count that is not there takes no memory', () => {
    const object = make(9, { revoked: [] });
    refuses(set(object, object.length - 64 - 40 - 2, 0xff, 0xff), 9, 'P5', 'bad_length');
    const roster = make(2, { members: [], wraps: [] });
    refuses(set(roster, 225, 255), 2, 'P5', 'bad_length');
  });

  test('[P5] a body or a wrapped secret of a length that none has', () => {
    for (const n of [0, 79, 12305]) refuses(make(3, { ct: random(n) }), 3, 'P5', 'bad_length');
    for (const n of [0, 47, 49, 64, 80, 81]) refuses(make(14, { ct: random(n) }), 14, 'P5', 'bad_length');
    for (const n of [48, 79, 81]) refuses(make(14, { type: 2, ct: random(n) }), 14, 'P5', 'bad_length');
    for (const n of [0, 47, 64017]) refuses(make(4, { ct: new Uint8Array(n) }), 4, 'P5', 'bad_length');
    expect(refusedBy(make(4, { toN: 2000, ct: new Uint8Array(64016) }), 4)).toBeUndefined();
    expect(refusedBy(make(3, { ct: random(12304) }), 3)).toBeUndefined();
    expect(refusedBy(make(14, { type: 2, ct: random(80) }), 14)).toBeUndefined();
  });

  test('a roster of 17 members parses; whether it may stand is E7', () => {
    const members = Array.from({ length: 17 }, (_, leaf) => ({ leaf, role: 2, cert: hash(), key: hash() }));
    expect(refusedBy(make(2, { members }), 2)).toBeUndefined();
  });

  test('[P6] half of a second signature', () => {
    refuses(concat(make(2), random(63)), 2, 'P6', 'trailing');
    refuses(concat(make(2), random(65)), 2, 'P6', 'trailing');
    expect(parse(concat(make(2), sig), 2).countersig).toEqual(sig);
  });

  test('[P7] 2^53 and more', () => {
    for (const large of [uint(2n ** 53n, 8), uint(2n ** 64n - 1n, 8)]) {
      refuses(set(make(12), 36, ...large), 12, 'P7', 'bad_int');
      refuses(set(make(3), 27, ...large), 3, 'P7', 'bad_int');
    }
    expect(refusedBy(set(make(12), 36, ...uint(2 ** 53 - 1, 8)), 12)).toBeUndefined();
  });

  test('[P8] text that is not UTF-8, with control or bidirectional characters, too long', () => {
    const texts = [
      '\u2028',
      '\u2029',
      'a\u0000',
      'a\nb',
      '\u007f',
      '\u0085',
      '\u202eanA',
      '\u2066',
      '\u200f',
      '\u061c',
      'x'.repeat(65),
    ];
    for (const name of texts) refuses(make(8, { name }), 8, 'P8', 'bad_text');
    refuses(make(8, { title: 'ñ'.repeat(33) }), 8, 'P8', 'bad_text');
    const object = make(8, { name: 'abcd' });
    const at = Buffer.from(object).indexOf('abcd');
    for (const wrong of [
      [0xff, 0x61, 0x61, 0x61],
      [0x61, 0x61, 0x61, 0xc3],
      [0xc0, 0xaf, 0x61, 0x61],
      [0xed, 0xa0, 0x80, 0x61],
    ]) {
      refuses(set(object, at, ...wrong), 8, 'P8', 'bad_text');
    }
    refuses(make(7, { issuers: [{ alg: 1, iss: 'a\nb', key: random(1) }] }), 7, 'P8', 'bad_text');
    // The form is the writer's duty.
    expect(refusedBy(make(8, { name: 'N\u0303' }), 8)).toBeUndefined();
    expect(refusedBy(make(8, { name: 'ñ'.repeat(32), title: '客服 🙂' }), 8)).toBeUndefined();
  });

  test('[P9] a value that section 4 does not list', () => {
    const wrong: readonly (readonly [Bytes, Kind])[] = [
      [make(1, { mode: 0 }), 1],
      [make(1, { mode: 3 }), 1],
      [make(2, { reason: 6 }), 2],
      [make(2, { members: [{ leaf: 0, role: 0, cert: hash(), key: hash() }] }), 2],
      [make(2, { members: [{ leaf: 0, role: 9, cert: hash(), key: hash() }] }), 2],
      [make(4, { fromN: 3 }), 4],
      [make(3, { class: 0 }), 3],
      [make(3, { class: 5 }), 3],
      [make(3, { time: time + 1 }), 3],
      [make(7, { statusCustody: 3 }), 7],
      [make(7, { logRequired: 2 }), 7],
      ...[
        { mode: 3 },
        { roles: 0x8000 },
        { roles: 1 },
        { roles: 2 },
        { mandatory: [{ role: 1, subject: id() }] },
        { roles: 0x200 },
        { takeover: 2 },
        { keepDept: 2 },
        { history: 2 },
      ].map(
        (over) =>
          [make(7, { departments: policy.departments.map((line) => ({ ...line, ...over })) }), 7] as const,
      ),
      [make(8, { kind: 1 }), 8],
      [make(8, { kind: 10 }), 8],
      [make(8, { custody: 0 }), 8],
      [make(8, { kind: 9, dept: zero, gen: 0, rights: 8 }), 8],
      [make(8, { rights: 1 }), 8],
      [make(8, { kind: 2, gen: 0 }), 8],
      [make(8, { kind: 2, dept: zero }), 8],
      [make(10, { kind: 1 }), 10],
      [make(10, { kind: 9 }), 10],
      ...[0, 3].map((alg) => [make(7, { issuers: [{ alg, iss: '', key: random(1) }] }), 7] as const),
      [make(14, { type: 0 }), 14],
      [make(14, { type: 4 }), 14],
    ];
    for (const [object, kind] of wrong) refuses(object, kind, 'P9', 'bad_value');
  });

  test('[P9] the reason of an epoch agrees with its number and its accept', () => {
    refuses(make(2, { n: 0 }), 2, 'P9', 'bad_value');
    refuses(make(2, { reason: 0 }), 2, 'P9', 'bad_value');
    refuses(make(2, { reason: 1 }), 2, 'P9', 'bad_value');
    refuses(make(2, { accept: 5 }), 2, 'P9', 'bad_value');
    expect(refusedBy(make(2, { n: 0, reason: 0 }), 2)).toBeUndefined();
    expect(refusedBy(make(2, { accept: 5, reason: 1 }), 2)).toBeUndefined();
  });

  test('checks run in the order of the list', () => {
    const late = set(make(8, { kind: 1, name: 'a\nb' }), -112, ...uint(2n ** 60n, 8));
    expect(refusedBy(concat(late, late), 8)).toBe('P6');
    expect(refusedBy(set(late, 2, 0), 8)).toBe('P4');
    expect(refusedBy(late, 8)).toBe('P7');
    expect(refusedBy(make(8, { kind: 1, name: 'a\nb' }), 8)).toBe('P8');
    expect(refusedBy(make(8, { kind: 1 }), 8)).toBe('P9');
  });
});

test('core, h and h0 are the bytes of section 4.3', () => {
  const object = make(2);
  expect(core({ bytes: object, members: epoch.members })).toEqual(object.subarray(0, 4 + 222 + 2 * 67));
  const sealed = make(3);
  expect(eventHeader(sealed)).toEqual(sealed.subarray(0, 75));
  expect(headerWithoutId(sealed)).toEqual(concat(sealed.subarray(0, 11), sealed.subarray(27, 75)));
  expect(parse(sealed, 3).msgId).toEqual(sealed.subarray(11, 27));
});
