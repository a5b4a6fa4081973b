// The widget on a page that is just enough of one: nodes, attributes, events.
// How it looks and moves is for the tests in a real browser.
import type { ConversationView, Shown, SiteView, VisitorChat, VisitorView } from '@aldaba/client';
import type { Member } from '@aldaba/crypto';
import { h, render } from 'preact';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Host } from './frame-port.ts';
import { Ground, type Obstacle } from './ground.tsx';
import type { Settings } from './menu.tsx';
import { type Shelf, shelf } from './shelf.ts';
import { Visitor } from './visitor.tsx';

type Listener = (this: Node, event: object) => void;

class Node {
  parentNode: Node | null = null;
  childNodes: Node[] = [];
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, Listener>();
  readonly style = {};
  data = '';
  open = false;
  value = '';
  onclick = null;
  oninput = null;
  onkeydown = null;
  onsubmit = null;
  onscroll = null;
  onauxclick = null;
  onchange = null;
  onclose = null;
  scrollTop = 0;
  scrollHeight = 0;
  clientHeight = 0;
  offsetHeight = 0;
  readonly localName: string;
  readonly namespaceURI = 'http://www.w3.org/1999/xhtml';

  constructor(localName: string) {
    this.localName = localName;
  }
  get nodeType(): number {
    return this.localName === '#text' ? 3 : 1;
  }
  get ownerDocument() {
    return page;
  }
  get firstChild(): Node | null {
    return this.childNodes[0] ?? null;
  }
  get nextSibling(): Node | null {
    const siblings = this.parentNode?.childNodes ?? [];
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }
  contains(node: Node | null): boolean {
    return node === this || this.childNodes.some((child) => child.contains(node));
  }
  insertBefore(node: Node, before: Node | null): Node {
    node.remove();
    const at = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
    return node;
  }
  appendChild(node: Node): Node {
    return this.insertBefore(node, null);
  }
  removeChild(node: Node): Node {
    node.remove();
    return node;
  }
  remove(): void {
    const siblings = this.parentNode?.childNodes;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parentNode = null;
  }
  setAttribute(name: string, value: unknown): void {
    this.attributes.set(name, String(value));
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, listener);
  }
  removeEventListener(name: string): void {
    this.listeners.delete(name);
  }
  focus(): void {
    page.activeElement = this;
  }
  showModal(): void {
    this.open = true;
  }
  close(): void {
    this.open = false;
  }
  querySelector(): null {
    return null;
  }

  /** What stands there to read: closed dialogs do not. */
  get text(): string {
    if (this.localName === '#text') return this.data;
    if (this.localName === 'dialog' && !this.open) return '';
    return this.childNodes.map((child) => child.text).join('');
  }
  all(wanted: (node: Node) => boolean): Node[] {
    const below = this.childNodes.flatMap((child) => child.all(wanted));
    return wanted(this) ? [this, ...below] : below;
  }
  fire(type: string, more: object = {}): void {
    this.listeners.get(type)?.call(this, { type, currentTarget: this, preventDefault() {}, ...more });
  }
}

/** What listens to the whole page. */
const listening = new Map<string, (event: object) => void>();
const page = {
  title: '',
  visibilityState: 'visible',
  querySelector: () => null,
  addEventListener: (type: string, heard: (event: object) => void) => listening.set(type, heard),
  removeEventListener: (type: string) => listening.delete(type),
  activeElement: undefined as Node | undefined,
  createElement: (name: string) => new Node(name),
  createElementNS: (_: string, name: string) => new Node(name),
  createTextNode: (data: string) => Object.assign(new Node('#text'), { data }),
};

// It stays after the last drawing: what is to happen after that still looks at it.
Object.assign(globalThis, { document: page });

let root: Node;
beforeEach(() => {
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.stubGlobal('fetch', () => new Promise(() => {}));
  root = new Node('div');
});
afterEach(() => {
  render(null, root as unknown as Element);
  vi.unstubAllGlobals();
});

const me: Member = { leaf: 0, role: 1, name: '', title: '', custody: 1, mine: true };
const team: Member = { leaf: 1, role: 4, name: 'Support', title: '', custody: 1, mine: false };
const ana: Member = { leaf: 2, role: 2, name: 'Ana', title: 'Advice', custody: 1, mine: false };
const time = new Date(2026, 10, 24, 12).getTime();
const said = (from: Member, seq: number, text: string): Shown => ({
  kind: 'message',
  seq,
  time: time + seq,
  from,
  cid: new Uint8Array(16),
  text,
});
const talk: ConversationView = {
  conv: 'AbCd',
  lines: [
    { kind: 'roster', seq: 1, time, n: 0, reason: 0, members: [me, team] },
    said(me, 2, 'Hello <b>there</b>'),
  ],
  outgoing: [],
  members: [me, team],
  safety: '00000 11111 22222 33333 44444 55555 66666 77777',
  closed: false,
  open: true,
  delivered: 0,
  read: 0,
  acceptable: false,
  loading: false,
  typing: [],
};

/** A chat that shows what it is given and notes what is asked of it. */
function chatting(start: VisitorView) {
  const shown = start;
  const heard = new Set<() => void>();
  const asked: string[] = [];
  const chat: VisitorChat = {
    view: {
      get: () => shown,
      subscribe(changed) {
        heard.add(changed);
        return () => heard.delete(changed);
      },
    },
    say: (text, cid) => asked.push(`say ${text}${cid ? ` as ${cid}` : ''}`),
    choose: (department) => asked.push(`choose ${department}`),
    form: (fields) => asked.push(`form ${fields.map(({ name, kind, value }) => `${name}:${kind}:${value}`)}`),
    seen: () => asked.push('seen'),
    typing: () => asked.push('typing'),
    retry: (cid) => asked.push(`retry ${cid}`),
    close: () => asked.push('close'),
    reopen: () => asked.push('reopen'),
    erase: () => asked.push('erase'),
    restart: () => asked.push('restart'),
  };
  return { chat, asked, heard };
}

const settings: Settings = {
  language: 'en',
  choose: () => undefined,
  theme: undefined,
  paint: () => undefined,
  sound: false,
  ring: () => undefined,
};
const site: SiteView = {
  name: 'Banco Ribera',
  languages: ['es', 'en'],
  departments: [],
  fields: [],
  contact: {},
  open: true,
};
/** A page of its own: nobody is around it. */
const alone: Host = {
  embedded: false,
  path: undefined,
  shown: true,
  listen: () => () => undefined,
  close: () => undefined,
  unread: () => undefined,
  message: () => undefined,
  identity: async () => undefined,
};
/** A tab's storage, as far as it is used. */
const storage = (kept = new Map<string, string>()) => ({
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => kept.set(name, value),
});
const typed = (where = storage()): Shelf => shelf('typed', () => where as unknown as Storage);

interface Around {
  readonly host?: Host;
  readonly shelf?: Shelf;
  readonly fleeting?: boolean;
}

/** Draws the chat; what was asked of it comes back. */
function draw(view: Partial<VisitorView>, conversation?: Partial<ConversationView>, around: Around = {}) {
  const made = chatting({
    link: 'online',
    stage: 'talking',
    site,
    ...(conversation && { conversation: { ...talk, ...conversation } }),
    ...view,
  });
  const { host = alone, shelf: kept = typed(), fleeting = false } = around;
  render(h(Visitor, { settings, chat: made.chat, host, shelf: kept, fleeting }), root as unknown as Element);
  return made;
}

function obstruct(obstacle?: Obstacle, found?: SiteView): void {
  render(h(Ground, { settings, host: alone, site: found, obstacle }), root as unknown as Element);
}

const called = (name: string) => (node: Node) =>
  node.localName === 'button' && (node.attributes.get('aria-label') ?? node.text) === name;
/** Presses the button of a name; an open dialog lets nobody at what is behind it. */
function press(name: string): void {
  const dialog = root.all((node) => node.localName === 'dialog' && node.open)[0];
  const button = (dialog ?? root).all(called(name))[0];
  if (!button) throw new Error(`no button ${name}`);
  button.fire('click');
}
const one = (name: string) => root.all((node) => node.localName === name)[0];
/** Lets Preact draw what has changed. */
const drawn = () => new Promise((next) => setTimeout(next, 20));

describe('stages', () => {
  test.each<[string, Partial<VisitorView>, Partial<ConversationView> | undefined, string[]]>([
    ['starting', { stage: 'starting', link: 'connecting' }, undefined, ['Connecting…', 'Fetching']],
    [
      'none',
      { stage: 'none' },
      undefined,
      ['Banco Ribera', 'People are here', 'How can we help you?', 'Banco Ribera uses what you write'],
    ],
    [
      'nobody there',
      { stage: 'none', site: { ...site, open: false, contact: { text: '900 123 456' } } },
      undefined,
      ['Nobody is here now', 'Leave your message', '900 123 456'],
    ],
    [
      'failed',
      { stage: 'failed', link: 'offline', problem: { code: 'offline' } },
      undefined,
      ['The chat could not start', 'The server does not answer.', 'Start again'],
    ],
    [
      'talking',
      {},
      {},
      [
        'Banco Ribera',
        'We never ask for passwords',
        'Hello <b>there</b>',
        '2 can read: you and Support (whole team)',
        'Sent',
      ],
    ],
    ['answered', {}, { members: [me, team, ana] }, ['Ana', 'Identity verified', 'Advice']],
    [
      'answered by the operator’s word',
      {},
      { members: [me, team, { ...ana, custody: 2 }] },
      ['Vouched for by this server'],
    ],
    ['delivered', {}, { delivered: 2 }, ['Delivered']],
    ['read', {}, { delivered: 2, read: 2 }, ['Read']],
    ['offline', { link: 'offline' }, {}, ['No connection. What you write goes out when it returns']],
    ['closed', {}, { closed: true, open: false }, ['This conversation has ended.', 'Open again']],
    [
      'refused',
      {},
      { problem: { code: 'refused', rule: 'L3' } },
      ['It was refused by rule L3.', 'Start again'],
    ],
    [
      'a message failed',
      {},
      { outgoing: [{ cid: 'c', text: 'lost', state: 'failed', problem: { code: 'refused', rule: 'V3' } }] },
      ['lost', 'Not sent. It was refused by rule V3.'],
    ],
  ])('%s', (_, view, conversation, parts) => {
    draw(view, conversation);
    for (const part of parts) expect(root.text).toContain(part);
    expect(root.all((node) => node.localName === 'h1')).toHaveLength(1);
  });

  test.each<[string, Partial<VisitorView>, Partial<ConversationView> | undefined]>([
    ['at the start', { stage: 'failed', problem: { code: 'refused', rule: 'K3' } }, undefined],
    ['later', {}, { problem: { code: 'refused', rule: 'K3' } }],
  ])(
    '[K3] another organisation than before, %s: what to do, and no button that hides it',
    (_, view, more) => {
      draw(view, more);
      expect(root.text).toContain('This page now speaks for another organisation than before');
      expect(root.text).toContain('Do not write here; ask the company by another way.');
      expect(root.text).not.toContain('Start again');
    },
  );

  test.each([
    [{ code: 'offline' }, false],
    [{ code: 'offline', rule: 'rate_limited' }, true],
  ])('%j: a server that answers is not told as one that is away', (problem, told) => {
    draw({}, { problem });
    expect(root.text.includes('Too many requests')).toBe(told);
    expect(root.text.includes('Start again')).toBe(told);
  });

  test('the browser lacks something', () => {
    obstruct({ lacks: ['Ed25519'] }, { ...site, contact: { text: 'Call us', href: 'tel:+34900123456' } });
    expect(root.text).toContain('this one lacks: Ed25519.');
    expect(one('a')?.attributes.get('href')).toBe('tel:+34900123456');
    expect(root.text).toContain('Call us');
  });

  test('a change is drawn, and nobody listens after the end', async () => {
    const { chat, heard } = draw({ stage: 'starting' });
    await vi.waitFor(() => expect(heard.size).toBe(1));
    const next = { link: 'online', stage: 'none' } as const;
    vi.spyOn(chat.view, 'get').mockReturnValue(next);
    for (const changed of heard) changed();
    await drawn();
    expect(root.text).toContain('How can we help you?');
    render(null, root as unknown as Element);
    await vi.waitFor(() => expect(heard.size).toBe(0));
  });
});

const bank: SiteView = {
  ...site,
  fields: [
    { name: 'name', kind: 'text', label: { es: 'Nombre', en: 'Name' }, required: true, choices: [] },
    { name: 'mail', kind: 'mail', label: { es: 'Correo', en: 'Mail' }, required: false, choices: [] },
  ],
  departments: [
    { id: 'cards', name: 'Cards', mode: 'sealed' },
    { id: 'loans', name: 'Loans', mode: 'assisted' },
  ],
};
/** A tab that has answered already. */
const answered = (answers: Record<string, string>, department?: string) => {
  const made = typed();
  made.save({ answers, ...(department && { department }) });
  return made;
};

describe('before the first message', () => {
  test('the team is asked first, with what each mode means, and nobody writes yet', () => {
    draw({ stage: 'none', site: bank });
    expect(root.text).toContain('Which team would you like to talk to?');
    expect(root.text).toContain('Sealed: only the people of the team read it.');
    expect(root.text).toContain('Assisted: the server reads it too');
    expect(one('textarea')).toBeUndefined();
  });

  test('an answer that is missing or wrong stays, and is told what is wrong', async () => {
    draw({ stage: 'none', site: bank }, undefined, { shelf: answered({ name: 'Zoë' }, 'cards') });
    const field = one('input');
    field?.fire('input', { currentTarget: { value: 'zoe.example.com' } });
    await drawn();
    one('form')?.fire('submit');
    await drawn();
    expect(root.text).toContain('The mail address lacks an @.');
    expect(one('textarea')).toBeUndefined();
  });

  test('what was answered goes sealed with the first message, what was skipped does not', async () => {
    const kept = answered({ name: 'Zoë', mail: '' }, 'loans');
    const host = { ...alone, path: '/account' };
    const { asked } = draw({ stage: 'none', site: bank }, undefined, { shelf: kept, host });
    await vi.waitFor(() => expect(asked).toEqual(['choose loans']));
    one('textarea')?.fire('input', { currentTarget: { value: 'hi' } });
    await drawn();
    one('textarea')?.fire('keydown', { key: 'Enter', shiftKey: false, isComposing: false });
    expect(asked.slice(-3)).toEqual(['choose loans', 'form name:1:Zoë,page:5:/account', 'say hi']);
  });
});

describe('a reload', () => {
  test('brings back what was typed, and sends what was on its way under its old name', async () => {
    const where = storage();
    const before = typed(where);
    before.save({ draft: 'half a sen', outbox: [{ cid: 'AAAA', text: 'lost' }] });
    const { asked } = draw({}, {}, { shelf: typed(where) });
    await vi.waitFor(() => expect(asked).toContain('say lost as AAAA'));
    expect(one('textarea')?.value).toBe('half a sen');
  });

  test('keeps what is on its way, and forgets what has arrived', async () => {
    const where = storage();
    draw({}, { outgoing: [{ cid: 'BBBB', text: 'soon', state: 'sending' }] }, { shelf: typed(where) });
    await vi.waitFor(() => expect(typed(where).load().outbox).toEqual([{ cid: 'BBBB', text: 'soon' }]));
    draw({}, { outgoing: [] }, { shelf: typed(where) });
    await vi.waitFor(() => expect(typed(where).load().outbox).toEqual([]));
  });

  test('where storage is blocked the page remembers alone', () => {
    const blocked = shelf('x', () => {
      throw new DOMException('', 'SecurityError');
    });
    blocked.save({ draft: 'here' });
    expect(blocked.load().draft).toBe('here');
  });
});

describe('while one waits', () => {
  test.each([
    [{ place: 2, open: true }, 'You are number 2 in the queue.'],
    [{ place: 1, open: true }, 'You are next'],
    [{ place: 1, open: false }, 'Your message is kept sealed for the team'],
  ])('%j', (place, text) => {
    draw({ place }, {});
    expect(root.text).toContain(text);
  });

  test('who writes is shown, and told once until there is something to read', async () => {
    draw({}, { members: [me, team, ana], typing: [ana.leaf] });
    const told = () =>
      root.all((node) => node.attributes.get('role') === 'status' && node.text.includes('writing'));
    expect(told()).toHaveLength(1);
    expect(root.text.match(/Ana is writing/g)).toHaveLength(2);
    draw({}, { members: [me, team, ana], typing: [] });
    await vi.waitFor(() => expect(root.text.match(/Ana is writing/g)).toHaveLength(1));
    expect(told()).toHaveLength(1); // said already: nothing new for who listens
    draw({}, { members: [me, team, ana], typing: [], lines: [...talk.lines, said(ana, 3, 'there')] });
    await vi.waitFor(() => expect(told()).toHaveLength(0));
  });
});

describe('the page around', () => {
  test('hears how much is unread, and of each message that it came, not what it says', async () => {
    const heard: string[] = [];
    const host: Host = {
      ...alone,
      embedded: true,
      shown: false,
      unread: (count) => heard.push(`unread ${count}`),
      message: (mine) => heard.push(`message ${mine}`),
    };
    const { chat, heard: listening } = draw({}, {}, { host });
    await vi.waitFor(() => expect(heard).toEqual(['unread 0']));
    const lines = [...talk.lines, said(ana, 3, 'secret'), said(ana, 4, 'more')];
    vi.spyOn(chat.view, 'get').mockReturnValue({
      link: 'online',
      stage: 'talking',
      site,
      conversation: { ...talk, lines, members: [me, team, ana] },
    });
    for (const changed of listening) changed();
    await vi.waitFor(() => expect(heard).toEqual(['unread 0', 'message false', 'message false', 'unread 2']));
  });
});

describe('acts', () => {
  test('Enter sends what was written, once, and Shift + Enter does not', async () => {
    const { asked } = draw({ stage: 'none' });
    const field = one('textarea');
    field?.fire('input', { currentTarget: { value: ' hi\nyou ' } });
    await drawn();
    field?.fire('keydown', { key: 'Enter', shiftKey: true, isComposing: false });
    expect(asked).toEqual(['typing']);
    field?.fire('keydown', { key: 'Enter', shiftKey: false, isComposing: false });
    await drawn();
    field?.fire('keydown', { key: 'Enter', shiftKey: false, isComposing: false });
    expect(asked).toEqual(['typing', 'say hi\nyou']);
    expect(field?.value).toBe('');
  });

  test('a text that is too long stays and says by how much', async () => {
    const { asked } = draw({ stage: 'none' });
    const field = one('textarea');
    field?.fire('input', { currentTarget: { value: 'ñ'.repeat(4097) } });
    await drawn();
    expect(root.text).toContain('2 B too many');
    one('form')?.fire('submit');
    expect(asked).toEqual(['typing']);
  });

  test('a locked epoch bars the field and names the rule', () => {
    const line: Shown = { kind: 'roster', seq: 3, time, n: 1, reason: 3, members: [me], locked: 'W5' };
    draw({}, { open: false, lines: [...talk.lines, line] });
    expect(root.text).toContain('This device cannot write here');
    expect(root.text).toContain('rule W5');
  });

  test('ending asks first', () => {
    const { asked } = draw({}, {});
    press('End the conversation');
    expect(asked).toEqual([]);
    expect(root.text).toContain('End this conversation?');
    press('Cancel');
    expect(root.text).not.toContain('End this conversation?');
    press('End the conversation');
    press('End');
    expect(asked).toEqual(['close']);
  });

  test.each([
    ['Open again', { closed: true, open: false }, 'reopen'],
    ['Start again', { problem: { code: 'storage' } }, 'restart'],
    ['Send again', { outgoing: [{ cid: 'c', text: 'lost', state: 'failed' as const }] }, 'retry c'],
  ])('%s', (name, conversation, act) => {
    const { asked } = draw({}, conversation);
    press(name);
    expect(asked).toEqual([act]);
  });

  test.each([
    ['while it is open', {}],
    ['after its end', { closed: true, open: false }],
  ])('erasing asks first, %s', (_, conversation) => {
    const { asked } = draw({}, conversation);
    expect(root.all(called('Erase from this browser'))).toHaveLength(1);
    press('Erase from this browser');
    expect(root.text).toContain('This cannot be undone.');
    expect(asked).toEqual([]);
    press('Erase');
    expect(asked).toEqual(['erase']);
  });
});
