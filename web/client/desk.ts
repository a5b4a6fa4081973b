// The agent's desk: the device's way to its keys, the queue of its
// departments, and the conversation that is open.
import type { Vault } from '@aldaba/crypto';
import { type Bytes, toBytes } from './api.ts';
import type { AgentDesk, DeskView, News, Problem, QueueItem } from './chat.ts';
import { type Conversation, conversation } from './conversation.ts';
import { ground } from './ground.ts';
import { live } from './live.ts';
import { again } from './pace.ts';
import { Failure, passing, problemOf } from './problem.ts';
import { type Socket, socket } from './socket.ts';

/** The reason of an agent's close (SPEC section 4.3). */
const reasonSolved = 1;
/** Milliseconds between two looks at the queue, and at least after a hint. */
const queueAge = 30_000;
const hintPause = 250;
/** Milliseconds between two questions whether somebody has signed: the first and the longest. */
const pollFirst = 1000;
const pollMost = 10_000;

/** The server has forgotten the request; what was made of it lives on. */
function unlessForgotten(error: unknown): undefined {
  if (!(error instanceof Failure) || passing(error)) throw error;
}

/** `base` is the server's origin, without a slash behind. */
export function desk(vault: Vault, base: string): AgentDesk {
  let stage: DeskView['stage'] = 'starting';
  let problem: Problem | undefined;
  let queue: readonly QueueItem[] = [];
  let current: Conversation | undefined;
  let line: Socket | undefined;
  /** How far the device is, and its request's name; the vault says it once, then it is followed here. */
  let device: 'none' | 'asked' | 'certified' | 'ready' | undefined;
  let enrolment: Bytes | undefined;
  let keyObject: Bytes | undefined;
  /** Conversations by name. They stay while the page lives: the vault gives each line once. */
  const talks = new Map<string, Conversation>();
  /** How far the person has looked, by conversation; what was there when the page came counts as seen. */
  const seen = new Map<string, number>();
  /** The connection on which each conversation is followed. */
  const followed = new Map<string, Socket>();
  /** Conversations that were in the last queue. */
  let known: ReadonlySet<string> | undefined;
  let looking = true;
  const listeners = new Set<(news: News) => void>();
  /** What follows each department's hints. */
  const hints = new Map<string, () => void>();
  /** Certificates and department keys that the vault was given while this page lives. */
  const handed = new Set<string>();
  /** Counts starts: what an earlier one finds out changes nothing. */
  let starts = 0;
  const retry = again();
  const refresh = again(queueAge, queueAge);
  let hinted: ReturnType<typeof setTimeout> | undefined;
  let waiting = again();

  const shown = (): DeskView => ({
    link:
      line?.link.get() ??
      (stage === 'starting' ? 'connecting' : problem?.code === 'offline' ? 'offline' : 'online'),
    stage,
    queue,
    unread: unread(),
    ...(current && { current: current.view.get() }),
    ...(problem && { problem }),
  });
  const view = live(shown());
  const show = () => view.set(shown());
  const at = (next: DeskView['stage']) => {
    stage = next;
    show();
  };
  const report = (error: unknown) => {
    problem = problemOf(error);
    show();
  };
  const below = ground(vault, base, () => undefined, report, renew);
  const { api } = below;

  const saw = (conv: string) => seen.set(conv, talks.get(conv)?.view.get().lines.at(-1)?.seq ?? 0);

  function unread(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { conv, state } of queue) {
      const talk = state === 'mine' ? talks.get(conv) : undefined;
      const last = seen.get(conv);
      if (!talk || last === undefined) continue;
      const fresh = talk.view
        .get()
        .lines.filter((line) => line.kind === 'message' && !line.from.mine && line.seq > last).length;
      if (fresh > 0) counts.set(conv, fresh);
    }
    return counts;
  }

  const tell = (news: News) => {
    for (const listener of [...listeners]) listener(news);
  };

  /** The conversation of a name, and what follows when it changes. */
  function talkOf(conv: string): Conversation {
    const kept = talks.get(conv);
    if (kept) return kept;
    const talk = conversation(below);
    let counted = 0;
    talk.view.subscribe(() => {
      if (!talk.view.get().loading && (!seen.has(conv) || (looking && talk === current))) saw(conv);
      show();
      const fresh = view.get().unread.get(conv) ?? 0;
      if (fresh > counted) tell({ kind: 'message', conv });
      counted = fresh;
    });
    talks.set(conv, talk);
    return talk;
  }

  /** The conversation, followed from now on. */
  function enter(conv: string, own: Socket): Conversation {
    const named = toBytes(conv, 32);
    const talk = talkOf(conv);
    if (followed.get(conv) === own) return talk;
    followed.set(conv, own);
    talk.enter(named, own);
    return talk;
  }

  /** Follows every conversation of mine, so that it is here when it is opened, and lets go of what is not. */
  function follow(): void {
    const own = line;
    if (!own) return;
    const mine = queue.filter(({ state }) => state === 'mine').map(({ conv }) => conv);
    for (const conv of mine) enter(conv, own);
    for (const [conv, talk] of talks) {
      if (talk === current || mine.includes(conv)) continue;
      talk.leave();
      followed.delete(conv);
    }
    const before = known;
    known = new Set(queue.map(({ conv }) => conv));
    for (const { conv, state } of queue)
      if (before && state === 'waiting' && !before.has(conv)) tell({ kind: 'waiting', conv });
  }

  async function go(): Promise<void> {
    const mine = ++starts;
    halt();
    problem = undefined;
    at('starting');
    try {
      const kept = await below.start(({ org, minPolicy }) => ({ org, minPolicy, minMode: 1 }));
      if (mine !== starts) return;
      device ??= kept.device;
      enrolment ??= kept.enrolment;
      await proceed(mine);
    } catch (error) {
      if (mine !== starts) return;
      stage = 'failed';
      report(error);
      if (passing(error)) retry.later(go);
    }
  }

  /** A device's certificate lasts for days and a department's keys for weeks: takes the newer ones that are there. */
  async function renew(): Promise<void> {
    if (device !== 'ready') return;
    const cert = enrolment && (await api.enrolment(enrolment).catch(unlessForgotten));
    if (cert && !handed.has(String(cert))) {
      const own = await below.trusted(() => vault.certified(cert));
      api.forget(); // the key object is posted by the certificate that it belongs to
      await api.keyObject(own);
      handed.add(String(cert));
      line?.renew(); // its ticket was the older certificate's
    }
    await take(await api.departmentKeys());
  }

  /** Gives the vault what it was not given. One of an ended generation may be refused when there are others. */
  async function take(keys: readonly (readonly [Bytes, Bytes])[]): Promise<void> {
    let refused: unknown;
    for (const pair of keys) {
      if (handed.has(String(pair))) continue;
      try {
        await below.trusted(() => vault.department(...pair));
        handed.add(String(pair));
      } catch (error) {
        if (passing(error)) throw error;
        refused ??= error;
      }
    }
    const known = keys.some((pair) => handed.has(String(pair)));
    if (refused && !(known && device === 'ready')) throw refused;
  }

  /** From wherever the device stands to the queue. Returns early when it needs a person. */
  async function proceed(mine: number): Promise<void> {
    retry.reset();
    if (device === 'ready') {
      await below.renew().catch((error) => {
        if (passing(error)) throw error;
        if (mine === starts) report(error);
      });
    }
    if (device === 'asked' && enrolment) {
      at('asked');
      const cert = await signed(enrolment, mine);
      if (!cert) return;
      await below.trust();
      keyObject = await below.trusted(() => vault.certified(cert));
      if (mine !== starts) return;
      device = 'certified';
    }
    if (device === 'certified') {
      at('certified');
      // After a reload nobody knows whether the key object arrived: it is made and
      // posted again, unless the server has forgotten the request.
      const id = keyObject ? undefined : enrolment;
      if (id) {
        const cert = await poll(mine, async () => (await api.enrolment(id)) ?? null).catch(unlessForgotten);
        if (cert) keyObject = await below.trusted(() => vault.certified(cert));
      }
      const own = keyObject;
      if (own) await poll(mine, () => api.keyObject(own).then(() => true));
      const keys = await poll(mine, async () => {
        const pairs = await api.departmentKeys();
        return pairs.length > 0 ? pairs : undefined;
      });
      if (!keys) return;
      await below.trust();
      await take(keys);
      device = 'ready';
    }
    if (mine !== starts) return;
    if (device === 'ready') open();
    else at('enrol');
  }

  /** The certificate, once somebody has signed; undefined when the request came to nothing and the device must ask again. */
  async function signed(id: Bytes, mine: number): Promise<Bytes | undefined> {
    try {
      return await poll(mine, () => api.enrolment(id));
    } catch (error) {
      if (!(error instanceof Failure) || mine !== starts) throw error;
      device = 'none';
      enrolment = undefined;
      problem = { code: 'invitation', rule: error.rule };
      at('enrol');
      return undefined;
    }
  }

  /** Asks until there is an answer, through a lost network too; undefined when another start has begun. */
  async function poll<T>(mine: number, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    waiting.stop();
    waiting = again(pollFirst, pollMost);
    const pause = waiting;
    while (mine === starts) {
      try {
        const answer = await ask();
        if (problem?.code === 'offline') problem = undefined;
        if (mine !== starts) return undefined;
        show();
        if (answer !== undefined) return answer;
      } catch (error) {
        if (!passing(error)) throw error;
        if (mine === starts) report(error);
      }
      await new Promise<void>((done) => pause.later(done));
    }
    return undefined;
  }

  function open(): void {
    const own = socket(base, api.ticket, (error) => own === line && report(error));
    line = own;
    own.link.subscribe(show);
    at('ready');
    look();
    const shownTalk = current?.view.get().conv;
    if (shownTalk) enter(shownTalk, own);
    follow();
  }

  /** Looks at the queue now, and again after a while; hints that come meanwhile are one. */
  function look(): void {
    const own = line;
    if (!own) return;
    clearTimeout(hinted);
    hinted = undefined;
    refresh.later(look);
    api.queue().then(
      (found) => {
        if (own !== line) return;
        queue = found.conversations;
        follow();
        if (problem?.code === 'offline') problem = undefined;
        for (const [dept, end] of hints) {
          if (found.departments.includes(dept)) continue;
          end();
          hints.delete(dept);
        }
        for (const dept of found.departments) if (!hints.has(dept)) hints.set(dept, watch(own, dept));
        show();
      },
      (error) => own === line && report(error),
    );
  }

  const hint = () => {
    hinted ??= setTimeout(look, hintPause);
  };
  const watch = (own: Socket, dept: string) =>
    own.follow(`q:${dept}`, {
      publication: hint,
      gap: hint,
      refused: (code) => own === line && report(new Failure(403, code)),
    });

  function halt(): void {
    line?.stop();
    line = undefined;
    hints.clear();
    clearTimeout(hinted);
    hinted = undefined;
    refresh.stop();
    retry.stop();
    waiting.stop();
  }

  async function enrol(invitation: string): Promise<void> {
    const mine = starts;
    problem = undefined;
    try {
      const { request, mac } = await vault.enrol(invitation);
      at('asked');
      const id = await poll(mine, () => api.enrol(request, mac));
      if (!id) return;
      enrolment = id;
      device = 'asked';
    } catch (error) {
      if (mine !== starts) return;
      const { code, rule } = problemOf(error);
      problem = code === 'refused' && rule ? { code: 'invitation', rule } : { code };
      return at('enrol');
    }
    try {
      await proceed(mine);
    } catch (error) {
      if (mine !== starts) return;
      stage = 'failed';
      report(error);
    }
  }

  /** Adds, gives, and goes: each is an entry that everybody sees. What fails is the conversation's problem. */
  async function bring(talk: Conversation, cert: Bytes, key: Bytes, leave: boolean): Promise<void> {
    await below.trusted(() => vault.trust([cert, key]));
    const members = () => talk.view.get().members;
    const known = members().map(({ leaf }) => leaf);
    const ready = (state: { readonly open: boolean }) => state.open;
    await talk.act(ready, (conv) => vault.transfer(conv, cert, false));
    const came = members().findLast(({ leaf }) => !known.includes(leaf))?.leaf;
    if (came === undefined) return;
    await talk.act(ready, async (conv) => [await vault.grant(conv, came)]);
    const mine = members().filter((member) => member.mine);
    if (!leave || talk.view.get().problem) return;
    const leaves = mine.map(({ leaf }) => leaf);
    await talk.act(ready, (conv) => vault.remove(conv, leaves));
  }

  void go();
  return {
    view,
    enrol(invitation) {
      if (stage !== 'enrol') return;
      stage = 'asked'; // a second press asks nothing
      void enrol(invitation);
    },
    another() {
      if (stage !== 'asked') return;
      starts++; // what waits for the certificate ends
      problem = undefined;
      at('enrol');
    },
    select(conv) {
      if (!line || current?.view.get().conv === conv) return;
      try {
        toBytes(conv, 32);
      } catch (error) {
        return report(error);
      }
      if (current) {
        const left = current.view.get().conv;
        if (!queue.some((item) => item.conv === left && item.state === 'mine')) {
          current.leave();
          followed.delete(left);
        }
      }
      // What stopped before is tried again by whoever opens it.
      if (talks.get(conv)?.view.get().problem) followed.delete(conv);
      current = talkOf(conv);
      enter(conv, line);
      saw(conv);
      show();
    },
    look(now) {
      looking = now;
      const open = current?.view.get();
      if (!looking || !open || open.loading) return;
      saw(open.conv);
      show();
    },
    hear(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    typing() {
      current?.typing();
    },
    accept() {
      void current
        ?.act(
          (state) => state.acceptable,
          (conv) => vault.accept(conv),
        )
        .then(look);
    },
    say(text) {
      if (text.trim()) current?.say(text);
    },
    seen() {
      current?.seen();
    },
    retry(cid) {
      current?.retry(cid);
    },
    close() {
      void current
        ?.act(
          (state) => !state.closed,
          async (conv) => [await vault.close(conv, reasonSolved)],
        )
        .then(look);
    },
    reopen() {
      void current
        ?.act(
          (state) => state.closed,
          (conv) => vault.reopen(conv),
        )
        .then(look);
    },
    bring(cert, key, leave) {
      if (current) void bring(current, cert, key, leave).then(look, report);
    },
    restart() {
      void go();
    },
  };
}
