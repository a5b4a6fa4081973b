import { afterEach, describe, expect, test, vi } from 'vitest';
import { api, type Bytes, frame, toBytes, toText, unframe } from './api.ts';
import { Failure, passing, problemOf } from './problem.ts';

const bytes = (n: number, fill = 7): Bytes => new Uint8Array(n).fill(fill);
const badAnswer = expect.objectContaining({ name: 'Failure', code: 'bad_answer' });

describe('lists', () => {
  const objects = [bytes(1, 1), bytes(300, 2), bytes(2, 3)];

  test('come back as they went, each in a buffer of its own', () => {
    const got = unframe(frame(objects));
    expect(got).toEqual(objects);
    expect(got.map((one) => one.buffer.byteLength)).toEqual([1, 300, 2]);
    expect(unframe(frame([]))).toEqual([]);
  });

  test('the length has four bytes, big-endian', () => {
    expect([...frame([bytes(258, 9)]).slice(0, 5)]).toEqual([0, 0, 1, 2, 9]);
  });

  test('a list that ends anywhere but after an object is refused', () => {
    const list = frame(objects);
    const ends = new Set([0, 5, 309, list.length]);
    for (let end = 0; end <= list.length; end++) {
      if (ends.has(end)) expect(unframe(list.slice(0, end)).length).toBeLessThanOrEqual(3);
      else expect(() => unframe(list.slice(0, end)), `${end} bytes`).toThrow(badAnswer);
    }
  });

  test('an object may have 262144 bytes, and neither one more nor none', () => {
    expect(unframe(frame([bytes(262_144)]))).toHaveLength(1);
    expect(() => unframe(frame([bytes(262_145)]))).toThrow(badAnswer);
    expect(() => unframe(frame([bytes(0)]))).toThrow(badAnswer);
  });

  test('a length of four gigabytes takes no memory', () => {
    expect(() => unframe(Uint8Array.of(255, 255, 255, 255, 1))).toThrow(badAnswer);
  });

  test('4096 objects are taken and 4097 are not', () => {
    const many = Array.from({ length: 4097 }, () => bytes(1));
    expect(unframe(frame(many.slice(1)))).toHaveLength(4096);
    expect(() => unframe(frame(many))).toThrow(badAnswer);
  });
});

describe('bytes as text', () => {
  test('base64url without padding', () => {
    expect(toText(Uint8Array.of(251, 255, 190, 1))).toBe('-_--AQ');
    expect(toBytes('-_--AQ', 4)).toEqual(Uint8Array.of(251, 255, 190, 1));
  });

  test.each([
    ['padding', 'AQ=='],
    ['the other alphabet', '+/++AQ'],
    ['bits behind the end', 'AR'],
    ['a space', 'A Q'],
    ['no text', 7],
    ['nothing', undefined],
  ])('%s is refused', (_, text) => {
    expect(() => toBytes(text)).toThrow(badAnswer);
  });

  test('another length is refused', () => {
    expect(() => toBytes('AQ', 2)).toThrow(badAnswer);
  });
});

/** A server in a function: answers by `METHOD path`, the last answer of a list stays. */
function serve(answers: Record<string, (() => Response | Promise<Response>)[]>) {
  const asked: { what: string; credentials: string | undefined }[] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const what = `${init.method} ${url.replace('http://server/v1/', '')}`;
    asked.push({ what, credentials: init.credentials });
    const list = answers[what] ?? [];
    const answer = list.length > 1 ? list.shift() : list[0];
    return answer ? answer() : Promise.reject(new TypeError('no route'));
  });
  return asked;
}
const problem = (status: number, code: unknown, rule?: string) => () =>
  new Response(JSON.stringify({ type: 'about:blank', status, code, rule }), { status });
const json = (value: unknown) => () => new Response(JSON.stringify(value));
const list =
  (...objects: Bytes[]) =>
  () =>
    new Response(frame(objects));
const challenge = () => new Response(bytes(32));
const conv = bytes(32, 5);
const entries = `GET conversations/${toText(conv)}/entries`;

afterEach(() => vi.unstubAllGlobals());

describe('session', () => {
  const sessions = {
    'POST challenges': [challenge],
    'POST sessions': [json({ expires: 1 })],
  };

  test('[S1] is made before the first request, and made again once when it has ended', async () => {
    const asked = serve({
      ...sessions,
      [entries]: [list(bytes(4)), problem(401, 'no_session'), list(bytes(5))],
    });
    const prove = vi.fn(async () => bytes(9));
    const server = api('http://server', prove);
    expect(await server.entries(conv, 0)).toEqual([bytes(4)]);
    expect(await server.entries(conv, 0)).toEqual([bytes(5)]);
    expect(prove.mock.calls).toEqual([[bytes(32)], [bytes(32)]]);
    expect(asked.map(({ what }) => what)).toEqual([
      'POST challenges',
      'POST sessions',
      entries,
      entries,
      'POST challenges',
      'POST sessions',
      entries,
    ]);
    // The session is the cookie of the page's own server, which no script reads.
    expect(new Set(asked.map(({ credentials }) => credentials))).toEqual(new Set(['same-origin']));
  });

  test('a second refusal is told', async () => {
    serve({ ...sessions, [entries]: [problem(401, 'no_session')] });
    await expect(api('http://server', async () => bytes(9)).entries(conv, 0)).rejects.toMatchObject({
      status: 401,
      code: 'no_session',
    });
  });

  test('requests at the same time share one renewal', async () => {
    const asked = serve({
      ...sessions,
      [entries]: [
        list(),
        problem(401, 'no_session'),
        problem(401, 'no_session'),
        problem(401, 'no_session'),
        list(),
      ],
    });
    const server = api('http://server', async () => bytes(9));
    await server.entries(conv, 0);
    await Promise.all([server.entries(conv, 0), server.entries(conv, 0), server.entries(conv, 0)]);
    expect(asked.filter(({ what }) => what === 'POST sessions')).toHaveLength(2);
  });

  test('another code than 401 renews nothing', async () => {
    const asked = serve({ ...sessions, [entries]: [problem(403, 'not_allowed')] });
    await expect(api('http://server', async () => bytes(9)).entries(conv, 0)).rejects.toMatchObject({
      code: 'not_allowed',
    });
    expect(asked).toHaveLength(3);
  });

  test('a challenge of another length is refused', async () => {
    serve({ ...sessions, 'POST challenges': [() => new Response(bytes(31))] });
    await expect(api('http://server', async () => bytes(9)).session()).rejects.toEqual(badAnswer);
  });

  test('the proof stands before the objects of a new conversation, which is the session', async () => {
    let posted: Bytes[] = [];
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      asked.push(url.replace('http://server/v1/', ''));
      if (url.endsWith('challenges')) return challenge();
      posted = unframe(init.body as Bytes);
      return new Response(JSON.stringify({ expires: 1, seq: 1 }), { status: 201 });
    });
    const server = api('http://server', async () => bytes(9));
    await server.begin([bytes(1), bytes(2)]);
    expect(posted).toEqual([bytes(9), bytes(1), bytes(2)]);
    await server.session();
    expect(asked).toEqual(['challenges', 'conversations']);
  });

  test('a ticket is asked for the conversation that speaks, or for the device', async () => {
    const asked = serve({
      ...sessions,
      [`POST tickets?conv=${toText(conv)}`]: [json({ ticket: 'one' })],
      'POST tickets': [json({ ticket: 'two' })],
    });
    const prove = async () => bytes(9);
    expect(await api('http://server', prove, undefined, () => conv).ticket()).toBe('one');
    expect(await api('http://server', prove).ticket()).toBe('two');
    expect(asked).toHaveLength(6);
  });
});

describe('answers', () => {
  const signedIn = {
    'POST challenges': [challenge],
    'POST sessions': [json({ expires: 1 })],
  };
  const server = () => api('http://server', async () => bytes(9));
  const site = { org: toText(bytes(32)), dept: toText(bytes(16)), mode: 2, minPolicy: 3 };

  test('site', async () => {
    serve({ 'GET site': [json(site)] });
    expect(await server().site()).toMatchObject({ org: bytes(32), dept: bytes(16), mode: 2, minPolicy: 3 });
  });

  const told = {
    name: 'Banco Ribera',
    languages: ['es', 'en'],
    departments: [{ id: 'AAAA', name: 'Cards', mode: 'sealed' }],
    fields: [
      { name: 'mail', kind: 'mail', label: { es: 'Correo', en: 'Mail' }, required: true, choices: [] },
    ],
    contact: { text: '900 123 456', href: 'tel:+34900123456' },
    open: false,
  };
  test('site: what it says to a visitor, asked for by its short name', async () => {
    serve({ 'GET site?site=bank': [json({ ...site, ...told })] });
    expect((await server().site('bank')).shown).toEqual(told);
  });

  const silent = { name: '', languages: [], departments: [], fields: [], contact: {}, open: true };
  test.each([
    ['nothing', {}],
    ['other types', { name: 1, languages: 'es', departments: {}, fields: [null], contact: [], open: 1 }],
    ['a kind that is none', { fields: [{ name: 'x', kind: 'html', label: {} }] }],
    ['a choice among none', { fields: [{ name: 'x', kind: 'choice', label: {}, choices: [] }] }],
    ['a department of no mode', { departments: [{ id: 'AAAA', name: 'Cards', mode: 'open' }] }],
    ['a contact that would run', { contact: { href: 'javascript:alert(1)' } }],
  ])('site: %s is passed over', async (_, more) => {
    serve({ 'GET site': [json({ ...site, ...more })] });
    expect((await server().site()).shown).toEqual(silent);
  });

  test.each([
    ['no JSON', () => new Response('<html>')],
    ['null', json(null)],
    ['a mode that is none', json({ ...site, mode: 3 })],
    ['a short organisation', json({ ...site, org: toText(bytes(31)) })],
    ['a version below zero', json({ ...site, minPolicy: -1 })],
    ['a version that is a text', json({ ...site, minPolicy: '3' })],
  ])('site with %s is refused', async (_, answer) => {
    serve({ 'GET site': [answer] });
    await expect(server().site()).rejects.toEqual(badAnswer);
  });

  test('queue', async () => {
    const one = { conv: toText(conv), seq: 4, at: 5, state: 'waiting' };
    const more = { ...one, state: 'team', since: 3, dept: toText(bytes(16)), agents: ['Luis'] };
    serve({
      ...signedIn,
      'GET queue': [json({ conversations: [one, more], departments: [toText(bytes(16))] })],
    });
    expect(await server().queue()).toEqual({
      conversations: [{ ...one, agents: [] }, more],
      departments: [toText(bytes(16))],
    });
  });

  test('a queue with a state that is none is refused', async () => {
    const one = { conv: toText(conv), seq: 4, at: 5, state: 'lost' };
    serve({ ...signedIn, 'GET queue': [json({ conversations: [one], departments: [] })] });
    await expect(server().queue()).rejects.toEqual(badAnswer);
  });

  test('entries are asked for after the last one that was taken', async () => {
    const asked = serve({ ...signedIn, [entries]: [list()], [`${entries}?after=0`]: [list()] });
    const here = server();
    await here.entries(conv, 0);
    await here.entries(conv, 1);
    expect(asked.slice(2).map(({ what }) => what)).toEqual([entries, `${entries}?after=0`]);
  });

  test('a certificate without its wrap is refused', async () => {
    serve({
      ...signedIn,
      'GET department-keys': [list(bytes(1), bytes(2)), list(bytes(1), bytes(2), bytes(3))],
    });
    const here = server();
    expect(await here.departmentKeys()).toEqual([[bytes(1), bytes(2)]]);
    await expect(here.departmentKeys()).rejects.toEqual(badAnswer);
  });

  test('a body over 16 MiB is not read to its end', async () => {
    let pulled = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1_048_576));
      },
      cancel() {
        cancelled = true;
      },
    });
    serve({ 'GET trust': [() => new Response(endless)] });
    await expect(server().trust()).rejects.toEqual(badAnswer);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(20);
  });

  test.each([
    ['a code', problem(409, 'epoch_stale'), 409, 'epoch_stale', 'epoch_stale'],
    ['a code and its rule', problem(422, 'epoch_stale', 'V2'), 422, 'epoch_stale', 'V2'],
    ['a rule that is none', problem(422, 'epoch_stale', '<b>'), 422, 'epoch_stale', 'epoch_stale'],
    ['no code', problem(403, undefined), 403, 'http_403', 'http_403'],
    ['a code that is a sentence', problem(403, 'Call <b>this</b> number'), 403, 'http_403', 'http_403'],
    ['a page of a gateway', () => new Response('<html>', { status: 502 }), 502, 'http_502', 'http_502'],
    ['no network', () => Promise.reject(new TypeError('down')), 0, 'offline', 'offline'],
    ['too late', () => Promise.reject(new DOMException('late', 'TimeoutError')), 0, 'offline', 'offline'],
  ])('%s', async (_, answer, status, code, rule) => {
    serve({ 'GET trust': [answer] });
    await expect(server().trust()).rejects.toMatchObject({ status, code, rule });
  });
});

describe('problems', () => {
  test.each([
    [new Failure(0, 'offline'), { code: 'offline' }],
    [new Failure(503, 'http_503'), { code: 'offline' }],
    [new Failure(429, 'http_429'), { code: 'offline' }],
    [new Failure(429, 'rate_limited'), { code: 'offline', rule: 'rate_limited' }],
    [new Failure(503, 'unavailable'), { code: 'offline', rule: 'unavailable' }],
    [new Failure(401, 'no_session', 'S1'), { code: 'refused', rule: 'S1' }],
    [new Failure(403, 'not_allowed'), { code: 'refused', rule: 'not_allowed' }],
    [new Failure(422, 'conflict', 'S3'), { code: 'refused', rule: 'S3' }],
    [new Failure(422, 'closed', 'S8'), { code: 'closed' }],
    [
      Object.assign(new Error('E9'), { name: 'Refusal', rule: 'E9', code: 'dup_member' }),
      { code: 'refused', rule: 'E9' },
    ],
    [new DOMException('no', 'NotSupportedError'), { code: 'unsupported' }],
    [new Error('NotSupportedError: no Ed25519'), { code: 'unsupported' }],
    [new DOMException('full', 'QuotaExceededError'), { code: 'storage' }],
    ['what', { code: 'storage' }],
  ])('%s', (error, wanted) => {
    expect(problemOf(error)).toEqual(wanted);
  });

  test('only what the server or the network may mend is passing', () => {
    expect([0, 429, 500, 503].map((status) => passing(new Failure(status, 'x')))).not.toContain(false);
    expect(
      [200, 400, 401, 403, 404, 409, 413].map((status) => passing(new Failure(status, 'x'))),
    ).not.toContain(true);
    expect(passing(new Error('x'))).toBe(false);
  });
});
