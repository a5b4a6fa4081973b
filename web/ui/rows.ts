// The lines of a conversation as people read them: sentences by key, days
// between them, and messages in runs. Both pages draw what comes from here.
import { capitalise, type Key, type Language, translate } from './i18n.ts';
import { dayKey } from './times.ts';

/** A member of the roster, as the crypto worker names it: role and custody are numbers of SPEC section 4. */
export interface Person {
  readonly leaf: number;
  readonly role: number;
  readonly name: string;
  readonly custody: number;
  readonly mine: boolean;
}

interface Entry {
  readonly seq: number;
  /** Milliseconds. */
  readonly time: number;
}

/** A field of a form; `kind` is a number of SPEC section 4.3. */
interface Told {
  readonly name: string;
  readonly kind: number;
  readonly value: string;
}

/** What a page says of itself goes along with what a person fills in. */
const along: Readonly<Record<number, Key>> = { 5: 'field.page', 6: 'field.language' };

/** What a field is called. */
export function fieldName(language: Language, { name, kind }: Told): string {
  const key = along[kind];
  return key ? translate(language, key) : name;
}

/** One verified line. */
export type Spoken =
  | (Entry & { readonly kind: 'message'; readonly from: Person; readonly text: string })
  | (Entry & {
      readonly kind: 'roster';
      readonly reason: number;
      readonly members: readonly Person[];
      readonly second?: readonly number[];
      readonly locked?: string;
      readonly timeUncertain?: boolean;
    })
  | (Entry & {
      readonly kind: 'form';
      readonly from: Person;
      readonly fields: readonly Told[];
    })
  | (Entry & {
      readonly kind: 'grant';
      readonly from: Person;
      readonly to: Person;
      readonly locked?: string;
    })
  | (Entry & { readonly kind: 'closed'; readonly from: Person; readonly reason: number })
  | (Entry & { readonly kind: 'unreadable'; readonly rule: string; readonly code: string });

/** What the log shows, from top to bottom. `key` is one row's alone. */
export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly time: number;
      readonly text: string;
      readonly name: string;
      readonly mine: boolean;
      /** First or last of what one person wrote without a pause. */
      readonly first: boolean;
      readonly last: boolean;
    }
  | {
      readonly kind: 'note';
      readonly key: string;
      readonly time: number;
      readonly text: string;
      /** Something that a person should notice. */
      readonly warns: boolean;
    };

const visitor = 1;
const department = 4;
const server = 8;
const roles: Readonly<Record<number, Key>> = {
  3: 'role.supervisor',
  [department]: 'role.department',
  5: 'role.bot',
  6: 'role.scanner',
  7: 'role.archive',
  [server]: 'role.server',
};
const operator = 2;

/** A pause that ends a run of messages, in milliseconds. */
const pause = 5 * 60_000;

/** How a person is called in the middle of a sentence. The name is missing where a certificate is. */
function callName(language: Language, person: Person): string {
  if (person.mine) return translate(language, 'person.you');
  if (person.role === visitor) return translate(language, 'person.visitor');
  if (person.role === server) return translate(language, 'person.server');
  return person.name || translate(language, 'person.unknown');
}

/** A member with what it is when it is no ordinary person, and whose hands its keys are in. */
export function introduce(language: Language, person: Person): string {
  const name = callName(language, person);
  const key = roles[person.role];
  let role = key && !person.mine ? translate(language, key) : '';
  // The server's keys can be nobody else's, and its words say so.
  if (person.custody === operator && person.role !== server) {
    role = role ? translate(language, 'role.operator', { role }) : translate(language, 'role.keys');
  }
  return role ? translate(language, 'person.with', { name, role }) : name;
}

/** The members as a list in words. */
export function listPeople(language: Language, people: readonly Person[]): string {
  return new Intl.ListFormat(language).format(people.map((person) => introduce(language, person)));
}

/** Who answers: the agent or supervisor that came last, never this page's own person. */
export function answerer<P extends Person>(people: readonly P[]): P | undefined {
  return people.findLast((person) => !person.mine && (person.role === 2 || person.role === 3));
}

/** The rule that keeps this device out of the newest epoch, if one does. */
export function lockOf(lines: readonly Spoken[]): string | undefined {
  const line = lines.findLast((each) => each.kind === 'roster');
  return line?.kind === 'roster' ? line.locked : undefined;
}

/** That somebody came or went; a team's key does neither, but it reads. */
function moved(language: Language, person: Person, how: 'joined' | 'left'): string {
  const key = person.role === department ? (`note.team.${how}` as const) : (`note.${how}` as const);
  return translate(language, key, { name: introduce(language, person) });
}

function rosterSentences(
  language: Language,
  line: Spoken & { kind: 'roster' },
  before: readonly Person[] | undefined,
): string[] {
  const say = (key: Key, values: Record<string, string> = {}) => translate(language, key, values);
  const sentences: string[] = [];
  if (!before) {
    const key = line.members.some(({ role }) => role === server) ? 'note.begun.server' : 'note.begun';
    sentences.push(say(key, { names: listPeople(language, line.members) }));
  } else {
    const without = (some: readonly Person[], others: readonly Person[]) =>
      some.filter((one) => !others.some((other) => other.leaf === one.leaf));
    const joined = without(line.members, before);
    const left = without(before, line.members);
    if (line.reason === 5) sentences.push(say('note.reopened'));
    for (const person of joined) {
      const name = introduce(language, person);
      const second = line.second?.includes(person.leaf);
      sentences.push(second ? say('note.second', { name }) : moved(language, person, 'joined'));
    }
    for (const person of left) sentences.push(moved(language, person, 'left'));
    if (sentences.length === 0) sentences.push(say('note.rekeyed'));
  }
  if (line.locked === 'W1') sentences.push(say('note.elsewhere'));
  else if (line.locked) sentences.push(say('note.locked', { rule: line.locked }));
  if (line.timeUncertain) sentences.push(say('note.time'));
  return sentences;
}

/** Rules of SPEC whose entry is sound, but sealed for others. */
const keysMissing = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6'];

function unreadableKey(rule: string): Key {
  if (keysMissing.includes(rule)) return 'note.unreadable.keys';
  return rule === 'V12' ? 'note.unreadable.twice' : 'note.unreadable.broken';
}

function note(
  language: Language,
  line: Exclude<Spoken, { kind: 'message' }>,
  before: readonly Person[] | undefined,
): { text: string; warns: boolean } {
  switch (line.kind) {
    case 'roster': {
      const sentences = rosterSentences(language, line, before).map((text) => capitalise(language, text));
      return { text: sentences.join(' '), warns: line.locked !== undefined && line.locked !== 'W1' };
    }
    case 'closed': {
      const name = callName(language, line.from);
      const text = translate(language, line.reason === 1 ? 'note.solved' : 'note.ended', { name });
      return { text: capitalise(language, text), warns: false };
    }
    case 'form': {
      const name = callName(language, line.from);
      const sentence = (key: Key, some: readonly Told[]) =>
        some.length === 0
          ? []
          : capitalise(
              language,
              translate(language, key, {
                name,
                fields: some.map((field) => `${fieldName(language, field)}: ${field.value}`).join(' · '),
              }),
            );
      const goes = (field: Told) => along[field.kind] !== undefined;
      const filled = line.fields.filter((field) => !goes(field));
      return {
        text: [sentence('note.form', filled), sentence('note.along', line.fields.filter(goes))]
          .flat()
          .join('. '),
        warns: false,
      };
    }
    case 'grant': {
      const [from, to] = [introduce(language, line.from), introduce(language, line.to)];
      const given = capitalise(language, translate(language, 'note.given', { from, to }));
      const rule = line.locked;
      const warns = rule !== undefined;
      return {
        text: warns ? `${given} ${translate(language, 'note.given.locked', { rule })}` : given,
        warns,
      };
    }
    case 'unreadable': {
      const key = unreadableKey(line.rule);
      const text = translate(language, key, { rule: line.rule, code: line.code });
      return { text, warns: key !== 'note.unreadable.twice' };
    }
  }
}

/** Whether two neighbouring lines are messages of one person, without a pause and on one day. */
function together(a: Spoken | undefined, b: Spoken | undefined): boolean {
  if (a?.kind !== 'message' || b?.kind !== 'message') return false;
  return a.from.leaf === b.from.leaf && b.time - a.time < pause && dayKey(a.time) === dayKey(b.time);
}

/** The rows of a conversation. */
export function rows(language: Language, lines: readonly Spoken[]): readonly Row[] {
  const made: Row[] = [];
  let roster: readonly Person[] | undefined;
  let day = '';
  for (const [at, line] of lines.entries()) {
    if (dayKey(line.time) !== day) {
      day = dayKey(line.time);
      made.push({ kind: 'day', key: `${line.seq} day`, time: line.time });
    }
    const { time } = line;
    const key = String(line.seq);
    if (line.kind === 'message') {
      made.push({
        kind: 'message',
        key,
        time,
        text: line.text,
        name: capitalise(language, callName(language, line.from)),
        mine: line.from.mine,
        first: !together(lines[at - 1], line),
        last: !together(line, lines[at + 1]),
      });
    } else {
      made.push({ kind: 'note', key, time, ...note(language, line, roster) });
      if (line.kind === 'roster') roster = line.members;
    }
  }
  return made;
}
