// The visitor's chat: one conversation, which begins with the first message
// and is found again by the keys that this browser keeps.
import type { Kept, Vault } from '@aldaba/crypto';
import { type Bytes, api as requests, toBytes, toText } from './api.ts';
import type { Problem, SiteView, VisitorChat, VisitorView } from './chat.ts';
import { type Conversation, conversation } from './conversation.ts';
import { ground } from './ground.ts';
import { live } from './live.ts';
import { again } from './pace.ts';
import { waiting } from './place.ts';
import { Failure, passing, problemOf } from './problem.ts';
import { type Socket, socket } from './socket.ts';

/** Looks at the server for a conversation that another window has begun. */
const patience = 5;
/** The reason of a visitor's close (SPEC section 4.3). */
const reasonLeft = 2;
/** Roles of people who answer (SPEC section 4). */
const [agentRole, supervisorRole] = [2, 3];

/** What the server tells of a site to a browser that cannot run the chat. */
export const askSite = async (base: string, name: string): Promise<SiteView> =>
  (await requests(base, () => Promise.reject(new Error('no keys'))).site(name)).shown;

/** `base` is the server's origin, without a slash behind; `name` is the site's, empty for the first one. */
export function visitor(vault: Vault, base: string, name = ''): VisitorChat {
  let stage: VisitorView['stage'] = 'starting';
  let site: SiteView | undefined;
  let problem: Problem | undefined;
  let kept: Kept | undefined;
  /** The conversation that is spoken for, kept or new. */
  let conv: Bytes | undefined;
  /** What a new conversation begins with, until the server has taken it: another try posts the same bytes (L6). */
  let begun: Awaited<ReturnType<Vault['begin']>> | undefined;
  let beginning = false;
  /** How often another window's conversation was looked for at the server. */
  let looks = 0;
  let ready = false;
  let talk: Conversation | undefined;
  let line: Socket | undefined;
  // Counted so that what an earlier start, or one before an erasure, finds out changes nothing.
  let starts = 0;
  let erasures = 0;
  const retry = again();
  /** The department that was chosen, of the site's. */
  let chosen: string | undefined;

  const shown = (): VisitorView => {
    const place = queue.place.get();
    return {
      ...(place && { place }),
      // Without a socket yet, the last request says how it stands.
      link:
        line?.link.get() ??
        (problem?.code === 'offline' ? 'offline' : ready ? 'online' : problem ? 'offline' : 'connecting'),
      stage,
      ...(site && { site }),
      ...(talk && { conversation: talk.view.get() }),
      ...(problem && { problem }),
    };
  };
  /** Somebody has to come: no person is a member yet. */
  const waits = () => {
    const state = talk?.view.get();
    const answered = state?.members.some(({ role }) => role === agentRole || role === supervisorRole);
    return state !== undefined && state.members.length > 0 && !answered && !state.closed;
  };
  const queue = waiting((here) => api.place(here));
  const view = live(shown());
  const show = () => {
    queue.watch(stage === 'talking' && line && waits() ? conv : undefined);
    view.set(shown());
  };
  queue.place.subscribe(() => view.set(shown()));
  const report = (error: unknown) => {
    problem = problemOf(error);
    show();
  };
  const below = ground(vault, base, () => conv, report);
  const { api } = below;

  async function go(): Promise<void> {
    const mine = ++starts;
    line?.stop();
    line = problem = undefined;
    ready = false;
    stage = 'starting';
    show();
    try {
      const found = await below.start(({ org, dept, mode, minPolicy, shown: told }) => {
        site = told;
        return { org, dept, minPolicy, minMode: mode };
      }, name);
      if (mine !== starts) return;
      if (!kept) conv = found.visitor.at(-1);
      kept = found;
      const gone = conv && !begun ? await missing() : undefined;
      if (mine !== starts) return;
      if (gone) {
        // It never reached the server, or was deleted there. The keys stay
        // (L4), and the next message begins another conversation.
        conv = undefined;
        if (talk?.view.get().conv) drop();
        report(gone);
      }
    } catch (error) {
      if (mine !== starts) return;
      stage = 'failed';
      report(error);
      if (passing(error)) retry.later(go);
      return;
    }
    retry.reset();
    ready = true;
    if (conv && !begun) return talking(conv);
    stage = 'none';
    show();
    if (talk) void begin();
  }

  /** Why the server has no session for the kept conversation; undefined when it has one. */
  async function missing(): Promise<Failure | undefined> {
    try {
      await api.session();
    } catch (error) {
      if (error instanceof Failure && [401, 403, 404, 422].includes(error.status)) return error;
      throw error;
    }
    return undefined;
  }

  function present(): Conversation {
    if (!talk) {
      talk = conversation({ ...below });
      talk.view.subscribe(show);
    }
    return talk;
  }

  function drop(): void {
    talk?.stop();
    line?.stop();
    talk = line = undefined;
  }

  function talking(named: Bytes): void {
    const own = socket(base, api.ticket, (error) => own === line && report(error));
    line = own;
    stage = 'talking';
    own.link.subscribe(show);
    present().enter(named, own);
    show();
  }

  /** The department that was chosen, with the mode that the site promised for it. */
  function department(): { readonly dept: Bytes; readonly minMode: 1 | 2 } | undefined {
    const found = site?.departments.find(({ id }) => id === chosen);
    return found && { dept: toBytes(found.id, 16), minMode: found.mode === 'sealed' ? 2 : 1 };
  }

  /**
   * Whether another window has begun a conversation since this one looked: what
   * is said here belongs there. One that the server does not know yet is given
   * some time, for the other window may be about to post it.
   */
  async function joins(): Promise<boolean> {
    const known = new Set(kept?.visitor.map(toText));
    const found = await below.look();
    conv = found.visitor.findLast((one) => !known.has(toText(one)));
    const gone = conv && (await missing());
    if (gone) conv = undefined;
    if (gone && ++looks < patience) throw new Failure(0, 'offline');
    kept = found;
    return conv !== undefined;
  }

  async function begin(): Promise<void> {
    if (beginning || line || !ready) return;
    stage = 'talking';
    show();
    if (
      !present()
        .view.get()
        .outgoing.some((message) => message.state === 'sending')
    )
      return;
    beginning = true;
    const mine = erasures;
    try {
      const joined = !begun && (await joins());
      if (mine !== erasures) {
        conv = undefined;
        return;
      }
      if (joined && conv) {
        if (ready) talking(conv);
        return;
      }
      const made = begun ?? (await below.trusted(() => vault.begin(department())));
      if (mine !== erasures) return await vault.erase(made.conv);
      if (made !== begun && kept) kept = { ...kept, visitor: [...kept.visitor, made.conv] };
      begun = made;
      conv = made.conv;
      await api.begin(made.objects).catch((error) => {
        // An answer that was lost: the server has it already, and a session proves that it is ours.
        if (!(error instanceof Failure) || error.status !== 409) throw error;
      });
      if (mine !== erasures) return api.forget();
      begun = problem = undefined;
      retry.reset();
      if (ready) talking(conv);
    } catch (error) {
      if (mine !== erasures) return report(error);
      if (passing(error)) retry.later(begin);
      else {
        // What was refused once is refused again: the next try makes another one.
        begun = conv = undefined;
        present().fail(error);
      }
      report(error);
    } finally {
      beginning = false;
      // What was said after an erasure waits for a conversation of its own.
      if (mine !== erasures && talk) void begin();
    }
  }

  void go();
  return {
    view,
    say(text, cid) {
      if (!text.trim()) return;
      present().say(text, cid);
      void begin();
    },
    choose(department) {
      chosen = department;
    },
    form(fields, cid) {
      present().form(fields, cid);
      void begin();
    },
    seen() {
      talk?.seen();
    },
    typing() {
      talk?.typing();
    },
    retry(cid) {
      talk?.retry(cid);
      if (talk) void begin();
    },
    close() {
      void talk?.act(
        (state) => !state.closed,
        async (here) => [await vault.close(here, reasonLeft)],
      );
    },
    reopen() {
      void talk?.act(
        (state) => state.closed,
        (here) => vault.reopen(here),
      );
    },
    erase() {
      const gone = conv;
      erasures++;
      drop();
      retry.stop();
      api.forget();
      conv = begun = problem = undefined;
      if (ready) stage = 'none';
      show();
      if (gone) vault.erase(gone).catch(report);
    },
    restart() {
      retry.stop();
      void go();
    },
  };
}
