import { describe, expect, test } from 'vitest';
import { pieces } from './links.ts';

const hosts = (text: string) => pieces(text).flatMap((one) => (one.kind === 'link' ? [one.host] : []));
const hrefs = (text: string) => pieces(text).flatMap((one) => (one.kind === 'link' ? [one.href] : []));

describe('links', () => {
  test.each([
    ['see https://bank.example/a.', ['https://bank.example/a']],
    ['(http://bank.example/a_(b))', ['http://bank.example/a_(b)']],
    [
      '“https://bank.example”, and HTTPS://Two.example/x?y=1#z!',
      ['https://bank.example/', 'https://two.example/x?y=1#z'],
    ],
    ['javascript:alert(1) data:text/html,x ftp://a.example file:///etc/passwd', []],
    ['bank.example and //bank.example', []],
    ['https://', []],
    ['https://[nonsense', []],
  ])('%j', (text, found) => {
    expect(hrefs(text)).toEqual(found);
  });

  test('a name before an @ that poses as the host makes no link', () => {
    expect(hrefs('https://bank.example@evil.example/ https://bank.example:pw@evil.example')).toEqual([]);
  });

  test.each([
    ['https://bаnk.example/login', 'xn--bnk-6cd.example'], // the second letter is Cyrillic
    ['https://xn--bnk-6cd.example', 'xn--bnk-6cd.example'],
    ['https://bank.example%2eevil.example', 'bank.example.evil.example'],
    ['https://bank。example', 'bank.example'],
    ['https://2130706433/', '127.0.0.1'],
    ['https://bank.example:8443/', 'bank.example:8443'],
  ])('%j goes to %s, and that is what is shown', (text, host) => {
    expect(hosts(text)).toEqual([host]);
  });

  test('letters that can imitate others are told', () => {
    const told = (text: string) => pieces(text).some((one) => one.kind === 'link' && one.foreign);
    expect(told('https://bаnk.example')).toBe(true);
    expect(told('https://bank.example/ñ')).toBe(false);
  });

  test('a long path ends early, and all of the text is there', () => {
    const text = 'a https://bank.example/returns/2026/11/8841/statement?from=chat b';
    expect(pieces(text)).toEqual([
      { kind: 'text', text: 'a ' },
      {
        kind: 'link',
        href: 'https://bank.example/returns/2026/11/8841/statement?from=chat',
        host: 'bank.example',
        rest: '/returns/2026/11/8841/st…',
        foreign: false,
      },
      { kind: 'text', text: ' b' },
    ]);
    expect(pieces('')).toEqual([]);
  });
});
