// The socket against a scripted WebSocket: Node 20 has none of its own, and
// frames, codes and silence can be given exactly this way. The same protocol
// against the real server is the browser tests' part.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure } from './problem.ts';
import { type Follower, type Socket, socket } from './socket.ts';

class Wire {
  static all: Wire[] = [];
  static get last(): Wire {
    const wire = Wire.all.at(-1);
    if (!wire) throw new Error('nobody connected');
    return wire;
  }
  readonly sent: { id?: number; [command: string]: unknown }[] = [];
  readonly url: string;
  closed = false;
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: ((event: { code: number }) => void) | undefined;
  constructor(url: string) {
    this.url = url;
    Wire.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  say(...messages: unknown[]) {
    this.onmessage?.({ data: messages.map((message) => JSON.stringify(message)).join('\n') });
  }
  /** Opens and accepts the ticket. */
  accept(connect: object = { ping: 25, pong: true }) {
    this.onopen?.();
    this.say({ id: this.sent.at(-1)?.id, connect });
  }
  /** Answers the last command. */
  answer(reply: object) {
    this.say({ id: this.sent.at(-1)?.id, ...reply });
  }
}

const scope = new EventTarget();
let open: Socket[] = [];
let refusals: unknown[] = [];
const tickets = vi.fn(async () => 'secret');

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  vi.stubGlobal('WebSocket', Wire);
  vi.stubGlobal('addEventListener', scope.addEventListener.bind(scope));
  vi.stubGlobal('removeEventListener', scope.removeEventListener.bind(scope));
  Wire.all = [];
  refusals = [];
  tickets.mockReset().mockImplementation(async () => 'secret');
});
afterEach(() => {
  for (const one of open) one.stop();
  open = [];
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const tick = () => vi.advanceTimersByTimeAsync(0);
async function dial(): Promise<Socket> {
  const line = socket('https://server', tickets, (error) => refusals.push(error));
  open.push(line);
  await tick();
  return line;
}
const follower = (after?: () => number) => {
  const heard: unknown[] = [];
  const one: Follower = {
    publication: (data, offset) => heard.push([offset, data]),
    gap: () => heard.push('gap'),
    refused: (code) => heard.push(code),
  };
  return { heard, follower: after ? { ...one, after } : one };
};

describe('connection', () => {
  test('the ticket is in the first command and not in the address', async () => {
    const line = await dial();
    expect(Wire.last.url).toBe('wss://server/v1/socket');
    expect(line.link.get()).toBe('connecting');
    Wire.last.accept();
    expect(Wire.last.sent).toEqual([{ id: 1, connect: { token: 'secret' } }]);
    expect(line.link.get()).toBe('online');
  });

  test("the server's pings are answered when it wants that", async () => {
    await dial();
    Wire.last.accept();
    Wire.last.say({}, {});
    expect(Wire.last.sent.slice(1)).toEqual([{}, {}]);
    Wire.last.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(200);
    Wire.last.accept({ ping: 25 });
    Wire.last.say({});
    expect(Wire.last.sent).toHaveLength(1);
  });

  test('silence beyond the promised ping ends it', async () => {
    await dial();
    const wire = Wire.last;
    wire.accept({ ping: 5, pong: true });
    await vi.advanceTimersByTimeAsync(14_000);
    wire.say({});
    await vi.advanceTimersByTimeAsync(14_999);
    expect(wire.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(wire.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(Wire.all).toHaveLength(2);
  });

  test('an address that never answers is given up', async () => {
    await dial();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(Wire.last.closed).toBe(true);
  });

  test('a frame that is no JSON ends it', async () => {
    await dial();
    Wire.last.accept();
    Wire.last.onmessage?.({ data: '{' });
    expect(Wire.last.closed).toBe(true);
  });

  test('tries come after 200 ms, twice as long each time, at most 20 s, and start anew after a success', async () => {
    const line = await dial();
    const waits = async () => {
      const before = Wire.all.length;
      Wire.last.onclose?.({ code: 1006 });
      let waited = 0;
      for (; Wire.all.length === before; waited += 100) await vi.advanceTimersByTimeAsync(100);
      return waited;
    };
    const found: number[] = [];
    for (let at = 0; at < 9; at++) found.push(await waits());
    expect(found).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]);
    expect(line.link.get()).toBe('offline');
    Wire.last.accept();
    expect(await waits()).toBe(200);
    expect(line.link.get()).toBe('connecting');
  });

  test('a delay is at least half of its longest', async () => {
    vi.mocked(Math.random).mockReturnValue(0);
    await dial();
    Wire.last.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(99);
    expect(Wire.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(Wire.all).toHaveLength(2);
  });

  test('[S1] every connection has a ticket of its own', async () => {
    await dial();
    Wire.last.accept();
    Wire.last.onclose?.({ code: 3500 });
    await vi.advanceTimersByTimeAsync(200);
    Wire.last.accept();
    expect(tickets).toHaveBeenCalledTimes(2);
  });

  test('[S1] a refused connect asks for another ticket', async () => {
    await dial();
    Wire.last.onopen?.();
    Wire.last.answer({ error: { code: 109, message: 'token expired' } });
    await vi.advanceTimersByTimeAsync(200);
    expect(tickets).toHaveBeenCalledTimes(2);
    expect(Wire.all).toHaveLength(2);
  });

  test('a session that is refused for good ends the socket and is told', async () => {
    tickets.mockRejectedValue(new Failure(403, 'revoked'));
    const line = await dial();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tickets).toHaveBeenCalledTimes(1);
    expect(refusals).toEqual([expect.objectContaining({ code: 'revoked' })]);
    expect(line.link.get()).toBe('offline');
  });

  test('a session that cannot be reached is asked for again', async () => {
    tickets.mockRejectedValueOnce(new Failure(0, 'offline'));
    const line = await dial();
    expect(line.link.get()).toBe('offline');
    await vi.advanceTimersByTimeAsync(200);
    Wire.last.accept();
    expect(line.link.get()).toBe('online');
    expect(refusals).toEqual([]);
  });

  test('off the network it closes, and back on it connects at once', async () => {
    const line = await dial();
    Wire.last.accept();
    scope.dispatchEvent(new Event('offline'));
    expect(line.link.get()).toBe('offline');
    expect(Wire.last.closed).toBe(true);
    scope.dispatchEvent(new Event('online'));
    await tick();
    expect(Wire.all).toHaveLength(2);
    Wire.last.accept();
    expect(line.link.get()).toBe('online');
  });

  test('a stopped socket stays stopped', async () => {
    const line = await dial();
    Wire.last.accept();
    const wire = Wire.last;
    line.stop();
    expect(wire.closed).toBe(true);
    wire.onclose?.({ code: 1006 });
    scope.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Wire.all).toHaveLength(1);
    expect(line.link.get()).toBe('offline');
  });
});

describe('channels', () => {
  test('[L1] the first subscription names what was loaded, a later one what was taken and the epoch', async () => {
    const line = await dial();
    let taken = 4;
    const { heard, follower: one } = follower(() => taken);
    line.follow('c:x', one);
    Wire.last.accept();
    expect(Wire.last.sent[1]).toEqual({
      id: 2,
      subscribe: { channel: 'c:x', recover: true, offset: 4, epoch: '' },
    });
    Wire.last.answer({
      subscribe: { epoch: 'e', offset: 6, recovered: true, publications: [{ offset: 5, data: 'five' }] },
    });
    Wire.last.say({ push: { channel: 'c:x', pub: { offset: 6, data: 'six' } } });
    expect(heard).toEqual([
      [5, 'five'],
      [6, 'six'],
    ]);
    taken = 6;
    Wire.last.onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(200);
    Wire.last.accept();
    expect(Wire.last.sent[1]).toMatchObject({
      subscribe: { channel: 'c:x', recover: true, offset: 6, epoch: 'e' },
    });
  });

  test('[L1] what is not recovered is a gap', async () => {
    const line = await dial();
    Wire.last.accept();
    const { heard, follower: one } = follower(() => 1);
    line.follow('c:x', one);
    Wire.last.answer({ subscribe: { epoch: 'e', offset: 900, publications: [{ offset: 900 }] } });
    expect(heard).toEqual(['gap']);
  });

  test('a channel without memory asks for no recovery and is looked at after each subscription', async () => {
    const line = await dial();
    Wire.last.accept();
    const { heard, follower: one } = follower();
    line.follow('q:x', one);
    expect(Wire.last.sent[1]).toEqual({ id: 2, subscribe: { channel: 'q:x' } });
    Wire.last.answer({ subscribe: {} });
    Wire.last.say({ push: { channel: 'q:x', pub: { data: 1 } } });
    expect(heard).toEqual(['gap', [0, 1]]);
  });

  test('a refused channel is told and not asked for again', async () => {
    const line = await dial();
    Wire.last.accept();
    const { heard, follower: one } = follower();
    line.follow('q:x', one);
    Wire.last.answer({ error: { code: 103, message: 'permission denied' } });
    expect(heard).toEqual(['socket_103']);
    expect(Wire.last.closed).toBe(false);
  });

  test('a passing refusal connects again', async () => {
    const line = await dial();
    Wire.last.accept();
    line.follow('q:x', follower().follower);
    Wire.last.answer({ error: { code: 100, message: 'internal', temporary: true } });
    expect(Wire.last.closed).toBe(true);
  });

  test('the server ends a subscription: from code 2500 on it is made again', async () => {
    const line = await dial();
    Wire.last.accept();
    const { heard, follower: one } = follower(() => 3);
    line.follow('c:x', one);
    Wire.last.answer({ subscribe: { epoch: 'e', recovered: true } });
    Wire.last.say({ push: { channel: 'c:x', unsubscribe: { code: 2500 } } });
    expect(Wire.last.sent).toHaveLength(3);
    Wire.last.say({ push: { channel: 'c:x', unsubscribe: { code: 2000 } } });
    expect(Wire.last.sent).toHaveLength(3);
    expect(heard).toEqual(['socket_2000']);
  });

  test('a channel that is followed no more is silent', async () => {
    const line = await dial();
    Wire.last.accept();
    const { heard, follower: one } = follower();
    const end = line.follow('q:x', one);
    const subscription = Wire.last.sent.at(-1)?.id;
    end();
    end();
    expect(Wire.last.sent.slice(2)).toEqual([{ id: 3, unsubscribe: { channel: 'q:x' } }]);
    Wire.last.say({ id: subscription, subscribe: {} });
    Wire.last.say({ push: { channel: 'q:x', pub: { data: 1 } } });
    expect(heard).toEqual([]);
  });
});
