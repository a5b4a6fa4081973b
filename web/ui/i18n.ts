import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };

/** The catalogue's keys; Spanish is the one that the compiler reads them from. */
export type Key = keyof typeof es;

const catalogues = { es, en } satisfies Record<string, Record<Key, string>>;

/** A BCP 47 primary language subtag that has a catalogue. */
export type Language = keyof typeof catalogues;

/** The languages with their own names, in the order of the switch. */
export const languages: readonly (readonly [Language, string])[] = [
  ['es', 'Español'],
  ['en', 'English'],
];

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(catalogues, tag);
}

/** The first wanted language that has a catalogue; English when none has. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.split('-')[0]?.toLowerCase() ?? '';
    if (isLanguage(primary)) return primary;
  }
  return 'en';
}

/** The text of a key; each {name} is replaced by its value, as text. */
export function translate(language: Language, key: Key, values: Record<string, string> = {}): string {
  return catalogues[language][key].replaceAll(/\{(\w+)\}/g, (slot, name: string) => values[name] ?? slot);
}
