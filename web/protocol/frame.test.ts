import { describe, expect, test } from 'vitest';
import { hello, port, readPort, readToFrame, readToPage, version } from './frame.ts';

const cnf = 'A'.repeat(43);

const toPage = [
  { t: 'unread', count: 0 },
  { t: 'unread', count: 12 },
  { t: 'open' },
  { t: 'close' },
  { t: 'accent', color: '#0b5D5b' },
  { t: 'message', mine: true },
  { t: 'identify', cnf },
];
const toFrame = [
  { t: 'state', open: true, resumed: false, locale: 'es-MX', path: '/es/cards' },
  { t: 'shown', focus: true },
  { t: 'hidden' },
  { t: 'locale', locale: '' },
  { t: 'identifies' },
  { t: 'identity', token: 'a.b_-.c' },
];

describe('the messages between loader and frame [X52]', () => {
  test.each(toPage)('a page reads $t', (message) => expect(readToPage(message)).toEqual(message));
  test.each(toFrame)('a frame reads $t', (message) => expect(readToFrame(message)).toEqual(message));
  test.each(toPage)('a frame does not take $t of another frame', (message) =>
    expect(readToFrame(message)).toBeUndefined(),
  );

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'open'],
    ['a list', ['open']],
    ['no kind', {}],
    ['a kind that every object has', { t: 'constructor' }],
    ['a kind of the prototype', { t: '__proto__' }],
    ['a field too many', { t: 'open', html: '<b>' }],
    ['a field too few', { t: 'unread' }],
    ['another field in its place', { t: 'unread', n: 1 }],
    ['a field that is inherited', Object.assign(Object.create({ count: 1 }), { t: 'unread', x: 1 })],
    ['less than no message', { t: 'unread', count: -1 }],
    ['half a message', { t: 'unread', count: 0.5 }],
    ['no number of messages', { t: 'unread', count: Number.NaN }],
    ['a million messages', { t: 'unread', count: 1e6 }],
    ['a number as text', { t: 'unread', count: '1' }],
    ['a colour with more behind', { t: 'accent', color: '#0b5d5b;background:url(//x)' }],
    ['a colour with a line behind', { t: 'accent', color: '#0b5d5b\n' }],
    ['a name of a colour', { t: 'accent', color: 'red' }],
    ['a cnf of another length', { t: 'identify', cnf: 'AA' }],
  ])('a page refuses %s', (_, message) => expect(readToPage(message)).toBeUndefined());

  test.each([
    ['a locale with a line in it', { t: 'locale', locale: 'es\n' }],
    ['a locale of 36 letters', { t: 'locale', locale: 'e'.repeat(36) }],
    ['a whole address in place of a path', { ...toFrame[0], path: 'https://bank.example/' }],
    ['a path of 1,025 characters', { ...toFrame[0], path: `/${'x'.repeat(1024)}` }],
    ['a token of two parts', { t: 'identity', token: 'a.b' }],
    ['a token of 8,193 characters', { t: 'identity', token: `a.b.${'c'.repeat(8189)}` }],
  ])('a frame refuses %s', (_, message) => expect(readToFrame(message)).toBeUndefined());

  test('a port comes with the version of its loader', () => {
    expect(readPort([port, version])).toBe(1);
    expect(readPort([port, 7])).toBe(7);
    for (const data of [
      hello,
      port,
      [port],
      [port, 0],
      [port, '1'],
      [port, 1.5],
      [port, 1, 1],
      { 0: port, 1: 1, length: 2 },
    ])
      expect(readPort(data)).toBeUndefined();
  });
});

/** A generator whose seed is printed, so that a case can be repeated. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('whatever arrives is one of the messages, exactly, or nothing [X52]', () => {
  const seed = Number(process.env.ALDABA_SEED ?? Date.now() % 2 ** 32);
  const rounds = Number(process.env.ALDABA_ROUNDS ?? 20_000);
  const roll = dice(seed);
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  const names = [
    't',
    'count',
    'open',
    'focus',
    'resumed',
    'locale',
    'path',
    'token',
    'color',
    'mine',
    'cnf',
    '__proto__',
    'toString',
  ];
  const values = [
    undefined,
    null,
    true,
    false,
    0,
    1,
    -1,
    1e9,
    Number.NaN,
    '',
    '/',
    'es',
    '#000000',
    cnf,
    'a.b.c',
    'open',
    [],
    {},
    1n,
  ];
  const known = [...toPage, ...toFrame];
  let taken = 0;
  for (let round = 0; round < rounds; round++) {
    const data: Record<string, unknown> = { ...pick(known) };
    for (let changes = roll(3); changes > 0; changes--) {
      const name = pick(names);
      if (roll(3) === 0) delete data[name];
      else
        Object.defineProperty(data, name, {
          value: pick(values),
          enumerable: true,
          configurable: true,
          writable: true,
        });
    }
    for (const [read, right] of [
      [readToPage, toPage],
      [readToFrame, toFrame],
    ] as const) {
      const message = read(data);
      if (!message) continue;
      taken++;
      // What passes has the fields of its kind and no other.
      const sample = right.find((one) => one.t === message.t);
      expect(sample, `seed ${seed}, round ${round}`).toBeDefined();
      expect(Object.keys(message).sort(), `seed ${seed}, round ${round}`).toEqual(
        Object.keys(sample ?? {}).sort(),
      );
    }
  }
  expect(taken).toBeGreaterThan(rounds / 20);
  console.log(`note: seed ${seed}, ${rounds} messages, ${taken} taken`);
});
