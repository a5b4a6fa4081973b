// Which texts an application shows: a visitor does not load the console's.
// A key is named whole, by its stem where it has forms by number, or by its
// beginning where a template ends it: `link.${state}`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const web = import.meta.dirname;

function sources(folder) {
  return readdirSync(join(web, folder), { recursive: true })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .map((file) => readFileSync(join(web, folder, file), 'utf8'));
}

/** The entries of a catalogue that the application, or what both share, names. */
export function shownBy(app, catalogue) {
  const named = new Set();
  const beginnings = [];
  for (const source of [app, 'ui'].flatMap(sources)) {
    for (const [, text, open] of source.matchAll(/['"`]([a-z][\w.-]*)(\$\{)?/g))
      open ? beginnings.push(text) : named.add(text);
  }
  const isShown = (key) =>
    named.has(key) ||
    named.has(key.replace(/\.(one|other)$/, '')) ||
    beginnings.some((one) => one.includes('.') && key.startsWith(one));
  return Object.fromEntries(Object.entries(catalogue).filter(([key]) => isShown(key)));
}
