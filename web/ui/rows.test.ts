import { describe, expect, test } from 'vitest';
import { answerer, listPeople, lockOf, type Person, type Row, rows, type Spoken } from './rows.ts';

const person = (leaf: number, role: number, name: string, more: Partial<Person> = {}): Person => ({
  leaf,
  role,
  name,
  custody: 1,
  mine: false,
  ...more,
});
const me = person(0, 1, '', { mine: true });
const team = person(1, 4, 'Support');
const ana = person(2, 2, 'Ana');
const noon = new Date(2026, 10, 24, 12).getTime();
const minute = 60_000;

const roster = (members: readonly Person[], reason = 2, more = {}): Spoken => ({
  kind: 'roster',
  seq: 0,
  time: noon,
  reason,
  members,
  ...more,
});
const message = (from: Person, minutes: number, text = 'text', seq = minutes): Spoken => ({
  kind: 'message',
  seq,
  time: noon + minutes * minute,
  from,
  text,
});
const unreadable = (rule: string): Spoken => ({
  kind: 'unreadable',
  seq: 9,
  time: noon,
  rule,
  code: 'some_code',
});
const closed = (from: Person, reason: number): Spoken => ({
  kind: 'closed',
  seq: 9,
  time: noon,
  from,
  reason,
});

/** The sentence of the last line. */
function said(language: 'en' | 'es', ...lines: Spoken[]): string {
  const last = rows(language, lines).at(-1);
  return last?.kind === 'note' ? last.text : '';
}

describe('notes', () => {
  test.each<[string, string, Spoken[]]>([
    [
      'Sealed from end to end. Can read: you and Support (whole team).',
      'Sellada de extremo a extremo. Pueden leer: usted y Support (todo el equipo).',
      [roster([me, team], 0)],
    ],
    ['Ana joined.', 'Se ha unido Ana.', [roster([me, team], 0), roster([me, team, ana], 1)]],
    [
      'Another device of Ana joined.',
      'Se ha unido otro dispositivo de Ana.',
      [roster([me, ana], 0), roster([me, ana, { ...ana, leaf: 5 }], 2, { second: [5] })],
    ],
    ['Ana left.', 'Ha salido Ana.', [roster([me, ana], 0), roster([me])]],
    [
      'Ana joined. Support (whole team) can read nothing from here on.',
      'Se ha unido Ana. Support (todo el equipo) ya no puede leer lo que siga.',
      [roster([me, team], 0), roster([me, ana])],
    ],
    ['New keys.', 'Claves nuevas.', [roster([me, ana], 0), roster([me, ana], 3)]],
    [
      'Opened again. Support (whole team) can read now.',
      'Abierta de nuevo. Support (todo el equipo) puede leer ahora.',
      [roster([me], 0), roster([me, team], 5)],
    ],
    [
      'New keys. From here on this device cannot read (rule W5). The time of this entry is not certain.',
      'Claves nuevas. Desde aquí este dispositivo no puede leer (regla W5). La hora de esta entrada no es segura.',
      [roster([me], 0), roster([me], 3, { locked: 'W5', timeUncertain: true })],
    ],
    [
      'The visitor filled in: name: Eva. Sent along: page: /a · language: es',
      'El visitante ha indicado: name: Eva. Se envía también: página: /a · idioma: es',
      [
        {
          kind: 'form',
          seq: 1,
          time: minute,
          from: { ...me, mine: false },
          fields: [
            { name: 'name', kind: 1, value: 'Eva' },
            { name: 'page', kind: 5, value: '/a' },
            { name: 'language', kind: 6, value: 'es' },
          ],
        },
      ],
    ],
    [
      'Ana gave you what was said before.',
      'Ana ha dado a usted lo que se dijo antes.',
      [{ kind: 'grant', seq: 1, time: minute, from: ana, to: me }],
    ],
    [
      'Ana gave you what was said before. It does not open on this device (rule R7).',
      'Ana ha dado a usted lo que se dijo antes. En este dispositivo no se abre (regla R7).',
      [{ kind: 'grant', seq: 1, time: minute, from: ana, to: me, locked: 'R7' }],
    ],
    ['You ended the conversation.', 'Usted ha terminado la conversación.', [closed(me, 2)]],
    [
      'Ana closed the conversation as solved.',
      'Ana ha cerrado la conversación como resuelta.',
      [closed(ana, 1)],
    ],
    [
      'The visitor ended the conversation.',
      'El visitante ha terminado la conversación.',
      [closed({ ...me, mine: false }, 3)],
    ],
  ])('%s', (en, es, lines) => {
    expect(said('en', ...lines)).toBe(en);
    expect(said('es', ...lines)).toBe(es);
  });

  test.each([
    ['W6', 'keys that this device does not have'],
    ['V12', 'once more'],
    ['V9', 'not shown because it breaks rule V9'],
  ])('an entry that rule %s hides says so, with rule and code', (rule, part) => {
    const text = said('en', unreadable(rule));
    expect(text).toContain(part);
    expect(text).toContain(rule);
    expect(text).toContain('some_code');
  });

  test('only what a person should notice warns', () => {
    const warns = (line: Spoken) => rows('en', [line]).some((row) => row.kind === 'note' && row.warns);
    expect(warns(unreadable('V9'))).toBe(true);
    expect(warns(unreadable('V12'))).toBe(false);
    expect(warns(roster([me], 3, { locked: 'W2' }))).toBe(true);
    expect(warns(roster([me], 3))).toBe(false);
    expect(warns(closed(ana, 1))).toBe(false);
  });
});

describe('messages', () => {
  const shape = (lines: Spoken[]) =>
    rows('en', lines)
      .filter((row): row is Row & { kind: 'message' } => row.kind === 'message')
      .map((row) => `${row.name}${row.first ? ' first' : ''}${row.last ? ' last' : ''}`);

  test('stand in runs of one person', () => {
    expect(shape([message(ana, 0), message(ana, 1), message(me, 2), message(ana, 3)])).toEqual([
      'Ana first',
      'Ana last',
      'You first last',
      'Ana first last',
    ]);
  });

  test('a pause of five minutes and a note end a run', () => {
    expect(shape([message(ana, 0), message(ana, 5)])).toEqual(['Ana first last', 'Ana first last']);
    expect(shape([message(ana, 0), closed(me, 2), message(ana, 1)])).toEqual([
      'Ana first last',
      'Ana first last',
    ]);
  });

  test('another day ends a run and has a row before it', () => {
    const found = rows('en', [message(ana, 719, 'a', 1), message(ana, 721, 'b', 2)]);
    expect(found.map((row) => row.kind)).toEqual(['day', 'message', 'day', 'message']);
    expect(found.every((row) => row.kind !== 'message' || (row.first && row.last))).toBe(true);
    expect(new Set(found.map((row) => row.key)).size).toBe(4);
  });

  test('a text stays what it is', () => {
    const text = '  <b>{name}</b>\n\u202eabc';
    expect(rows('en', [message(ana, 0, text)])[1]).toMatchObject({ text });
  });
});

test('the list names roles, and whose hands keys are in', () => {
  const bot = person(3, 5, 'Helper', { custody: 2 });
  const held = person(4, 2, 'Leo', { custody: 2 });
  expect(listPeople('en', [{ ...me, mine: false }, ana, bot, held])).toBe(
    'the visitor, Ana, Helper (bot, keys at the operator), and Leo (keys at the operator)',
  );
  expect(listPeople('es', [me, team])).toBe('usted y Support (todo el equipo)');
});

test('the server is listed in the words of the page, as what reads along, wherever it is a member', () => {
  const server = person(2, 8, 'server', { custody: 2 });
  expect(listPeople('en', [me, server])).toBe('you and this server (its programs read along)');
  expect(listPeople('es', [me, server])).toBe('usted y este servidor (sus programas leen también)');
  const begun = (members: readonly Person[]) => rows('en', [roster(members, 0)])[1];
  expect(begun([me, team])).toMatchObject({ text: expect.stringContaining('Sealed from end to end.') });
  expect(begun([me, team, server])).toMatchObject({
    text: expect.stringMatching(/^Sealed among those who can read: .*this server/),
  });
});

test('a person without a certificate has no name', () => {
  expect(listPeople('en', [person(5, 2, '')])).toBe('someone');
});

test('who answers is the last person that is neither I nor a team', () => {
  const leo = person(3, 3, 'Leo');
  expect(answerer([me, team])).toBeUndefined();
  expect(answerer([me, team, ana, leo])?.name).toBe('Leo');
  expect(answerer([me, { ...ana, mine: true }])).toBeUndefined();
});

test('the newest roster says whether this device is locked out', () => {
  expect(lockOf([])).toBeUndefined();
  expect(lockOf([roster([me], 0, { locked: 'W2' }), message(me, 1)])).toBe('W2');
  expect(lockOf([roster([me], 0, { locked: 'W2' }), roster([me], 3)])).toBeUndefined();
});
