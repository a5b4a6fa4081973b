import { describe, expect, test } from 'vitest';
import ownEn from '../console/en.json' with { type: 'json' };
import ownEs from '../console/es.json' with { type: 'json' };
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };
import { chooseLanguage, speaker, translate, translateCount, withLanguage } from './i18n.ts';

const slots = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe.each([
  ['shared', es, en],
  ["the console's", ownEs, ownEn],
])('%s catalogues', (_, es, en) => {
  test('have the same keys, slots, and no empty text', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
    for (const [key, text] of Object.entries(es)) {
      const other = new Map(Object.entries(en)).get(key) ?? '';
      expect(text.trim(), key).not.toBe('');
      expect(other.trim(), key).not.toBe('');
      expect(slots(other), key).toEqual(slots(text));
    }
  });

  test('a counted key has both forms, and each shows the count', () => {
    const counted = Object.entries(es).filter(([key]) => /\.(one|other)$/.test(key));
    const stems = (form: string) =>
      counted.filter(([key]) => key.endsWith(form)).map(([key]) => key.slice(0, -form.length));
    expect(stems('.one')).toEqual(stems('.other'));
    expect(counted.length).toBeGreaterThan(0);
    for (const [key, text] of counted) expect(slots(text), key).toEqual(['{count}']);
  });
});

test("the console's catalogue repeats no key of the shared one", () => {
  expect(Object.keys(ownEs).filter((key) => key in es)).toEqual([]);
});

describe('texts', () => {
  test("a page's own texts stand beside the shared ones", () => {
    const page = speaker({ es: { hi: 'Hola, {name}' }, en: { hi: 'Hello, {name}' } });
    expect(page.translate('es', 'hi', { name: 'Ana' })).toBe('Hola, Ana');
    expect(page.translate('en', 'cancel')).toBe(translate('en', 'cancel'));
    expect(page.translateCount('es', 'status.failures', 2)).toBe(translateCount('es', 'status.failures', 2));
  });

  test('a value is text and stays what it is', () => {
    expect(translate('en', 'status.ready', { version: '<b>{version}$&</b>' })).toContain(
      '<b>{version}$&</b>',
    );
  });

  test('a slot without a value stays visible', () => {
    expect(translate('es', 'status.ready')).toContain('{version}');
  });

  test.each([
    ['en', 0, '0 attempts without an answer.'],
    ['en', 1, '1 attempt without an answer.'],
    ['en', 1234, '1,234 attempts without an answer.'],
    ['es', 1, '1 intento sin respuesta.'],
    ['es', 2, '2 intentos sin respuesta.'],
    ['es', 1_000_000, '1.000.000 intentos sin respuesta.'],
  ] as const)('%s counts %d', (language, count, text) => {
    expect(translateCount(language, 'status.failures', count)).toBe(text);
  });
});

describe('language', () => {
  test.each([
    ['', ['fr-FR', 'es-MX', 'en'], 'es'],
    ['', ['EN-gb'], 'en'],
    ['?lang=es', ['en'], 'es'],
    ['?lang=ES-ar', ['en'], 'es'],
    ['?lang=fr', ['es'], 'es'],
    ['?lang=__proto__', ['toString', ''], 'en'],
    ['', [], 'en'],
  ] as const)('%j with %j is %s', (search, preferred, language) => {
    expect(chooseLanguage(search, preferred)).toBe(language);
  });

  test('the address carries the choice and keeps the rest', () => {
    expect(withLanguage('', 'es')).toBe('?lang=es');
    expect(withLanguage('?theme=dark&lang=es', 'en')).toBe('?theme=dark&lang=en');
  });
});
