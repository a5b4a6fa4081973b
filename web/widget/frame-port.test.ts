import { hello, port, type ToFrame } from '@aldaba/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { host } from './frame-port.ts';

const channels: MessageChannel[] = [];
afterEach(() => {
  for (const { port1, port2 } of channels.splice(0)) {
    port1.close();
    port2.close();
  }
});

/** A frame with a page around it; the page's end of the port says and hears. */
function framed(o: { stored?: string; blocked?: boolean } = {}) {
  const said: unknown[] = [];
  const parent = { postMessage: (data: unknown, target: string) => said.push([data, target]) };
  const store = new Map(o.stored === undefined ? [] : [['unread', o.stored]]);
  let listener: ((event: MessageEvent) => void) | undefined;
  let wanted = 0;
  const self = {
    parent,
    addEventListener(_: 'message', call: (event: MessageEvent) => void) {
      listener = call;
    },
    get sessionStorage() {
      if (o.blocked) throw new Error('SecurityError');
      return {
        getItem: (key: string) => store.get(key) ?? null,
        setItem: (key: string, text: string) => void store.set(key, text),
      };
    },
  };
  const around = host(self, () => wanted++);
  /** Offers a port, and gives the other end with what it hears. */
  function offer(source: unknown = parent, data: unknown = [port, 1]) {
    const channel = new MessageChannel();
    channels.push(channel);
    const heard: unknown[] = [];
    channel.port1.onmessage = (event) => heard.push(event.data);
    listener?.({ source, data, ports: [channel.port2] } as unknown as MessageEvent);
    return { heard, say: (message: unknown) => channel.port1.postMessage(message) };
  }
  return { around, offer, said, store, wanted: () => wanted };
}

const state: Extract<ToFrame, { t: 'state' }> = {
  t: 'state',
  open: false,
  resumed: false,
  locale: 'es',
  path: '/es/cards',
};

/** Until everything that was posted has arrived. */
const arrived = () => new Promise((next) => setTimeout(next, 10));

describe('the frame [B01, X52]', () => {
  test('says hello to its parent and nothing else', () => {
    expect(framed().said).toEqual([[hello, '*']]);
  });

  test('takes one port, of its parent and of the right form', async () => {
    const frame = framed();
    const stranger = frame.offer({});
    const wrong = frame.offer(undefined, hello);
    const right = frame.offer();
    const second = frame.offer();
    frame.around.close();
    await arrived();
    expect([stranger.heard, wrong.heard, right.heard, second.heard]).toEqual([[], [], [{ t: 'close' }], []]);
  });

  test('loads the chat when it is opened, once', async () => {
    const frame = framed();
    const page = frame.offer();
    page.say(state);
    await arrived();
    expect([frame.wanted(), frame.around.shown, frame.around.path]).toEqual([0, false, '/es/cards']);
    const heard: unknown[] = [];
    const stop = frame.around.listen((message) => heard.push(message));
    page.say({ t: 'shown', focus: true });
    page.say({ t: 'hidden' });
    page.say({ t: 'shown', focus: false });
    page.say({ t: 'locale', locale: 'en' });
    await arrived();
    stop();
    page.say({ t: 'hidden' });
    await arrived();
    expect(heard.map((message) => (message as ToFrame).t)).toEqual(['shown', 'hidden', 'shown', 'locale']);
    expect(frame.wanted()).toBe(1);
  });

  test.each([
    ['a chat that was left open', { ...state, open: true }, {}, 1, []],
    [
      'a conversation of an earlier page',
      { ...state, resumed: true },
      { stored: '2' },
      1,
      [{ t: 'unread', count: 2 }],
    ],
    ['a launcher that was once opened', { ...state, resumed: true }, {}, 0, []],
    ['another visit in this tab, without a flag', state, { stored: '2' }, 0, []],
    ['a tab that keeps nothing', { ...state, resumed: true }, { blocked: true }, 1, []],
    ['a count that is none', { ...state, resumed: true }, { stored: 'x' }, 1, [{ t: 'unread', count: 0 }]],
  ])('finds %s', async (_, first, o, wanted, heard) => {
    const frame = framed(o);
    const page = frame.offer();
    page.say(first);
    await arrived();
    expect([frame.wanted(), page.heard]).toEqual([wanted, heard]);
  });

  test.each([
    ['storage', {}],
    ['none', { blocked: true }],
  ])('tells what is unread, with %s', async (_, o) => {
    const frame = framed(o);
    const page = frame.offer();
    frame.around.unread(3);
    await arrived();
    expect(page.heard).toEqual([{ t: 'unread', count: 3 }]);
    expect(frame.store.get('unread')).toBe('blocked' in o ? undefined : '3');
  });

  test('asks the site who the visitor is, when the site can say it', async () => {
    const frame = framed();
    const page = frame.offer();
    const cnf = 'A'.repeat(43);
    expect(await frame.around.identity(cnf)).toBeUndefined();
    page.say({ t: 'identifies' });
    await arrived();
    const token = frame.around.identity(cnf);
    await arrived();
    expect(page.heard).toEqual([{ t: 'identify', cnf }]);
    page.say({ t: 'identity', token: 'not a token' });
    page.say({ t: 'identity', token: 'a.b.c' });
    expect(await token).toBe('a.b.c');
  });
});

test('a page of its own is shown from the start, and keeps nothing', () => {
  let wanted = 0;
  const store = new Map<string, string>();
  const self = {
    parent: undefined as never,
    addEventListener: () => expect.unreachable(),
    sessionStorage: {
      getItem: () => null,
      setItem: (key: string, text: string) => void store.set(key, text),
    },
  };
  self.parent = self as never;
  const alone = host(self, () => wanted++);
  alone.unread(1);
  alone.close();
  expect([alone.embedded, alone.shown, wanted, store.size]).toEqual([false, true, 1, 0]);
});
