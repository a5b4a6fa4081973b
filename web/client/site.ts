// What the server tells a page about the site that it stands on. An older
// server, or a damaged answer, leaves parts out: a chat needs none of them.
import type { Question, SiteView } from './chat.ts';

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value && !Array.isArray(value) ? { ...value } : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): readonly string[] => list(value).map(text).filter(Boolean);

const kinds: readonly string[] = ['text', 'mail', 'phone', 'choice'] satisfies Question['kind'][];
const isKind = (kind: string): kind is Question['kind'] => kinds.includes(kind);

function field(told: unknown): readonly Question[] {
  const { name, kind, label, required, choices } = object(told);
  const [known, choice] = [text(kind), texts(choices)];
  if (!text(name) || !isKind(known) || (known === 'choice' && choice.length === 0)) return [];
  const labels = Object.entries(object(label)).map(([tag, words]) => [tag, text(words)] as const);
  return [
    {
      name: text(name),
      kind: known,
      label: Object.fromEntries(labels.filter(([, words]) => words)),
      required: required === true,
      choices: choice,
    },
  ];
}

/** Other ways to reach the company lead to a page, a letter or a call, and nowhere else. */
const safe = (href: string) => (/^(https:\/\/|mailto:|tel:)/.test(href) ? href : '');

export function readSite(told: Record<string, unknown>): SiteView {
  const contact = object(told.contact);
  const [words, href] = [text(contact.text), safe(text(contact.href))];
  return {
    name: text(told.name),
    languages: texts(told.languages),
    departments: list(told.departments).flatMap((one) => {
      const { id, name, mode } = object(one);
      return text(id) && text(name) && (mode === 'sealed' || mode === 'assisted')
        ? [{ id: text(id), name: text(name), mode }]
        : [];
    }),
    fields: list(told.fields).flatMap(field),
    contact: { ...(words && { text: words }), ...(href && { href }) },
    // Whoever says nothing about it may be there.
    open: told.open !== false,
  };
}
