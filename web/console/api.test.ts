import { afterEach, describe, expect, test, vi } from 'vitest';
import { api, onEnd, Refused } from './api.ts';
import { explainRefusal } from './refusal.ts';
import { flag, list, maybe, number, one, record, text } from './shape.ts';

afterEach(() => vi.unstubAllGlobals());

/** The server's next answer; what was asked of it. */
function answering(status: number, body?: unknown) {
  const asked: { path: string; method: string | undefined; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push({ path, method: init.method, body: init.body ? JSON.parse(String(init.body)) : undefined });
    return new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), {
      status,
    });
  });
  return asked;
}

describe('shapes', () => {
  const check = record({ name: text, count: maybe(number), tags: list(text), mode: one('a', 'b'), on: flag });

  test('a value with the shape is taken, and what is not asked for is left out', () => {
    expect(check({ name: 'x', tags: ['t'], mode: 'b', on: true, more: 1 })).toEqual({
      name: 'x',
      count: undefined,
      tags: ['t'],
      mode: 'b',
      on: true,
    });
    expect(check({ name: '', count: 1, mode: 'a', on: false }).tags).toEqual([]);
  });

  test.each([
    [{ name: 1, mode: 'a', on: true }],
    [{ name: 'x', mode: 'c', on: true }],
    [{ name: 'x', mode: 'a', on: 'true' }],
    [{ name: 'x', mode: 'a', on: true, tags: 'none' }],
    [{ name: 'x', mode: 'a', on: true, count: Number.NaN }],
    [undefined],
    ['text'],
  ])('%j is refused', (value) => {
    expect(() => check(value)).toThrow(TypeError);
  });
});

describe('requests', () => {
  test('a sign-in asks by JSON and gives the next step', async () => {
    const asked = answering(200, { step: 'code' });
    expect(await api.signIn('ana', 'secret')).toEqual({ step: 'code' });
    expect(asked).toEqual([
      { path: '/api/session', method: 'POST', body: { login: 'ana', password: 'secret' } },
    ]);
  });

  test('an identifier of the address cannot lead elsewhere', async () => {
    const asked = answering(204);
    await api.removePerson('../session');
    expect(asked[0]?.path).toBe('/api/people/..%2Fsession');
  });

  test.each<[string, number, unknown, Partial<Refused>]>([
    [
      'problem details',
      409,
      { code: 'login_taken', field: 'login' },
      { code: 'login_taken', field: 'login' },
    ],
    ['a limit', 400, { code: 'password_short', field: 'password', limit: 12 }, { limit: 12 }],
    ['a page of a gateway in between', 502, '<html>', { code: 'http_502', status: 502 }],
    ['another answer than the documented one', 200, { step: 'never' }, { code: 'bad_answer' }],
  ])('%s', async (_, status, body, refused) => {
    answering(status, body);
    await expect(api.signIn('a', 'b')).rejects.toMatchObject(refused);
  });

  test('no answer is told as being offline', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
    await expect(api.me()).rejects.toMatchObject({ code: 'offline', status: 0 });
  });

  test('[X56] a session that has ended is heard of, a wrong password is no such end', async () => {
    let ended = 0;
    const stop = onEnd(() => {
      ended++;
    });
    answering(401, { code: 'not_signed_in' });
    await api.signIn('a', 'b').catch(() => undefined);
    expect(ended).toBe(0);
    await api.people().catch(() => undefined);
    expect(ended).toBe(1);
    stop();
  });
});

describe('refusals', () => {
  test.each<[Refused, string]>([
    [new Refused(403, 'last_administrator', 'id'), 'last administrator'],
    [new Refused(400, 'invalid', 'origins[2]'), 'does not accept this value'],
    [new Refused(500, 'internal'), '(internal)'],
  ])('%s is a sentence', (refused, sentence) => {
    // The shared catalogue is not there yet, the console's own is.
    expect(explainRefusal('en', refused)).toContain(sentence);
  });

  test('a form has its own words for a field, unless the code says more', () => {
    const told = { login: 'people.login.refused' } as const;
    expect(explainRefusal('en', new Refused(400, 'invalid', 'login'), told)).toContain('small letters');
    expect(explainRefusal('en', new Refused(409, 'login_taken', 'login'), told)).toContain('exists already');
  });

  test('the limit stands in the sentence', () => {
    expect(explainRefusal('es', new Refused(400, 'password_short', 'password', 12))).toContain(
      '12 caracteres',
    );
  });
});
