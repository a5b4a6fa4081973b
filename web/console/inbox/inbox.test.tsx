import type { AgentDesk, ConversationView, DeskView, QueueItem } from '@aldaba/client';
import type { Line, Member } from '@aldaba/crypto';
import { type ComponentProps, createElement, type ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import type { Me } from '../api.ts';
import { Lacks } from '../notice.tsx';
import { Words } from '../words.tsx';
import { Inbox } from './inbox.tsx';

const visitor: Member = { leaf: 0, role: 1, name: '', title: '', custody: 1, mine: false };
const team: Member = { leaf: 1, role: 4, name: 'Support', title: '', custody: 1, mine: false };
const me: Member = { leaf: 2, role: 2, name: 'Ana', title: '', custody: 1, mine: true };
const time = new Date(2026, 10, 24, 12).getTime();
const hello: Line = {
  kind: 'message',
  seq: 2,
  time,
  from: visitor,
  cid: new Uint8Array(16),
  text: 'Hello <b>you</b>',
};
const talk: ConversationView = {
  conv: 'AbCdEfGhIj',
  lines: [{ kind: 'roster', seq: 1, time, n: 0, reason: 0, members: [visitor, team] }, hello],
  outgoing: [],
  members: [visitor, team, me],
  safety: '00000 11111 22222 33333 44444 55555 66666 77777',
  closed: false,
  open: true,
  delivered: 0,
  read: 0,
  acceptable: false,
  loading: false,
  typing: [],
};
const queue: readonly QueueItem[] = [
  { conv: 'mineaa', state: 'mine', at: time, seq: 1, agents: [] },
  { conv: 'oldest', state: 'waiting', at: time - 5000, seq: 1, agents: [] },
  { conv: 'newest', state: 'waiting', at: time, seq: 1, agents: [] },
];

/** A desk that stands still and notes what is asked of it. */
function sitting(view: Partial<DeskView>): AgentDesk {
  const shown: DeskView = { link: 'online', stage: 'ready', queue: [], unread: new Map(), ...view };
  const nothing = () => undefined;
  return {
    view: { get: () => shown, subscribe: () => nothing },
    enrol: nothing,
    select: nothing,
    look: nothing,
    hear: () => nothing,
    typing: nothing,
    accept: nothing,
    say: nothing,
    seen: nothing,
    reopen: nothing,
    bring: nothing,
    retry: nothing,
    close: nothing,
    restart: nothing,
    another: nothing,
  };
}

const ana: Me = {
  id: '1',
  login: 'ana',
  name: 'Ana',
  title: 'Support',
  role: 'agent',
  departments: [{ id: 'd1', name: 'Cards', mode: 'sealed' }],
  recoveryLeft: 8,
  cap: 3,
  presence: { state: 'online', reason: undefined },
  demo: false,
};

/** Markup in English. */
const markup = (part: ReactElement) =>
  renderToStaticMarkup(
    createElement(Words, { language: 'en' } as ComponentProps<typeof Words>, part),
  ).replaceAll('&#x27;', "'");

/** The page's markup for a view. */
function drawn(view: Partial<DeskView>, invitation = ''): string {
  const shown = sitting(view);
  return markup(createElement(Inbox, { me: ana, desk: shown, view: shown.view.get(), invitation }));
}
const has = (...parts: string[]) => parts.map((part) => expect.stringContaining(part));

describe('stages', () => {
  test.each<[string, Partial<DeskView>, string[]]>([
    ['starting', { stage: 'starting', link: 'connecting' }, ['Inbox</h1>', 'Fetching the conversation…']],
    ['enrol', { stage: 'enrol' }, ['Enrol this device', 'Invitation</label>', '>Enrol</button>']],
    [
      'enrol, refused',
      { stage: 'enrol', problem: { code: 'invitation' } },
      ['aria-invalid="true"', 'This invitation is not right'],
    ],
    ['asked', { stage: 'asked' }, ['aria-current="step"', 'has to approve it', 'Use another invitation']],
    ['certified', { stage: 'certified' }, ['Your device is approved.']],
    [
      'ready and empty',
      {},
      ['No conversations yet', 'When a visitor writes', 'up to 3 at once', '0 of 3 chats'],
    ],
    [
      'ready',
      { queue },
      [
        'Waiting <span>2</span>',
        'Mine <span>1</span>',
        'No conversation is open',
        'See who waits longest (2)',
      ],
    ],
    [
      'failed',
      { stage: 'failed', problem: { code: 'storage' } },
      ['The desk could not start', 'keep its keys', 'Start again'],
    ],
  ])('%s', (_, view, parts) => {
    const html = drawn(view);
    for (const part of has(...parts)) expect(html).toEqual(part);
    expect(html.match(/<h1/g)).toHaveLength(1);
  });

  test.each<[string, Partial<DeskView>]>([
    ['at the start', { stage: 'failed', problem: { code: 'refused', rule: 'K3' } }],
    ['later', { problem: { code: 'refused', rule: 'K3' } }],
    ['in a conversation', { current: { ...talk, problem: { code: 'refused', rule: 'K3' } } }],
  ])('[K3] another organisation than before, %s: what to do, and no button that hides it', (_, view) => {
    const html = drawn(view);
    expect(html).toContain('This page now speaks for another organisation than before');
    expect(html).toContain('Do not write here; ask the company by another way.');
    expect(html).not.toContain('Start again');
  });

  test('too many requests are told, a server that is away is the state of the link', () => {
    expect(drawn({ problem: { code: 'offline', rule: 'rate_limited' } })).toContain('Too many requests');
    expect(drawn({ problem: { code: 'offline' } })).not.toContain('role="alert"');
  });

  test('an invitation of the address stands in the field, in groups', () => {
    expect(drawn({ stage: 'enrol' }, 'abcdefghjkmnpqrstvwxyz01234567')).toContain(
      'value="ABCDE-FGHJK-MNPQR-STVWX-YZ012-34567"',
    );
  });

  test('mine are on top, then who waits, longest first; of the team it says who answers', () => {
    const team: QueueItem = { conv: 'theirs', state: 'team', at: time, seq: 1, agents: ['Luis'], dept: 'd1' };
    const html = drawn({ queue: [...queue, team] });
    const order = ['mineaa', 'oldest', 'newest', 'theirs'].map((conv) => html.indexOf(`Visitor ${conv}`));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(html).toContain('Cards · Luis');
  });

  test('messages that nobody looked at are counted, in words too', () => {
    const html = drawn({ queue, unread: new Map([['mineaa', 120]]) });
    expect(html).toContain('>99</span><span class="hidden">120 unread</span>');
  });

  test('without a connection it says that texts wait, only where texts are written', () => {
    expect(drawn({ link: 'offline' })).toContain('What you write goes out when it returns');
    expect(drawn({ link: 'offline', stage: 'asked' })).not.toContain('What you write');
  });

  test('what the browser lacks is named', () => {
    const html = markup(createElement(Lacks, { lacks: ['X25519', 'https'] }));
    expect(html).toContain('lacks: X25519 and a page opened by https.');
  });
});

describe('a conversation', () => {
  const current = (more: Partial<ConversationView>) => drawn({ queue, current: { ...talk, ...more } });

  test('shows its lines as text, who reads, and the number to compare', () => {
    const html = current({});
    expect(html).toContain('Hello &lt;b&gt;you&lt;/b&gt;');
    expect(html).toContain('Sealed from end to end. Can read: the visitor and Support (whole team).');
    expect(html).toContain('Can read: the visitor, Support (whole team), and you');
    expect(html).toContain('<span>77777 </span>');
    expect(html).toContain('role="log"');
  });

  test.each<[string, Partial<ConversationView>, string[], string[]]>([
    ['open', {}, ['<textarea', '>Close</span>'], ['>Accept<', 'disabled=""']],
    [
      'waiting',
      { open: false, acceptable: true },
      ['Accept</button>', 'Waiting for an answer'],
      ['<textarea', '>Close</span>'],
    ],
    [
      'closed',
      { open: false, closed: true },
      ['This conversation is closed', 'Open again'],
      ['<textarea', '>Accept<'],
    ],
    ['another agent has it', { open: false }, ['disabled=""', 'Somebody else answers here'], ['>Accept<']],
    ['loading', { open: false, loading: true }, ['disabled=""', 'Wait until', 'aria-busy="true"'], []],
    [
      'locked',
      {
        open: false,
        lines: [{ kind: 'roster', seq: 1, time, n: 1, reason: 3, members: [visitor], locked: 'W5' }],
      },
      ['disabled=""', 'no keys of this conversation (rule W5)', 'cannot read (rule W5)'],
      [],
    ],
    [
      'refused',
      { problem: { code: 'refused', rule: 'L3' } },
      ['role="alert"', 'refused by rule L3', 'Start again'],
      [],
    ],
    [
      'a message failed',
      { outgoing: [{ cid: 'c', text: 'lost', state: 'failed', problem: { code: 'too_long' } }] },
      ['Not sent.', 'The text is too long.', 'Send again'],
      ['Sending…'],
    ],
    [
      'a message is on its way',
      { outgoing: [{ cid: 'c', text: 'going', state: 'sending' }] },
      ['going', 'Sending…'],
      ['Send again'],
    ],
  ])('%s', (_, more, there, absent) => {
    const html = current(more);
    for (const part of there) expect(html).toContain(part);
    for (const part of absent) expect(html).not.toContain(part);
  });
});
