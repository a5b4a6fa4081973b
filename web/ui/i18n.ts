/** The catalogue's keys; Spanish is the one that the compiler reads them from. */
export type Key = keyof typeof import('./es.json', { with: { type: 'json' }});

/** Keys that have a form per plural category: `key.one`, `key.other`. */
type Counted<K> = K extends `${infer Stem}.other` ? Stem : never;

/** A catalogue comes when it is needed: nobody waits for a language that is not theirs. */
const sources = {
  es: () => import('./es.json', { with: { type: 'json' } }),
  en: () => import('./en.json', { with: { type: 'json' } }),
} satisfies Record<string, () => Promise<{ readonly default: Readonly<Record<Key, string>> }>>;

/** A BCP 47 primary language subtag that has a catalogue. */
export type Language = keyof typeof sources;

const catalogues = new Map<Language, Readonly<Record<Key, string>>>();

/** Fetches a language: call it before the first text in it. */
export async function learn(language: Language): Promise<void> {
  if (!catalogues.has(language)) catalogues.set(language, (await sources[language]()).default);
}

/** The text of a key, which stands for itself while its language is not there. */
const textOf = (language: Language, key: Key): string => catalogues.get(language)?.[key] ?? key;

/** The languages with their own names, in the order of the switch. */
export const languages: readonly (readonly [Language, string])[] = [
  ['es', 'Español'],
  ['en', 'English'],
];

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(sources, tag);
}

/** The address's ?lang, else the first preferred language with a catalogue, else English. */
export function chooseLanguage(search: string, preferred: readonly string[]): Language {
  for (const tag of [new URLSearchParams(search).get('lang') ?? '', ...preferred]) {
    const primary = tag.split('-')[0]?.toLowerCase() ?? '';
    if (isLanguage(primary)) return primary;
  }
  return 'en';
}

/** The address's query with the language in it, so that a reload keeps the choice. */
export function withLanguage(search: string, language: Language): string {
  const query = new URLSearchParams(search);
  query.set('lang', language);
  return `?${query}`;
}

function fill(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\{(\w+)\}/g, (slot, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? slot) : slot,
  );
}

/** The text of a key; each {name} is replaced by its value, as text. */
export function translate(language: Language, key: Key, values: Record<string, string> = {}): string {
  return fill(textOf(language, key), values);
}

/** The text for a number of things, which stands in {count}. Rare categories read as other. */
export function translateCount(language: Language, key: Counted<Key>, count: number): string {
  const form = new Intl.PluralRules(language).select(count) === 'one' ? 'one' : 'other';
  const shown = new Intl.NumberFormat(language).format(count);
  return fill(textOf(language, `${key}.${form}`), { count: shown });
}

/**
 * A page's own catalogues beside the shared one: a text that one page alone
 * shows does not weigh on the other. The keys are read from the Spanish one.
 */
export function speaker<const Own extends string>(
  own: Readonly<Record<Language, Readonly<Record<Own, string>>>>,
) {
  const read = (language: Language, key: string) =>
    Object.hasOwn(own[language], key) ? own[language][key as Own] : textOf(language, key as Key);
  const translate = (language: Language, key: Key | Own, values: Record<string, string> = {}) =>
    fill(read(language, key), values);
  const translateCount = (
    language: Language,
    key: Counted<Key | Own>,
    count: number,
    values: Record<string, string> = {},
  ) => {
    const form = new Intl.PluralRules(language).select(count) === 'one' ? 'one' : 'other';
    const shown = new Intl.NumberFormat(language).format(count);
    return fill(read(language, `${key}.${form}`), { ...values, count: shown });
  };
  return { translate, translateCount };
}

/** A sentence begins with a capital letter, whatever name stands first. */
export function capitalise(language: Language, text: string): string {
  const [first = ''] = text;
  return first.toLocaleUpperCase(language) + text.slice(first.length);
}
