// Conversations against a real HTTP server on loopback. The vault is a fake
// that seals nothing: its objects are a header and readable JSON, so that a
// case can look inside. The socket is a fake that talks to the same server,
// because Node 20 has no WebSocket.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConversationState, Field, Kept, Line, Member, Vault } from '@aldaba/crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Bytes, frame, toBytes, toText, unframe } from './api.ts';
import type { News } from './chat.ts';
import { desk, progress, visitor } from './client.ts';

// Nothing here takes a second on an idle machine; a busy one is given time.
const soon = { timeout: 15_000, interval: 5 };
vi.setConfig({ testTimeout: 30_000 });
const until = (what: () => void) => vi.waitFor(what, soon);

// Objects: four bytes of header as in SPEC section 3, then JSON.
const pack = (kind: number, content: object): Bytes =>
  Uint8Array.from([1, kind, 0x64, 0x7a, ...new TextEncoder().encode(JSON.stringify(content))]);
const content = (object: Bytes) => JSON.parse(new TextDecoder().decode(object.slice(4)));
const sha = (object: Bytes): Bytes => new Uint8Array(createHash('sha256').update(object).digest());
const refusal = (rule: string, code: string) =>
  Object.assign(new Error(code), { name: 'Refusal', rule, code });

interface Log {
  readonly entries: Bytes[];
  epoch: number;
  closed: boolean;
  members: string[];
}

let drawn = 0;
const fresh = () => drawn++;

const empty = (): Log => ({ entries: [], epoch: -1, closed: false, members: [] });

/** One more entry; the rules are those that the client has to live with. */
function step(log: Log, entry: Bytes): void {
  const { n, members, close } = content(entry);
  log.entries.push(entry);
  if (entry[1] === 2) Object.assign(log, { epoch: n, members, closed: false });
  if (close) log.closed = true;
}

/** What one person's browser keeps over a reload. */
interface Keeping {
  conversations: Bytes[];
  device: Kept['device'];
  enrolment?: Bytes;
}
const nothing = (): Keeping => ({ conversations: [], device: 'none' });

class FakeVault implements Vault {
  readonly name: string;
  readonly kept: Keeping;
  private readonly logs = new Map<string, Log>();
  private readonly shown = new Set<string>();
  readonly calls: string[] = [];
  /** What the next calls of a name reject with. */
  readonly refuse: Record<string, unknown[]> = {};
  readonly extras: number[] = [];
  /** The highest sequence that was seen before a reload. */
  highest = -1;
  /** Members whose certificates no longer hold. */
  revoked: string[] = [];
  /** The rule that keeps this device out of its epochs, until it has a department's newer keys. */
  locked: string | undefined;
  /** What this device's newest certificate is called. */
  private device: string;

  constructor(name: string, kept: Keeping = nothing()) {
    this.name = this.device = name;
    this.kept = kept;
  }
  private call(name: string) {
    this.calls.push(name);
    const error = this.refuse[name]?.shift();
    if (error) throw error;
  }
  private log(conv: Bytes): Log {
    const name = toText(conv);
    const log = this.logs.get(name) ?? empty();
    this.logs.set(name, log);
    return log;
  }
  private next(conv: Bytes, members: string[], reason: number): readonly Bytes[] {
    return [
      pack(2, { n: this.log(conv).epoch + 1, members, reason, by: this.name, draw: fresh() }),
      pack(14, { wrap: 1 }),
    ];
  }
  async open() {
    this.call('open');
    const { conversations, device, enrolment } = this.kept;
    return { visitor: [...conversations], device, ...(enrolment && { enrolment }) };
  }
  async trust() {
    this.call('trust');
  }
  async proof(challenge: Bytes, conv?: Bytes) {
    this.call('proof');
    return pack(13, { challenge: toText(challenge), owner: conv ? toText(conv) : this.device });
  }
  async begin() {
    this.call('begin');
    const genesis = pack(1, { draw: fresh() });
    const conv = sha(genesis);
    this.kept.conversations.push(conv);
    return {
      conv,
      objects: [genesis, pack(5, {}), ...this.next(conv, [this.name], 0)],
    };
  }
  async take(
    conv: Bytes,
    from: number,
    entries: readonly Bytes[],
    extras: readonly Bytes[],
    complete?: boolean,
  ) {
    this.call('take');
    const log = this.log(conv);
    const lines: Line[] = [];
    for (const [at, entry] of entries.entries()) {
      const seq = from + at;
      if (seq > log.entries.length) throw refusal('L1', 'gap');
      if (seq < log.entries.length) {
        if (toText(log.entries[seq] ?? entry) !== toText(entry)) throw refusal('L3', 'fork');
        continue;
      }
      const { by, cid, text, fields, marks, toLeaf, n, members, reason, close, bad } = content(entry);
      if (bad) throw refusal(bad, 'bad');
      if (entry[1] === 2 && !extras.some((extra) => extra[1] === 14)) throw refusal('W2', 'wrap_missing');
      this.extras.push(extras.length);
      step(log, entry);
      const place = { seq, time: seq };
      if (entry[1] === 2)
        lines.push({
          kind: 'roster',
          ...place,
          n,
          reason,
          members: members.map(this.member, this),
          ...(this.locked && { locked: this.locked }),
        });
      else if (close) lines.push({ kind: 'closed', ...place, from: this.member(by), reason: close });
      else if (marks)
        lines.push({
          kind: 'marks',
          ...place,
          from: this.member(by),
          delivered: marks[0],
          read: marks[1],
        });
      else if (entry[1] === 4)
        lines.push({
          kind: 'grant',
          ...place,
          from: this.member(by),
          to: this.member(log.members[toLeaf] ?? ''),
          fromN: 0,
          toN: 0,
        });
      else if (fields)
        lines.push({ kind: 'form', ...place, from: this.member(by), cid: toBytes(cid), fields });
      else if (text && this.shown.has(cid))
        lines.push({ kind: 'unreadable', ...place, rule: 'V12', code: 'duplicate_cid' });
      else if (text) {
        this.shown.add(cid);
        lines.push({ kind: 'message', ...place, from: this.member(by), cid: toBytes(cid), text });
      }
    }
    if (complete && log.entries.length <= this.highest) throw refusal('L2', 'rollback');
    return lines;
  }
  private member(name: string, leaf = 0): Member {
    return { leaf, role: 1, name, title: '', custody: 1, mine: name === this.name };
  }
  async state(conv: Bytes): Promise<ConversationState> {
    const { entries, epoch, closed, members } = this.log(conv);
    return {
      seq: entries.length - 1,
      log: conv,
      epoch,
      members: members.map(this.member, this),
      closed,
      open: !closed && !this.locked && members.includes(this.name),
      acceptable: !closed && members.length === 1 && !members.includes(this.name),
      stale: members.some((name) => this.revoked.includes(name)),
      safety: '00000',
    };
  }
  private mustHold(conv: Bytes) {
    if (this.log(conv).members.some((name) => this.revoked.includes(name)))
      throw refusal('E14', 'bad_member');
  }
  async refresh(conv: Bytes) {
    this.call('refresh');
    const stays = this.log(conv).members.filter((name) => !this.revoked.includes(name));
    return this.next(conv, stays, 2);
  }
  async say(conv: Bytes, text: string, cid: Bytes) {
    this.call('say');
    this.mustHold(conv);
    const event = pack(3, {
      by: this.name,
      n: this.log(conv).epoch,
      cid: toText(cid),
      text,
      draw: fresh(),
    });
    return { cid, event };
  }
  async form(conv: Bytes, fields: readonly Field[], cid: Bytes) {
    this.call('form');
    const event = pack(3, {
      by: this.name,
      n: this.log(conv).epoch,
      cid: toText(cid),
      fields,
      draw: fresh(),
    });
    return { cid, event };
  }
  async mark(conv: Bytes, delivered: number, read: number) {
    this.call('mark');
    return pack(3, { by: this.name, n: this.log(conv).epoch, marks: [delivered, read], draw: fresh() });
  }
  async grant(conv: Bytes, toLeaf: number) {
    this.call('grant');
    return pack(4, { by: this.name, n: this.log(conv).epoch, toLeaf, draw: fresh() });
  }
  async close(conv: Bytes, reason: 1 | 2 | 3) {
    this.call('close');
    this.mustHold(conv);
    return pack(3, { by: this.name, n: this.log(conv).epoch, close: reason });
  }
  async accept(conv: Bytes) {
    this.call('accept');
    return this.next(conv, [...this.log(conv).members, this.name], 1);
  }
  async rekey(conv: Bytes) {
    return this.next(conv, this.log(conv).members, 3);
  }
  async remove(conv: Bytes, leaves: readonly number[]) {
    this.call('remove');
    return this.next(
      conv,
      this.log(conv).members.filter((_, leaf) => !leaves.includes(leaf)),
      2,
    );
  }
  async transfer(conv: Bytes, cert: Bytes) {
    this.call('transfer');
    return this.next(conv, [...this.log(conv).members, content(cert).name], 2);
  }
  async reopen(conv: Bytes) {
    this.call('reopen');
    return this.next(conv, this.log(conv).members, 5);
  }
  async enrol(invitation: string) {
    this.call('enrol');
    if (invitation !== 'good') throw refusal('K17', 'bad_enrolment');
    const request = pack(10, { name: this.name });
    this.kept.device = 'asked';
    this.kept.enrolment = sha(request);
    return { request, mac: new Uint8Array(32) };
  }
  async certified(cert: Bytes) {
    this.call('certified');
    if (this.kept.device !== 'ready') this.kept.device = 'certified';
    this.device = `${this.name}${content(cert).generation ?? ''}`;
    return pack(5, { name: this.device });
  }
  async department(cert: Bytes, wrap: Bytes) {
    this.call('department');
    if (cert[1] !== 8 || wrap[1] !== 14) throw refusal('K15', 'dept_key_mismatch');
    this.kept.device = 'ready';
    this.locked = undefined;
  }
  async erase(conv?: Bytes) {
    this.call('erase');
    this.kept.conversations = this.kept.conversations.filter((one) => conv && toText(one) !== toText(conv));
  }
}

/** What a case does to a request before it is handled ('before') or after it was, without an answer ('after'). */
type Trouble = {
  what: RegExp;
  /** Status, code and rule of a refusal, or the members of another answer. */
  answer?: [number, string | object, string?];
  when?: 'before' | 'after';
  meanwhile?: () => void;
};

const told = ([status, answer, rule]: NonNullable<Trouble['answer']>): [number, object] => [
  status,
  typeof answer === 'string' ? { code: answer, rule } : answer,
];

class FakeServer {
  readonly logs = new Map<string, Log>();
  readonly dept = toText(new Uint8Array(16).fill(1));
  readonly asked: string[] = [];
  readonly posted: Bytes[][] = [];
  readonly troubles: Trouble[] = [];
  /** Owners whose keys were proven, in the one browser that there is, by its cookie on each host. */
  readonly visitors = new Set<string>();
  readonly devices = new Set<string>();
  private readonly tickets = new Set<string>();
  readonly sockets = new Set<FakeSocket>();
  /** `generation` counts the certificates that came after the first. */
  readonly enrolments = new Map<string, { signed: boolean; generation?: number }>();
  readonly keyObjects: Bytes[] = [];
  /** Pairs that came after the first. */
  readonly newerKeys: Bytes[] = [];
  departmentKeys = false;
  /** Nobody gets through: requests and sockets are cut. */
  down = false;
  /** Entries are kept from the sockets. */
  mute = false;
  /** So many subscriptions to a conversation are refused. */
  refusals = 0;
  base = '';
  /** The staff's host. */
  staff = '';
  private http: Server | undefined;

  async listen() {
    const http = createServer((request, response) => void this.handle(request, response));
    this.http = http;
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    this.base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    this.staff = this.base.replace('127.0.0.1', 'localhost');
  }
  close() {
    this.http?.closeAllConnections();
    this.http?.close();
  }
  count(what: RegExp) {
    return this.asked.filter((one) => what.test(one)).length;
  }

  private async handle(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const what = `${request.method} ${request.url?.replace('/v1/', '')}`;
    this.asked.push(what);
    const trouble = this.troubles.find((one) => one.what.test(what));
    if (trouble) this.troubles.splice(this.troubles.indexOf(trouble), 1);
    trouble?.meanwhile?.();
    if (this.down || (trouble && !trouble.answer && trouble.when !== 'after')) {
      request.socket.destroy();
      return;
    }
    const body = Uint8Array.from(Buffer.concat(chunks));
    const [status, answer] = trouble?.answer
      ? told(trouble.answer)
      : this.answer(what, body, request.headers.host?.startsWith('localhost') ? this.devices : this.visitors);
    if (trouble?.when === 'after') request.socket.destroy();
    else response.writeHead(status).end(answer instanceof Uint8Array ? answer : JSON.stringify(answer));
  }

  private session(proof: Bytes | undefined, proven: Set<string>): { expires: number } {
    proven.add(proof ? content(proof).owner : '');
    return { expires: 0 };
  }

  /** Takes a ticket back. */
  admits(ticket: string): boolean {
    return this.tickets.delete(ticket);
  }

  private answer(what: string, body: Bytes, proven: Set<string>): [number, object] {
    const [, path = '', query = ''] = /^\w+ ([^?]*)\??(.*)$/.exec(what) ?? [];
    const [area = '', name = ''] = path.split('/');
    if (what === 'GET site')
      return [200, { org: toText(new Uint8Array(32)), dept: this.dept, mode: 2, minPolicy: 1 }];
    if (what === 'GET trust') return [200, frame([pack(7, {})])];
    if (what === 'POST challenges') return [200, new Uint8Array(32)];
    if (what === 'POST sessions') {
      const [proof] = unframe(body);
      const { owner } = content(proof as Bytes);
      const known = this.logs.has(owner) || !this.isConv(owner);
      return known ? [200, this.session(proof, proven)] : [403, { code: 'not_allowed' }];
    }
    if (what === 'POST conversations') {
      const [proof, genesis, , epoch] = unframe(body);
      this.posted.push(unframe(body));
      const conv = toText(sha(genesis as Bytes));
      if (!this.logs.has(conv)) this.begin(conv, [genesis as Bytes, epoch as Bytes]);
      return [201, { ...this.session(proof, proven), seq: 1 }];
    }
    if (area === 'enrolments' && name) {
      const enrolment = this.enrolments.get(name);
      if (!enrolment) return [404, { code: 'http_404' }];
      const { signed, generation } = enrolment;
      return [200, frame(signed ? [pack(8, { generation })] : [])];
    }
    if (area === 'enrolments') {
      const id = toText(sha(unframe(body)[0] as Bytes));
      this.enrolments.set(id, this.enrolments.get(id) ?? { signed: false });
      return [202, { id }];
    }
    // A visitor has proven the conversation, a device anything else.
    const named = area === 'tickets' ? query.replace('conv=', '') : name;
    const device = proven === this.devices && proven.size > 0;
    if (!device && !proven.has(named)) return [401, { code: 'no_session' }];
    if (area === 'tickets') {
      const ticket = `ticket-${fresh()}`;
      this.tickets.add(ticket);
      return [200, { ticket }];
    }
    if (area === 'keyobjects') {
      const owners = unframe(body).map((object) => content(object).name);
      if (owners.some((owner) => !proven.has(owner))) return [422, { code: 'bad_keyobj', rule: 'K16' }];
      this.keyObjects.push(...unframe(body));
      return [204, new Uint8Array(0)];
    }
    if (area === 'department-keys')
      return [200, frame(this.departmentKeys ? [pack(8, {}), pack(14, {}), ...this.newerKeys] : [])];
    if (area === 'queue') {
      const conversations = [...this.logs].map(([conv, log]) => ({
        conv,
        seq: log.entries.length - 1,
        at: 1000,
        state: log.closed ? 'closed' : log.members.length > 1 ? 'mine' : 'waiting',
      }));
      return [200, { conversations, departments: [this.dept] }];
    }
    const log = this.logs.get(name);
    if (!log) return [404, { code: 'not_allowed' }];
    if (path.endsWith('/typing')) return [204, new Uint8Array(0)];
    if (what.startsWith('GET')) {
      const after = query ? Number(query.replace('after=', '')) + 1 : 0;
      return [200, frame([...log.entries.slice(after, after + 200), pack(14, { wrap: 1 }), pack(8, {})])];
    }
    const objects = unframe(body);
    const entry = objects[0] as Bytes;
    this.posted.push(objects);
    const again = log.entries.findIndex((one) => toText(one) === toText(entry));
    if (again >= 0) return [200, { seq: again, at: 0 }];
    const { n, reason } = content(entry);
    if (entry[1] === 2 && n !== log.epoch + 1) return [409, { code: 'conflict' }];
    if (entry[1] === 3 && n !== log.epoch) return [409, { code: 'epoch_stale' }];
    if (log.closed && reason !== 5) return [403, { code: 'closed' }];
    return [201, { seq: this.append(name, entry), at: 0 }];
  }
  private begin(conv: string, entries: Bytes[]) {
    const log = empty();
    for (const entry of entries) step(log, entry);
    this.logs.set(conv, log);
  }
  private isConv(owner: string) {
    return owner.length === 43;
  }

  /** Puts an entry into a log, by whoever it is, and tells the sockets. */
  append(conv: string, entry: Bytes): number {
    const log = this.logs.get(conv);
    if (!log) throw new Error('no such log');
    step(log, entry);
    const seq = log.entries.length - 1;
    if (!this.mute) {
      this.push(`c:${conv}`, { offset: seq, data: { o: toText(entry) } });
      this.push(`q:${this.dept}`, { data: { conv, seq } });
    }
    return seq;
  }
  push(channel: string, pub: object) {
    for (const one of this.sockets) if (one.channels.has(channel)) one.tell({ push: { channel, pub } });
  }
  /** Cuts every socket, as a server that restarts does. */
  cut(code = 1006) {
    for (const one of this.sockets) one.end(code);
  }
}

class FakeSocket {
  static server: FakeServer;
  readonly channels = new Set<string>();
  readonly asked: { channel: string; offset?: number; epoch?: string }[] = [];
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: string }) => void) | undefined;
  onclose: ((event: { code: number }) => void) | undefined;
  /** Channels whose subscription has been answered. */
  readonly ready = new Set<string>();
  private over = false;

  constructor(url: string) {
    const { server } = FakeSocket;
    // A chat of a case that is over finds nobody.
    if (![server.base, server.staff].some((base) => url.startsWith(base.replace('http', 'ws')))) return;
    setTimeout(() => {
      if (server.down) this.end(1006);
      else {
        server.sockets.add(this);
        this.onopen?.();
      }
    });
  }
  tell(message: object, then?: () => void) {
    setTimeout(() => {
      if (!this.over) this.onmessage?.({ data: JSON.stringify(message) });
      then?.();
    });
  }
  end(code: number) {
    FakeSocket.server.sockets.delete(this);
    if (this.over) return;
    this.over = true;
    setTimeout(() => this.onclose?.({ code }));
  }
  close() {
    this.end(1000);
  }
  send(text: string) {
    const { id, connect, subscribe, unsubscribe } = JSON.parse(text);
    const { server } = FakeSocket;
    if (connect) {
      if (!server.admits(connect.token)) return this.end(3500);
      this.tell({ id, connect: { ping: 25, pong: true } });
    }
    if (unsubscribe) this.channels.delete(unsubscribe.channel);
    if (!subscribe) return;
    this.asked.push(subscribe);
    if (server.refusals > 0 && subscribe.channel.startsWith('c:')) {
      server.refusals--;
      return this.tell({ id, error: { code: 103 } });
    }
    this.channels.add(subscribe.channel);
    const log = server.logs.get(subscribe.channel.slice(2));
    const publications = (log?.entries ?? [])
      .map((entry, offset) => ({ offset, data: { o: toText(entry) } }))
      .slice((subscribe.offset ?? 0) + 1);
    this.tell({ id, subscribe: { epoch: 'log', recovered: Boolean(log), publications } }, () =>
      this.ready.add(subscribe.channel),
    );
  }
}

let server: FakeServer;
let scope: EventTarget;

beforeEach(async () => {
  server = new FakeServer();
  await server.listen();
  FakeSocket.server = server;
  scope = new EventTarget();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('addEventListener', scope.addEventListener.bind(scope));
  vi.stubGlobal('removeEventListener', scope.removeEventListener.bind(scope));
});
afterEach(() => {
  server.down = true;
  server.cut();
  server.close();
});

const texts = (lines: readonly Line[] = []) => lines.flatMap((line) => ('text' in line ? [line.text] : []));
const kinds = (lines: readonly Line[] = []) => lines.map((line) => line.kind);

/** A visitor whose first message is in the log. */
async function talking(vault = new FakeVault('visitor')) {
  const chat = visitor(vault, server.base);
  chat.say('hello');
  await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']));
  await until(() => expect(chat.view.get().link).toBe('online'));
  await until(() => expect([...server.sockets].some((one) => one.ready.size > 0)).toBe(true));
  const conv = [...server.logs.keys()].at(-1) ?? '';
  const log = () => server.logs.get(conv)?.entries ?? [];
  const talk = () => {
    const view = chat.view.get().conversation;
    if (!view) throw new Error('no conversation');
    return view;
  };
  return { chat, vault, conv, log, talk };
}
const said = (text: string, n = 0, by = 'agent') =>
  pack(3, { by, n, cid: toText(Uint8Array.from(sha(pack(0, { draw: fresh() })).slice(16))), text });
const epoch = (n: number, members: string[], reason = 2) => pack(2, { n, members, reason, draw: fresh() });
const events = () => server.posted.map(([entry]) => entry as Bytes).filter((entry) => entry[1] === 3);

/** Marks that the server was given, and the log's. */
const marksOf = (entries: readonly Bytes[]) =>
  entries.map((entry) => (entry[1] === 3 ? content(entry).marks : undefined)).filter(Boolean);
const marking = (by: string, n: number, ...marks: number[]) => pack(3, { by, n, marks, draw: fresh() });

describe('marks', () => {
  test('what arrives is marked as delivered, and as read when a person sees it; each once', async () => {
    const { chat, conv, log, talk } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    for (const text of ['one', 'two', 'three']) server.append(conv, said(text, 1));
    await until(() => expect(marksOf(log())).toEqual([[6, 0]]));
    chat.seen();
    chat.seen();
    await until(() =>
      expect(marksOf(log())).toEqual([
        [6, 0],
        [6, 6],
      ]),
    );
    expect(texts(talk().lines)).toEqual(['hello', 'one', 'two', 'three']);
    expect(kinds(talk().lines)).toEqual(['roster', 'message', 'roster', 'message', 'message', 'message']);
  });

  test('marks of others say how far one has come, never back, and cause no marks', async () => {
    const { chat, conv, log, talk } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent', 'boss'], 1));
    const at = (delivered: number, read: number) =>
      until(() => expect(talk()).toMatchObject({ delivered, read }));
    server.append(conv, marking('agent', 1, 2, 0));
    await at(2, 0);
    server.append(conv, marking('boss', 1, 1, 1));
    await at(2, 1);
    server.append(conv, marking('agent', 1, 2, 2));
    await at(2, 2);
    server.append(conv, marking('boss', 1, 0, 0));
    server.append(conv, marking('visitor', 1, 3, 3));
    await until(() => expect(log()).toHaveLength(9));
    await at(2, 2);
    expect(progress(talk(), 2)).toBe('read');
    expect(progress({ delivered: 5, read: 2 }, 5)).toBe('delivered');
    expect(progress(talk(), 3)).toBe('sent');
    chat.seen();
    await new Promise((done) => setTimeout(done, 500));
    expect(marksOf(server.posted.flat())).toEqual([]);
  });

  test('many messages are marked seldom: at most once in two seconds', async () => {
    const { chat, conv, log } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    const begun = Date.now();
    const end = begun + 3_000;
    for (let at = 0; Date.now() < end; at++) {
      server.append(conv, said(`${at}`, 1));
      chat.seen();
      await new Promise((done) => setTimeout(done, 50));
    }
    const most = 1 + Math.ceil((Date.now() - begun) / 2_000);
    expect(marksOf(log()).length).toBeGreaterThan(0);
    expect(marksOf(log()).length).toBeLessThanOrEqual(most);
    const last = log().length - 1;
    await until(() => expect(marksOf(log()).at(-1)?.[1]).toBeGreaterThanOrEqual(last - 2));
  });

  test('after a reload nothing is marked twice', async () => {
    const { vault, conv, log } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    server.append(conv, said('one', 1));
    await until(() => expect(marksOf(log())).toEqual([[4, 0]]));
    const chat = visitor(new FakeVault('visitor', vault.kept), server.base);
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello', 'one']));
    await new Promise((done) => setTimeout(done, 500));
    expect(marksOf(log())).toEqual([[4, 0]]);
  });

  test('none goes into a closed conversation, and none from who is no member', async () => {
    const { conv, log } = await talking();
    server.append(conv, pack(3, { by: 'agent', n: 0, close: 1 }));
    const own = desk(new FakeVault('agent', { conversations: [], device: 'ready' }), server.staff);
    await until(() => expect(own.view.get().stage).toBe('ready'));
    own.select(conv);
    await until(() => expect(texts(own.view.get().current?.lines)).toEqual(['hello']));
    own.seen();
    await new Promise((done) => setTimeout(done, 500));
    expect(marksOf(log())).toEqual([]);
  });

  test('what the server does not take now is told later, and nobody hears of it', async () => {
    const { conv, log, talk } = await talking();
    server.troubles.push({ what: /^POST .*entries/, answer: [429, 'rate_limited'] });
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    server.append(conv, said('one', 1));
    await until(() => expect(marksOf(log())).toEqual([[4, 0]]));
    expect(talk().problem).toBeUndefined();
  });
});

test('a form is the first thing that a conversation has, and is sealed once', async () => {
  const vault = new FakeVault('visitor');
  const chat = visitor(vault, server.base);
  const fields = [{ name: 'nombre', kind: 1, value: 'Eva' }];
  chat.form(fields);
  chat.say('hello');
  expect(chat.view.get().conversation?.outgoing).toMatchObject([{ fields, text: '' }, { text: 'hello' }]);
  await until(() => expect(chat.view.get().conversation?.outgoing).toEqual([]));
  expect(kinds(chat.view.get().conversation?.lines)).toEqual(['roster', 'form', 'message']);
  expect(chat.view.get().conversation?.lines[1]).toMatchObject({ fields });
  expect(vault.calls.filter((call) => call === 'form')).toHaveLength(1);
});

/** What a server that tells nothing of its site is taken for. */
const silent = { name: '', languages: [], departments: [], fields: [], contact: {}, open: true };

describe('visitor', () => {
  test('nothing is there before the first message, and nobody is asked for a session', async () => {
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    expect(chat.view.get()).toEqual({ link: 'connecting', stage: 'starting' });
    await until(() => expect(chat.view.get()).toEqual({ link: 'online', stage: 'none', site: silent }));
    expect(server.asked).toEqual(['GET site', 'GET trust']);
    expect(vault.calls).toEqual(['open', 'trust']);
  });

  test('[L5] the first message begins; those written before the conversation is open go in their order', async () => {
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    for (const text of ['one', 'two', 'three']) chat.say(text);
    expect(chat.view.get().conversation?.outgoing.map(({ text, state }) => [text, state])).toEqual([
      ['one', 'sending'],
      ['two', 'sending'],
      ['three', 'sending'],
    ]);
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['one', 'two', 'three']));
    await until(() => expect(chat.view.get().conversation?.outgoing).toEqual([]));
    expect(server.logs.size).toBe(1);
    expect(vault.calls.filter((call) => call === 'begin')).toHaveLength(1);
    expect(chat.view.get()).toMatchObject({ stage: 'talking', conversation: { open: true, loading: false } });
  });

  test('a blank message is none', async () => {
    const chat = visitor(new FakeVault('visitor'), server.base);
    await until(() => expect(chat.view.get().stage).toBe('none'));
    chat.say(' \n');
    await new Promise((done) => setTimeout(done, 50));
    expect(server.logs.size).toBe(0);
    expect(chat.view.get()).toEqual({ link: 'online', stage: 'none', site: silent });
  });

  test('a first message that is too long begins nothing and keeps its text', async () => {
    const chat = visitor(new FakeVault('visitor'), server.base);
    chat.say('x'.repeat(8193));
    await until(() => expect(chat.view.get().stage).toBe('talking'));
    expect(chat.view.get().conversation?.outgoing[0]?.problem).toEqual({ code: 'too_long' });
    chat.say('short');
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['short']));
  });

  test('a kept conversation is found again, and a second device of the log is read', async () => {
    const { vault, conv } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    server.append(conv, said('how can I help?', 1));
    const chat = visitor(new FakeVault('visitor', vault.kept), server.base);
    await until(() =>
      expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello', 'how can I help?']),
    );
    expect(kinds(chat.view.get().conversation?.lines)).toEqual(['roster', 'message', 'roster', 'message']);
    await until(() => expect(chat.view.get()).toMatchObject({ stage: 'talking', link: 'online' }));
  });

  test('more than a page of entries is fetched to the end', async () => {
    const { vault, conv } = await talking();
    server.mute = true;
    for (let at = 0; at < 450; at++) server.append(conv, said(`${at}`));
    const before = server.asked.filter((what) => what.startsWith(`GET conversations/${conv}/`));
    const again = new FakeVault('visitor', vault.kept);
    const chat = visitor(again, server.base);
    await until(() => expect(chat.view.get().conversation?.lines).toHaveLength(452));
    expect(texts(chat.view.get().conversation?.lines).at(-1)).toBe('449');
    await until(() => expect(chat.view.get().link).toBe('online'));
    expect(server.asked.filter((what) => what.startsWith(`GET conversations/${conv}/`))).toEqual([
      ...before,
      `GET conversations/${conv}/entries`,
      `GET conversations/${conv}/entries?after=199`,
      `GET conversations/${conv}/entries?after=399`,
    ]);
    // Only genesis and epoch are given what came along.
    expect(again.extras.filter((count) => count > 0)).toHaveLength(2);
  });

  test('[L6] a lost answer: the same bytes are posted again, and the message is shown once', async () => {
    const { chat, talk, log } = await talking();
    server.mute = true;
    server.troubles.push({ what: /^POST .*entries/, when: 'after' });
    chat.say('again');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'again']));
    await until(() => expect(talk().outgoing).toEqual([]));
    const [, first, second] = events();
    expect(second).toEqual(first);
    expect(log()).toHaveLength(4);
  });

  test('[V12] [L6] after another epoch it is sealed again with the same cid', async () => {
    const { chat, talk, conv } = await talking();
    server.mute = true;
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    chat.say('late');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'late']));
    const [, first, second] = events().map(content);
    expect([first.n, second.n]).toEqual([0, 1]);
    expect(second.cid).toBe(first.cid);
    expect(kinds(talk().lines)).toEqual(['roster', 'message', 'roster', 'message']);
  });

  test('[L6] an epoch between two tries seals anew as well', async () => {
    const { chat, talk, conv } = await talking();
    const meanwhile = () => void server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    server.troubles.push({ what: /^POST .*entries/, meanwhile });
    chat.say('late');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'late']));
    expect(events().map((event) => content(event).n)).toEqual([0, 1]);
  });

  test('an epoch that never comes ends in a failure, not in a loop', async () => {
    const { chat, talk } = await talking();
    for (let at = 0; at < 20; at++)
      server.troubles.push({ what: /^POST .*entries/, answer: [409, 'epoch_stale'] });
    chat.say('never');
    await until(() => expect(talk().outgoing[0]?.state).toBe('failed'));
    expect(talk().outgoing[0]?.problem).toEqual({ code: 'refused', rule: 'epoch_stale' });
    expect(server.count(/^POST .*entries/)).toBe(6);
    server.troubles.length = 0;
    chat.retry(talk().outgoing[0]?.cid ?? '');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'never']));
  });

  test('a refusal fails the message by its name; the next one goes, and a retry posts the same bytes', async () => {
    const { chat, talk } = await talking();
    server.troubles.push({ what: /^POST .*entries/, answer: [403, 'not_member'] });
    chat.say('no');
    chat.say('yes');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'yes']));
    expect(talk().outgoing).toEqual([
      expect.objectContaining({
        text: 'no',
        state: 'failed',
        problem: { code: 'refused', rule: 'not_member' },
      }),
    ]);
    const sealed = events().length;
    chat.retry(talk().outgoing[0]?.cid ?? '');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'yes', 'no']));
    expect(events()).toHaveLength(sealed + 1);
    expect(events().map((event) => content(event).text)).toEqual(['hello', 'yes', 'no']);
  });

  test('a message over 8192 bytes fails before it is sealed, and its text is kept', async () => {
    const { chat, talk, vault } = await talking();
    chat.say('é'.repeat(4096));
    chat.say(`${'é'.repeat(4096)}.`);
    await until(() => expect(talk().outgoing).toHaveLength(1));
    expect(talk().outgoing[0]).toMatchObject({ state: 'failed', problem: { code: 'too_long' } });
    chat.retry(talk().outgoing[0]?.cid ?? '');
    expect(talk().outgoing[0]?.state).toBe('failed');
    expect(vault.calls.filter((call) => call === 'say')).toHaveLength(2);
  });

  test('offline a message waits; back on the network it goes', async () => {
    const { chat, talk } = await talking();
    server.down = true;
    server.cut();
    scope.dispatchEvent(new Event('offline'));
    chat.say('in the tunnel');
    await until(() => expect(chat.view.get().link).toBe('offline'));
    await new Promise((done) => setTimeout(done, 300));
    expect(talk().outgoing).toEqual([expect.objectContaining({ text: 'in the tunnel', state: 'sending' })]);
    server.down = false;
    scope.dispatchEvent(new Event('online'));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'in the tunnel']));
    await until(() => expect(chat.view.get().link).toBe('online'));
    expect(talk().outgoing).toEqual([]);
  });

  test('a server in trouble is asked once for each delay, however much is typed meanwhile', async () => {
    const { chat, talk } = await talking();
    const before = server.count(/^POST .*entries/);
    for (let at = 0; at < 3; at++)
      server.troubles.push({ what: /^POST .*entries/, answer: [503, 'internal'] });
    const texting = Array.from({ length: 20 }, (_, at) => `${at}`);
    for (const text of texting) chat.say(text);
    await until(() => expect(server.count(/^POST .*entries/)).toBeGreaterThan(before));
    for (let at = 0; at < 5; at++) {
      await new Promise((done) => setTimeout(done, 5));
      chat.say(`later ${at}`);
      texting.push(`later ${at}`);
    }
    expect(server.count(/^POST .*entries/)).toBe(before + 1);
    await until(() => expect(texts(talk().lines)).toEqual(['hello', ...texting]));
    expect(server.count(/^POST .*entries/)).toBe(before + 3 + texting.length);
  });

  test('[L1] a reconnect asks for what follows the last entry that was taken', async () => {
    const { talk, conv } = await talking();
    server.mute = true;
    server.append(conv, said('missed'));
    server.mute = false;
    server.cut();
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'missed']));
    const [line] = server.sockets;
    expect(line?.asked).toEqual([
      { channel: `c:${conv}`, recover: true, offset: 2, epoch: 'log' },
      { channel: `t:${conv}` },
    ]);
  });

  test('[S2] a channel that is refused stops nothing: what may be read is fetched, and a member asks again', async () => {
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    server.refusals = 1;
    chat.say('hello');
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']));
    const conv = [...server.logs.keys()].at(-1) ?? '';
    expect(chat.view.get().conversation?.problem).toBeUndefined();
    await vi.waitFor(
      () => expect([...server.sockets].some(({ ready }) => ready.has(`c:${conv}`))).toBe(true),
      8_000,
    );
    server.append(conv, said('later'));
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello', 'later']));
  }, 15_000);

  test('[S1] a socket whose session has ended comes back with another', async () => {
    const { talk, conv } = await talking();
    server.visitors.clear();
    server.cut();
    server.append(conv, said('later'));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'later']));
    expect(server.count(/^POST sessions/)).toBe(1);
  });

  test('[V5] a publication that comes twice is shown once', async () => {
    const { talk, conv } = await talking();
    const one = said('once');
    const seq = server.append(conv, one);
    server.push(`c:${conv}`, { offset: seq, data: { o: toText(one) } });
    server.push(`c:${conv}`, { offset: 1, data: { o: toText(said('old')) } });
    server.append(conv, said('next'));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'once', 'next']));
  });

  test('[L1] a publication after a gap is not taken before what is missing was fetched', async () => {
    const { talk, conv } = await talking();
    const fetches = server.count(/^GET .*entries/);
    server.mute = true;
    server.append(conv, said('one'));
    server.append(conv, said('two'));
    server.mute = false;
    server.append(conv, said('three'));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'one', 'two', 'three']));
    expect(server.count(/^GET .*entries/)).toBe(fetches + 1);
    expect(server.asked.at(-1)).toBe(`GET conversations/${conv}/entries?after=2`);
  });

  test('[W2] an epoch is fetched, because its wraps do not travel by the socket', async () => {
    const { talk, conv } = await talking();
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    await until(() => expect(talk().members.map(({ name }) => name)).toEqual(['visitor', 'agent']));
    expect(talk().problem).toBeUndefined();
  });

  test('[L1] nothing is sent while entries are missing', async () => {
    const { chat, talk, conv } = await talking();
    server.troubles.push({ what: /^GET .*entries/, answer: [503, 'http_503'] });
    server.append(conv, epoch(1, ['visitor', 'agent'], 1));
    await until(() => expect(server.troubles).toEqual([]));
    chat.say('then');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'then']));
    expect(events().map((event) => content(event).n)).toEqual([0, 1]);
    expect(talk().problem).toBeUndefined();
  });

  test('[L3] a refused entry stops the conversation; what came before it is shown', async () => {
    const { chat, talk, conv } = await talking();
    server.mute = true;
    server.append(conv, said('good'));
    server.append(conv, pack(3, { bad: 'L3' }));
    server.mute = false;
    server.append(conv, said('after'));
    await until(() => expect(talk().problem).toEqual({ code: 'refused', rule: 'L3' }));
    expect(texts(talk().lines)).toEqual(['hello', 'good']);
    chat.say('held back');
    await new Promise((done) => setTimeout(done, 100));
    expect(events()).toHaveLength(1);
    expect(talk().outgoing[0]?.state).toBe('sending');
  });

  test('[L2] a log that ends below what was seen before is a problem, and nothing is sent', async () => {
    const { vault } = await talking();
    const again = new FakeVault('visitor', vault.kept);
    again.highest = 3;
    const chat = visitor(again, server.base);
    await until(() => expect(chat.view.get().conversation?.problem).toEqual({ code: 'refused', rule: 'L2' }));
    expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']);
    expect(chat.view.get().conversation?.loading).toBe(false);
  });

  test.each([
    ['below what was taken', 1],
    ['above the end', 99],
  ])(
    '[L6] an answer that names a place %s without the message: fetched, and kept as failed',
    async (_, seq) => {
      const { chat, talk } = await talking();
      const fetches = server.count(/^GET .*entries/);
      server.troubles.push({ what: /^POST .*entries/, answer: [200, { seq }] });
      chat.say('swallowed');
      await until(() => expect(talk().outgoing[0]?.state).toBe('failed'));
      expect(talk().outgoing[0]).toMatchObject({ text: 'swallowed', problem: { code: 'lost' } });
      expect(server.count(/^GET .*entries/)).toBeGreaterThan(fetches);
      expect(texts(talk().lines)).toEqual(['hello']);
      const { cid = '' } = talk().outgoing[0] ?? {};
      chat.retry(cid);
      await until(() => expect(texts(talk().lines)).toEqual(['hello', 'swallowed']));
      expect(talk().outgoing).toEqual([]);
      expect(content(events().at(-1) as Bytes).cid).toBe(cid);
    },
  );

  test('a message that was taken stands in the outbox until its line is fetched', async () => {
    const { chat, talk, conv } = await talking();
    server.mute = true;
    server.append(conv, said('before'));
    for (let at = 0; at < 3; at++)
      server.troubles.push({ what: /^GET .*entries/, answer: [503, 'internal'] });
    chat.say('mine');
    const seen: boolean[] = [];
    chat.view.subscribe(() => {
      const { lines, outgoing } = talk();
      seen.push(texts(lines).includes('mine') || outgoing[0]?.state === 'sending');
    });
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'before', 'mine']));
    await until(() => expect(talk().outgoing).toEqual([]));
    expect(seen).not.toContain(false);
    expect(events()).toHaveLength(2);
  });

  test.each([
    ['is refused', [403, 'not_member'] as [number, string]],
    ['is never in time', [409, 'epoch_stale'] as [number, string]],
  ])('the next message has all its tries after one that %s', async (_, last) => {
    const { chat, talk } = await talking();
    for (const answer of [
      ...Array(4).fill([409, 'epoch_stale']),
      last,
      ...Array(4).fill([409, 'epoch_stale']),
    ])
      server.troubles.push({ what: /^POST .*entries/, answer });
    chat.say('first');
    chat.say('second');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'second']));
    expect(talk().outgoing.map(({ text, state }) => [text, state])).toEqual([['first', 'failed']]);
  });

  /** A conversation with an agent whose certificate no longer holds. */
  async function staling() {
    const all = await talking();
    server.append(all.conv, epoch(1, ['visitor', 'agent'], 1));
    await until(() => expect(all.talk().members).toHaveLength(2));
    all.vault.revoked = ['agent'];
    const refreshes = () => all.vault.calls.filter((call) => call === 'refresh').length;
    return { ...all, refreshes };
  }

  test('[E14] before a message is sealed, whoever no longer holds leaves by a new epoch', async () => {
    const { chat, talk, log, refreshes } = await staling();
    chat.say('without you');
    chat.say('and again');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'without you', 'and again']));
    expect(talk().members.map(({ name }) => name)).toEqual(['visitor']);
    expect(
      log()
        .slice(4)
        .map((entry) => [entry[1], content(entry).n, content(entry).text]),
    ).toEqual([
      [2, 2, undefined],
      [3, 2, 'without you'],
      [3, 2, 'and again'],
    ]);
    expect(refreshes()).toBe(1);
    expect(talk().problem).toBeUndefined();
  });

  test('[E14] a close waits for the new epoch as well', async () => {
    const { chat, talk, log } = await staling();
    chat.close();
    await until(() => expect(talk().closed).toBe(true));
    expect(
      log()
        .slice(4)
        .map((entry) => content(entry).n),
    ).toEqual([2, 2]);
  });

  test('[E14] [S3] when somebody else was first, that epoch is taken and no other is posted', async () => {
    const { chat, talk, log, conv, refreshes } = await staling();
    server.mute = true;
    server.append(conv, epoch(2, ['visitor']));
    chat.say('after it');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'after it']));
    expect(refreshes()).toBe(1);
    expect(log().map((entry) => entry[1])).toEqual([1, 2, 3, 2, 2, 3]);
  });

  test('[E14] [K8] a status that is stale in between is fetched', async () => {
    const { chat, talk, vault, refreshes } = await staling();
    vault.refuse.refresh = [refusal('K8', 'stale_status')];
    chat.say('fresh');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'fresh']));
    expect(refreshes()).toBe(2);
  });

  test('[E14] [L6] a lost answer: the same epoch is posted again', async () => {
    const { chat, talk, log, refreshes } = await staling();
    server.mute = true;
    server.troubles.push({ what: /^POST .*entries/, when: 'after' });
    chat.say('once');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'once']));
    expect(refreshes()).toBe(1);
    expect(log()).toHaveLength(6);
  });

  test('[E14] [E27] a refused epoch is the problem of conversation and message, once for a state', async () => {
    const { chat, talk, vault, conv, refreshes } = await staling();
    vault.refuse.refresh = [refusal('E27', 'epoch_budget')];
    chat.say('one');
    const problem = { code: 'refused', rule: 'E27' };
    await until(() => expect(talk()).toMatchObject({ problem, outgoing: [{ state: 'failed', problem }] }));
    chat.say('two');
    await until(() => expect(talk().outgoing[1]).toMatchObject({ state: 'failed', problem }));
    expect(refreshes()).toBe(1);
    server.append(conv, said('a newer state', 1));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'a newer state']));
    chat.say('three');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'a newer state', 'three']));
    expect(refreshes()).toBe(2);
    expect(talk().problem).toBeUndefined();
  });

  test('[E14] [E27] a person who sends it again has another try', async () => {
    const { chat, talk, refreshes } = await staling();
    server.troubles.push({ what: /^POST .*entries/, answer: [422, 'epoch_budget', 'E27'] });
    chat.say('later');
    await until(() => expect(talk().outgoing[0]?.state).toBe('failed'));
    expect(talk().problem).toEqual({ code: 'refused', rule: 'E27' });
    chat.retry(talk().outgoing[0]?.cid ?? '');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'later']));
    expect(refreshes()).toBe(2);
  });

  test.each([
    ['K3', 'wrong_org'],
    ['G7', 'mode_mismatch'],
  ])('[%s] an address that is not what it was: nothing is asked or sent', async (rule, code) => {
    const vault = new FakeVault('visitor');
    vault.refuse.open = [refusal(rule, code)];
    const chat = visitor(vault, server.base);
    chat.say('hello');
    await until(() =>
      expect(chat.view.get()).toMatchObject({ stage: 'failed', problem: { code: 'refused', rule } }),
    );
    await new Promise((done) => setTimeout(done, 300));
    expect(server.asked).toEqual(['GET site']);
    expect(vault.calls).toEqual(['open']);
  });

  test.each(['stale_status', 'policy_rollback'])(
    '[K8] after %s trust is fetched and it is tried again',
    async (code) => {
      const { chat, talk, vault } = await talking();
      const before = server.count(/^GET trust/);
      vault.refuse.say = [refusal('K8', code)];
      chat.say('fresh');
      await until(() => expect(texts(talk().lines)).toEqual(['hello', 'fresh']));
      expect(server.count(/^GET trust/)).toBe(before + 1);
    },
  );

  test('[K8] a status that stays stale is a problem of the message', async () => {
    const { chat, talk, vault } = await talking();
    vault.refuse.say = [refusal('K8', 'stale_status'), refusal('K8', 'stale_status')];
    chat.say('stale');
    await until(() => expect(talk().outgoing[0]?.problem).toEqual({ code: 'refused', rule: 'K8' }));
  });

  test('[L6] a lost answer to the first post begins nothing twice', async () => {
    server.troubles.push({ what: /^POST conversations$/, when: 'after' });
    const { vault } = await talking();
    expect(server.logs.size).toBe(1);
    expect(vault.calls.filter((call) => call === 'begin')).toHaveLength(1);
    const [first, second] = server.posted.filter(([proof]) => proof?.[1] === 13);
    expect(second?.slice(1)).toEqual(first?.slice(1));
  });

  test('a beginning that is refused fails the message; a retry begins another one', async () => {
    server.troubles.push({ what: /^POST conversations$/, answer: [403, 'genesis_age'] });
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    chat.say('hello');
    const outgoing = () => chat.view.get().conversation?.outgoing[0];
    await until(() => expect(outgoing()?.problem).toEqual({ code: 'refused', rule: 'genesis_age' }));
    chat.retry(outgoing()?.cid ?? '');
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']));
    expect(vault.calls.filter((call) => call === 'begin')).toHaveLength(2);
    expect(chat.view.get().problem).toBeUndefined();
  });

  test('[L4] a kept conversation that the server does not know keeps its keys; a message begins another', async () => {
    const vault = new FakeVault('visitor', { ...nothing(), conversations: [new Uint8Array(32).fill(9)] });
    const chat = visitor(vault, server.base);
    await until(() =>
      expect(chat.view.get()).toMatchObject({
        stage: 'none',
        problem: { code: 'refused', rule: 'not_allowed' },
      }),
    );
    chat.say('hello');
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']));
    expect(vault.calls).not.toContain('erase');
    expect(vault.kept.conversations).toHaveLength(2);
    expect(chat.view.get().problem).toBeUndefined();
  });

  test('a server that is away is asked again until it is there', async () => {
    server.down = true;
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    chat.say('hello');
    await until(() =>
      expect(chat.view.get()).toMatchObject({
        stage: 'failed',
        link: 'offline',
        problem: { code: 'offline' },
      }),
    );
    server.down = false;
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['hello']));
    expect(vault.calls.filter((call) => call === 'open')).toHaveLength(2);
  });

  test('a vault that does not open is a problem, and a restart opens it', async () => {
    const vault = new FakeVault('visitor');
    vault.refuse.open = [new DOMException('full', 'QuotaExceededError')];
    const chat = visitor(vault, server.base);
    await until(() =>
      expect(chat.view.get()).toMatchObject({ stage: 'failed', problem: { code: 'storage' } }),
    );
    chat.restart();
    await until(() => expect(chat.view.get()).toMatchObject({ stage: 'none', link: 'online' }));
    expect(chat.view.get().problem).toBeUndefined();
  });

  test('a restart keeps the lines and takes on where it was', async () => {
    const { chat, talk, conv, vault } = await talking();
    chat.restart();
    server.append(conv, said('meanwhile'));
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'meanwhile']));
    await until(() => expect(chat.view.get()).toMatchObject({ stage: 'talking', link: 'online' }));
    chat.say('still here');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'meanwhile', 'still here']));
    expect(vault.calls.filter((call) => call === 'open')).toHaveLength(2);
    expect(server.sockets.size).toBe(1);
  });

  test('[S8] a close, a message after it, and the reopening', async () => {
    const { chat, talk } = await talking();
    chat.close();
    await until(() => expect(talk().closed).toBe(true));
    expect(kinds(talk().lines)).toEqual(['roster', 'message', 'closed']);
    chat.say('too late');
    await until(() => expect(talk().outgoing[0]?.problem).toEqual({ code: 'closed' }));
    chat.reopen();
    await until(() => expect(talk()).toMatchObject({ closed: false, open: true }));
    chat.retry(talk().outgoing[0]?.cid ?? '');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'too late']));
  });

  test('[S8] a close that came from the other side first', async () => {
    const { chat, talk, conv } = await talking();
    server.mute = true;
    server.append(conv, pack(3, { by: 'agent', n: 0, close: 1 }));
    chat.say('crossed');
    await until(() => expect(talk().closed).toBe(true));
    expect(talk().outgoing[0]).toMatchObject({ state: 'failed', problem: { code: 'closed' } });
  });

  test('[L4] erasing forgets the conversation, and the next message begins another', async () => {
    const { chat, vault } = await talking();
    chat.erase();
    expect(chat.view.get()).toEqual({ link: 'online', stage: 'none', site: silent });
    await until(() => expect(vault.kept.conversations).toEqual([]));
    chat.say('anew');
    await until(() => expect(texts(chat.view.get().conversation?.lines)).toEqual(['anew']));
    expect(server.logs.size).toBe(2);
    await until(() => expect(server.sockets.size).toBe(1));
  });

  test('two windows that begin one after the other speak in one conversation', async () => {
    const keeping = nothing();
    const [one, two] = [1, 2].map(() => visitor(new FakeVault('visitor', keeping), server.base));
    for (const chat of [one, two]) await until(() => expect(chat?.view.get().stage).toBe('none'));
    one?.say('first');
    await until(() => expect(texts(one?.view.get().conversation?.lines)).toEqual(['first']));
    two?.say('second');
    for (const chat of [one, two])
      await until(() => expect(texts(chat?.view.get().conversation?.lines)).toEqual(['first', 'second']));
    expect(server.logs.size).toBe(1);
  });

  test('a message of an earlier page that the log has already is not sent again', async () => {
    const { vault, chat, talk } = await talking();
    chat.say('once', 'AAAAAAAAAAAAAAAAAAAAAA');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'once']));
    const later = visitor(new FakeVault('visitor', vault.kept), server.base);
    later.say('once', 'AAAAAAAAAAAAAAAAAAAAAA');
    await until(() => expect(texts(later.view.get().conversation?.lines)).toEqual(['hello', 'once']));
    await until(() => expect(later.view.get().conversation?.outgoing).toEqual([]));
    expect(texts(talk().lines)).toEqual(['hello', 'once']);
  });

  test('erasing during the beginning leaves no key behind', async () => {
    const vault = new FakeVault('visitor');
    const chat = visitor(vault, server.base);
    await until(() => expect(chat.view.get().stage).toBe('none'));
    const make = vault.begin.bind(vault);
    vi.spyOn(vault, 'begin').mockImplementationOnce(() => {
      chat.erase();
      return make();
    });
    chat.say('hello');
    await until(() => expect(vault.calls).toContain('erase'));
    await until(() => expect(vault.kept.conversations).toEqual([]));
    expect(chat.view.get()).toEqual({ link: 'online', stage: 'none', site: silent });
    expect(server.logs.size).toBe(0);
  });
});

describe('desk', () => {
  const ready = (): Keeping => ({ conversations: [], device: 'ready' });
  const open = async (vault = new FakeVault('agent', ready())) => {
    const board = desk(vault, server.staff);
    await until(() => expect(board.view.get()).toMatchObject({ stage: 'ready', link: 'online' }));
    await until(() =>
      expect([...server.sockets].some((one) => one.ready.has(`q:${server.dept}`))).toBe(true),
    );
    return { board, vault };
  };

  test('another invitation, while the first one waits for ever', async () => {
    const board = desk(new FakeVault('agent'), server.staff);
    await until(() => expect(board.view.get()).toMatchObject({ stage: 'enrol', link: 'online' }));
    board.enrol('good');
    await until(() => expect(server.count(/^GET enrolments/)).toBeGreaterThan(0));
    board.another();
    expect(board.view.get().stage).toBe('enrol');
    board.enrol('good');
    await until(() => expect(board.view.get().stage).toBe('asked'));
    for (const one of server.enrolments.values()) one.signed = true;
    await until(() => expect(board.view.get().stage).toBe('certified'));
  });

  test('from the invitation to the queue', async () => {
    const vault = new FakeVault('agent');
    const board = desk(vault, server.staff);
    await until(() => expect(board.view.get()).toMatchObject({ stage: 'enrol', link: 'online' }));
    board.enrol('good');
    await until(() => expect(server.count(/^GET enrolments/)).toBeGreaterThan(0));
    expect(board.view.get().stage).toBe('asked');
    expect(vault.calls).not.toContain('certified');
    for (const one of server.enrolments.values()) one.signed = true;
    await until(() => expect(board.view.get().stage).toBe('certified'));
    await until(() => expect(server.keyObjects).toEqual([pack(5, { name: 'agent' })]));
    server.departmentKeys = true;
    await until(() => expect(board.view.get()).toMatchObject({ stage: 'ready', link: 'online' }));
    expect(vault.kept.device).toBe('ready');
    // The certificate's enroller and the department's key may be new to the vault.
    expect(vault.calls.filter((call) => call !== 'proof')).toEqual([
      'open',
      'trust',
      'enrol',
      'trust',
      'certified',
      'trust',
      'department',
    ]);
  });

  test('[K17] a wrong invitation is told, and another one may be given', async () => {
    const board = desk(new FakeVault('agent'), server.staff);
    await until(() => expect(board.view.get().stage).toBe('enrol'));
    board.enrol('bad');
    await until(() => expect(board.view.get().problem).toEqual({ code: 'invitation', rule: 'K17' }));
    expect(board.view.get().stage).toBe('enrol');
    board.enrol('good');
    await until(() => expect(server.enrolments.size).toBe(1));
    expect(board.view.get()).toMatchObject({ stage: 'asked' });
    expect(board.view.get().problem).toBeUndefined();
  });

  test('[K17] a request that the server refuses leads back to the invitation', async () => {
    server.troubles.push({ what: /^POST enrolments/, answer: [403, 'bad_enrolment'] });
    const board = desk(new FakeVault('agent'), server.staff);
    await until(() => expect(board.view.get().stage).toBe('enrol'));
    board.enrol('good');
    await until(() =>
      expect(board.view.get().problem).toEqual({ code: 'invitation', rule: 'bad_enrolment' }),
    );
    expect(board.view.get().stage).toBe('enrol');
  });

  test('a device that has asked goes on after a reload', async () => {
    const kept = nothing();
    const first = desk(new FakeVault('agent', kept), server.staff);
    await until(() => expect(first.view.get().stage).toBe('enrol'));
    first.enrol('good');
    await until(() => expect(server.enrolments.size).toBe(1));
    for (const one of server.enrolments.values()) one.signed = true;
    server.departmentKeys = true;
    const vault = new FakeVault('agent', { ...kept });
    const second = desk(vault, server.staff);
    await until(() => expect(second.view.get().stage).toBe('ready'));
    expect(vault.calls).not.toContain('enrol');
  });

  test('a certified device posts its key object again after a reload and waits for its keys', async () => {
    const id = new Uint8Array(32).fill(3);
    server.enrolments.set(toText(id), { signed: true });
    const board = desk(
      new FakeVault('agent', { ...ready(), device: 'certified', enrolment: id }),
      server.staff,
    );
    await until(() => expect(server.keyObjects).toHaveLength(1));
    expect(board.view.get().stage).toBe('certified');
    server.departmentKeys = true;
    await until(() => expect(board.view.get().stage).toBe('ready'));
  });

  test('a certified device goes on when the server has forgotten the request', async () => {
    server.departmentKeys = true;
    const kept: Keeping = { ...ready(), device: 'certified', enrolment: new Uint8Array(32).fill(3) };
    const board = desk(new FakeVault('agent', kept), server.staff);
    await until(() => expect(board.view.get().stage).toBe('ready'));
    expect(server.keyObjects).toEqual([]);
  });

  test('a request that never arrived leads back to the invitation', async () => {
    const kept: Keeping = { ...ready(), device: 'asked', enrolment: new Uint8Array(32) };
    const board = desk(new FakeVault('agent', kept), server.staff);
    await until(() =>
      expect(board.view.get()).toMatchObject({ stage: 'enrol', problem: { code: 'invitation' } }),
    );
  });

  test('[K15] department keys that are wrong are told', async () => {
    server.departmentKeys = true;
    const vault = new FakeVault('agent', { ...ready(), device: 'certified' });
    vault.refuse.department = [refusal('K15', 'dept_key_mismatch')];
    const board = desk(vault, server.staff);
    await until(() =>
      expect(board.view.get()).toMatchObject({ stage: 'failed', problem: { code: 'refused', rule: 'K15' } }),
    );
    board.restart();
    await until(() => expect(board.view.get().stage).toBe('ready'));
  });

  test('[K3] an address that names another organisation than before fails the desk', async () => {
    const vault = new FakeVault('agent', ready());
    vault.refuse.open = [refusal('K3', 'wrong_org')];
    const board = desk(vault, server.staff);
    await until(() =>
      expect(board.view.get()).toMatchObject({ stage: 'failed', problem: { code: 'refused', rule: 'K3' } }),
    );
    expect(server.asked).toEqual(['GET site']);
  });

  describe('a device that is ready keeps its keys fresh', () => {
    const id = new Uint8Array(32).fill(3);
    const enrolled = (generation?: number) =>
      server.enrolments.set(toText(id), { signed: true, ...(generation && { generation }) });
    /** A desk whose device has its first certificate and its department's first keys. */
    const fresh = async () => {
      server.departmentKeys = true;
      enrolled();
      const ticks = vi.spyOn(globalThis, 'setInterval');
      const all = await open(new FakeVault('agent', { ...ready(), enrolment: id }));
      const [tick] = ticks.mock.calls.find(([, age]) => age === 600_000) ?? [];
      ticks.mockRestore();
      const given = () => all.vault.calls.filter((call) => call === 'certified' || call === 'department');
      return { ...all, given, tick: tick as () => void };
    };

    test('at the start, and each thing once while the page lives', async () => {
      const { board, given, tick } = await fresh();
      expect(given()).toEqual(['certified', 'department']);
      expect(server.keyObjects).toEqual([pack(5, { name: 'agent' })]);
      board.restart();
      await until(() => expect(server.count(/^GET department-keys/)).toBe(2));
      tick();
      await until(() => expect(server.count(/^GET department-keys/)).toBe(3));
      await until(() => expect(board.view.get()).toMatchObject({ stage: 'ready', link: 'online' }));
      expect(given()).toEqual(['certified', 'department']);
      expect(board.view.get().problem).toBeUndefined();
    });

    test('with the trust: a newer certificate by a session of its own, and newer keys', async () => {
      const { board, given, tick } = await fresh();
      enrolled(2);
      server.newerKeys.push(pack(8, { generation: 2 }), pack(14, {}));
      const trusts = server.count(/^GET trust/);
      tick();
      await until(() => expect(given()).toEqual(['certified', 'department', 'certified', 'department']));
      expect(server.keyObjects.map((object) => content(object).name)).toEqual(['agent', 'agent2']);
      expect(server.count(/^GET trust/)).toBe(trusts + 1);
      expect(board.view.get().problem).toBeUndefined();
      // The socket speaks for the newer certificate, too.
      await until(() => expect(server.count(/^POST tickets/)).toBe(2));
      await until(() => expect(board.view.get().link).toBe('online'));
    });

    test('a device without keys asks for none', async () => {
      const vault = new FakeVault('agent');
      const ticks = vi.spyOn(globalThis, 'setInterval');
      const board = desk(vault, server.staff);
      await until(() => expect(board.view.get().stage).toBe('enrol'));
      const [tick] = ticks.mock.calls.find(([, age]) => age === 600_000) ?? [];
      ticks.mockRestore();
      (tick as () => void)();
      await until(() => expect(server.count(/^GET trust/)).toBe(2));
      await new Promise((done) => setTimeout(done, 50));
      expect(server.count(/^GET (enrolments|department-keys)/)).toBe(0);
    });

    test.each(['W1', 'K11', 'K12', 'K14'])(
      '[%s] after a refusal, and the act is done again',
      async (rule) => {
        const { board, vault, given } = await fresh();
        const { conv } = await talking();
        board.select(conv);
        await until(() => expect(board.view.get().current?.acceptable).toBe(true));
        server.newerKeys.push(pack(8, { generation: 2 }), pack(14, {}));
        vault.refuse.accept = [refusal(rule, 'outdated')];
        board.accept();
        await until(() => expect(board.view.get().current?.open).toBe(true));
        expect(given()).toEqual(['certified', 'department', 'department']);
      },
    );

    test('[K14] a refusal that stays is a problem, and is not asked about without end', async () => {
      const { board, vault } = await fresh();
      const { conv } = await talking();
      board.select(conv);
      await until(() => expect(board.view.get().current?.acceptable).toBe(true));
      const asked = server.count(/^GET department-keys/);
      vault.refuse.accept = Array.from({ length: 9 }, () => refusal('K14', 'bad_dept_key'));
      for (let press = 0; press < 3; press++) {
        const left = vault.refuse.accept.length;
        board.accept();
        await until(() => expect(vault.refuse.accept?.length).toBeLessThan(left));
        await until(() =>
          expect(board.view.get().current?.problem).toEqual({ code: 'refused', rule: 'K14' }),
        );
      }
      expect(server.count(/^GET department-keys/)).toBe(asked + 1);
    });

    test('[K11] a session that the server refuses, because the certificate has ended', async () => {
      const { board, given } = await fresh();
      const { conv } = await talking();
      enrolled(2);
      server.devices.clear();
      server.troubles.push({ what: /^POST sessions/, answer: [422, 'cert_time', 'K11'] });
      board.select(conv);
      await until(() => expect(texts(board.view.get().current?.lines)).toEqual(['hello']));
      expect(given()).toEqual(['certified', 'department', 'certified']);
      expect(board.view.get().problem).toBeUndefined();
    });

    test('[W1] an epoch that was locked opens with the newer keys', async () => {
      const { board, vault, given } = await fresh();
      const { conv } = await talking();
      server.append(conv, epoch(1, ['visitor', 'agent'], 1));
      server.newerKeys.push(pack(8, { generation: 2 }), pack(14, {}));
      vault.locked = 'W1';
      board.select(conv);
      await until(() => expect(board.view.get().current?.open).toBe(true));
      expect(given()).toEqual(['certified', 'department', 'department']);
    });

    test('[K15] one of an ended generation may be refused beside others', async () => {
      server.newerKeys.push(pack(8, {}), pack(13, {}));
      const { board, given } = await fresh();
      expect(given()).toEqual(['certified', 'department', 'department']);
      expect(board.view.get().problem).toBeUndefined();
    });

    test('[K10] what is refused is told, and the queue is there all the same', async () => {
      enrolled();
      const vault = new FakeVault('agent', { ...ready(), enrolment: id });
      vault.refuse.certified = [refusal('K10', 'bad_cert')];
      const { board } = await open(vault);
      expect(board.view.get().problem).toEqual({ code: 'refused', rule: 'K10' });
    });

    test('a server that is away is asked again before the desk opens', async () => {
      server.departmentKeys = true;
      server.troubles.push({ what: /^GET department-keys/, answer: [503, 'unavailable'] });
      const vault = new FakeVault('agent', ready());
      const board = desk(vault, server.staff);
      await until(() =>
        expect(board.view.get()).toMatchObject({
          stage: 'failed',
          problem: { code: 'offline', rule: 'unavailable' },
        }),
      );
      await until(() => expect(board.view.get()).toMatchObject({ stage: 'ready', link: 'online' }));
      expect(vault.calls).toContain('department');
    });
  });

  test('the queue, a hint, and many hints as one', async () => {
    const { board } = await open();
    await until(() => expect(board.view.get().queue).toEqual([]));
    const { conv } = await talking();
    const before = server.count(/^GET queue/);
    for (let at = 0; at < 30; at++) server.append(conv, said(`${at}`));
    await until(() =>
      expect(board.view.get().queue).toEqual([{ conv, seq: 32, at: 1000, state: 'waiting', agents: [] }]),
    );
    await new Promise((done) => setTimeout(done, 300));
    expect(server.count(/^GET queue/)).toBeLessThan(before + 4);
  });

  test('[E20] accepting, an answer, and the close', async () => {
    const { board, vault } = await open();
    const { conv, talk, chat } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current).toMatchObject({ acceptable: true, open: false }));
    board.accept();
    await until(() => expect(board.view.get().current).toMatchObject({ acceptable: false, open: true }));
    board.say('how can I help?');
    await until(() => expect(texts(talk().lines)).toEqual(['hello', 'how can I help?']));
    chat.say('thanks');
    await until(() =>
      expect(texts(board.view.get().current?.lines)).toEqual(['hello', 'how can I help?', 'thanks']),
    );
    await until(() => expect(board.view.get().queue).toMatchObject([{ conv, state: 'mine' }]));
    board.close();
    await until(() => expect(talk().closed).toBe(true));
    await until(() => expect(board.view.get().queue).toMatchObject([{ conv, state: 'closed' }]));
    board.reopen();
    await until(() => expect(talk()).toMatchObject({ closed: false, open: true }));
    expect(vault.calls.filter((call) => call === 'accept')).toHaveLength(1);
  });

  test('[R3] a colleague is brought in and given what was said; who hands over goes then', async () => {
    const { board, vault } = await open();
    const { conv, talk } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current).toMatchObject({ acceptable: true }));
    board.accept();
    await until(() => expect(board.view.get().current).toMatchObject({ open: true }));
    board.bring(pack(8, { name: 'luis' }), pack(5, {}), true);
    await until(() =>
      expect(kinds(talk().lines)).toEqual(['roster', 'message', 'roster', 'roster', 'grant', 'roster']),
    );
    expect(talk().lines[4]).toMatchObject({ to: { name: 'luis' } });
    expect(talk().members.map(({ name }) => name)).toEqual(['visitor', 'luis']);
    await until(() => expect(board.view.get().current).toMatchObject({ open: false }));
    expect(vault.calls.filter((call) => ['transfer', 'grant', 'remove'].includes(call))).toEqual([
      'transfer',
      'grant',
      'remove',
    ]);
    // What is not given is not left.
    const other = await talking(new FakeVault('visitor'));
    board.select(other.conv);
    await until(() => expect(board.view.get().current).toMatchObject({ acceptable: true }));
    board.accept();
    await until(() => expect(board.view.get().current).toMatchObject({ open: true }));
    vault.refuse.grant = [refusal('R4', 'grant_policy')];
    board.bring(pack(8, { name: 'luis' }), pack(5, {}), true);
    await until(() => expect(board.view.get().current?.problem).toMatchObject({ rule: 'R4' }));
    expect(other.talk().members.map(({ name }) => name)).toEqual(['visitor', 'agent', 'luis']);
  });

  test('[S3] when somebody else accepted first, it is fetched and not tried again', async () => {
    const { board, vault } = await open();
    const { conv } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current?.acceptable).toBe(true));
    server.mute = true;
    server.append(conv, epoch(1, ['visitor', 'other'], 1));
    board.accept();
    await until(() =>
      expect(board.view.get().current?.members.map(({ name }) => name)).toEqual(['visitor', 'other']),
    );
    await new Promise((done) => setTimeout(done, 50));
    expect(board.view.get().current).toMatchObject({ acceptable: false });
    expect(vault.calls.filter((call) => call === 'accept')).toHaveLength(1);
    expect(board.view.get().current?.problem).toBeUndefined();
  });

  test('[S3] another epoch in between: the accept is made again on top of it', async () => {
    const { board } = await open();
    const { conv } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current?.acceptable).toBe(true));
    server.mute = true;
    server.append(conv, epoch(1, ['visitor'], 3));
    board.accept();
    await until(() => expect(board.view.get().current?.open).toBe(true));
    expect(server.logs.get(conv)).toMatchObject({ epoch: 2, members: ['visitor', 'agent'] });
  });

  test('[L6] a lost answer to an accept: the same epoch is posted again', async () => {
    const { board, vault } = await open();
    const { conv } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current?.acceptable).toBe(true));
    server.mute = true;
    server.troubles.push({ what: /^POST .*entries/, when: 'after' });
    board.accept();
    await until(() => expect(board.view.get().current?.open).toBe(true));
    expect(server.logs.get(conv)?.epoch).toBe(1);
    expect(vault.calls.filter((call) => call === 'accept')).toHaveLength(1);
  });

  test('an accept that the vault refuses is a problem of the conversation', async () => {
    const { board, vault } = await open();
    const { conv } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current?.acceptable).toBe(true));
    vault.refuse.accept = [refusal('W6', 'locked')];
    board.accept();
    await until(() => expect(board.view.get().current?.problem).toEqual({ code: 'refused', rule: 'W6' }));
    board.accept();
    await until(() => expect(board.view.get().current?.open).toBe(true));
    expect(board.view.get().current?.problem).toBeUndefined();
  });

  test('going to another conversation and back keeps the lines and catches up', async () => {
    const { board } = await open();
    const { conv: one } = await talking();
    const { conv: two } = await talking(new FakeVault('visitor'));
    const current = () => board.view.get().current;
    board.select(one);
    await until(() => expect(current()).toMatchObject({ conv: one, loading: false }));
    board.select(two);
    await until(() => expect(current()).toMatchObject({ conv: two, loading: false }));
    server.append(one, said('while away'));
    await new Promise((done) => setTimeout(done, 50));
    board.select(one);
    await until(() => expect(texts(current()?.lines)).toEqual(['hello', 'while away']));
    const [line] = [...server.sockets].filter((socket) => socket.channels.has(`q:${server.dept}`));
    await until(() =>
      expect([...(line?.channels ?? [])].sort()).toEqual([`c:${one}`, `q:${server.dept}`, `t:${one}`].sort()),
    );
  });

  test('a conversation that was left while it loaded is not followed', async () => {
    const { board } = await open();
    const { conv: one } = await talking();
    const { conv: two } = await talking(new FakeVault('visitor'));
    board.select(one);
    board.select(two);
    await until(() => expect(board.view.get().current).toMatchObject({ conv: two, loading: false }));
    await new Promise((done) => setTimeout(done, 100));
    const [line] = [...server.sockets].filter((socket) => socket.channels.has(`q:${server.dept}`));
    expect([...(line?.channels ?? [])].sort()).toEqual([`c:${two}`, `q:${server.dept}`, `t:${two}`].sort());
  });

  test('messages that nobody looked at are counted and told, those on the screen are not', async () => {
    const { board } = await open();
    const news: News[] = [];
    board.hear((one) => news.push(one));
    const { conv: one } = await talking();
    const { conv: two } = await talking(new FakeVault('visitor'));
    await until(() =>
      expect(
        news
          .filter(({ kind }) => kind === 'waiting')
          .map(({ conv }) => conv)
          .sort(),
      ).toEqual([one, two].sort()),
    );
    for (const conv of [one, two]) {
      board.select(conv);
      await until(() => expect(board.view.get().current).toMatchObject({ conv, acceptable: true }));
      board.accept();
      await until(() => expect(board.view.get().current).toMatchObject({ conv, open: true }));
    }
    await until(() => expect(board.view.get().queue.map(({ state }) => state)).toEqual(['mine', 'mine']));
    news.length = 0;
    server.append(one, said('elsewhere', 1, 'visitor'));
    server.append(two, said('here', 1, 'visitor'));
    await until(() => expect(board.view.get().unread).toEqual(new Map([[one, 1]])));
    await until(() => expect(texts(board.view.get().current?.lines)).toContain('here'));
    expect(news).toEqual([{ kind: 'message', conv: one }]);
    board.look(false);
    server.append(two, said('to an empty chair', 1, 'visitor'));
    await until(() =>
      expect(news).toEqual([
        { kind: 'message', conv: one },
        { kind: 'message', conv: two },
      ]),
    );
    board.look(true);
    expect(board.view.get().unread).toEqual(new Map([[one, 1]]));
    board.select(one);
    expect(board.view.get().unread).toEqual(new Map());
    expect(texts(board.view.get().current?.lines)).toContain('elsewhere');
  });

  test('who writes is told to the others for a while, and once in three seconds', async () => {
    const { board } = await open();
    const { conv, chat, talk } = await talking();
    board.select(conv);
    await until(() => expect(board.view.get().current?.acceptable).toBe(true));
    board.accept();
    await until(() => expect(board.view.get().current?.open).toBe(true));
    for (let at = 0; at < 20; at++) board.typing();
    await until(() => expect(server.count(/^POST .*\/typing$/)).toBe(1));
    server.push(`t:${conv}`, { data: { leaf: 2 } });
    server.push(`t:${conv}`, { data: { leaf: 'x' } });
    await until(() => expect(talk().typing).toEqual([2]));
    await until(() => expect(board.view.get().current?.typing).toEqual([2]));
    chat.typing();
    await until(() => expect(server.count(/^POST .*\/typing$/)).toBe(2));
  });

  test('a name that is none is told and selects nothing', async () => {
    const { board } = await open();
    board.select('../../etc');
    expect(board.view.get().current).toBeUndefined();
    expect(board.view.get().problem).toEqual({ code: 'refused', rule: 'bad_answer' });
  });

  test('a restart keeps what is open', async () => {
    const { board, vault } = await open();
    const { conv } = await talking();
    board.select(conv);
    await until(() => expect(texts(board.view.get().current?.lines)).toEqual(['hello']));
    board.restart();
    await until(() => expect(board.view.get().stage).toBe('ready'));
    server.append(conv, said('more'));
    await until(() => expect(texts(board.view.get().current?.lines)).toEqual(['hello', 'more']));
    expect(vault.calls.filter((call) => call === 'open')).toHaveLength(1);
  });
});
