// One conversation: its entries go through the vault in order, its messages
// wait in an outbox until the log has them.
import type { ConversationState, Field, Line } from '@aldaba/crypto';
import { type Bytes, toBytes, toText } from './api.ts';
import type { ConversationView, Live, Outgoing, Problem, Shown } from './chat.ts';
import type { Ground } from './ground.ts';
import { live } from './live.ts';
import { marks } from './marks.ts';
import { again, inOrder } from './pace.ts';
import { codeOf, Failure, passing, problemOf } from './problem.ts';
import type { Socket } from './socket.ts';
import { typing } from './typing.ts';

/** Bytes of UTF-8 that one message holds (SPEC section 4.3). */
const textLimit = 8192;
/** Entries of one answer; fewer mean that there are no more. */
const pageSize = 200;
/** Roles of people who answer (SPEC section 4). */
const [agentRole, supervisorRole] = [2, 3];
/** How often an epoch may change under a message or an act before a person is told. */
const patience = 5;

// Kinds of objects (SPEC section 3): what stands in a log begins with 1 to 4.
const kindEvent = 3;
const kind = (object: Uint8Array | undefined) => object?.[1] ?? 0;
const isEntry = (object: Uint8Array) => kind(object) >= 1 && kind(object) <= 4;

/** The author had not seen the last epoch: fetch it and seal again. */
const overtaken = (error: unknown) =>
  error instanceof Failure && (error.code === 'conflict' || error.code === 'epoch_stale');

/**
 * A message before the log shows it. It lives in memory: a text that was not
 * sent is lost when the page is closed.
 */
interface Message extends Omit<Outgoing, 'state' | 'problem'> {
  readonly id: Bytes;
  state: Outgoing['state'];
  problem?: Problem | undefined;
  /** What was posted, and the epoch in which it was sealed. A retry posts the same bytes (L6). */
  event?: Bytes | undefined;
  epoch?: number;
}

/** Marks have no line of their own, nor what would be marks if this device had their key. */
const isShown = (line: Line): line is Shown =>
  line.kind !== 'marks' && !(line.kind === 'unreadable' && line.control);

export interface Conversation {
  readonly view: Live<ConversationView>;
  /** Fetches what is missing and follows the channel; also after a failure and after `leave`. */
  enter(conv: Bytes, socket: Socket): void;
  /** Stops following. Messages in the outbox are still sent. */
  leave(): void;
  /** Ends everything. */
  stop(): void;
  /**
   * Queues a text. A blank one is the caller's to drop. A `cid` names a message
   * of an earlier page: when the log has it already, it is not sent again.
   */
  say(text: string, cid?: string): void;
  /** Queues a form, as `say` does a text. */
  form(fields: readonly Field[], cid?: string): void;
  /** A person sees the end of the log. */
  seen(): void;
  /** This person is writing. */
  typing(): void;
  retry(cid: string): void;
  /**
   * Posts what `make` gives while the state is one that wants it; after another
   * epoch came first it asks again. Resolves when it is done or pointless.
   */
  act(
    wanted: (state: ConversationState) => boolean,
    make: (conv: Bytes) => Promise<readonly Bytes[]>,
  ): Promise<void>;
  /** What went wrong outside: a conversation that cannot begin. Messages that wait have failed with it. */
  fail(error: unknown): void;
}

export function conversation({
  api,
  vault,
  trusted,
  cure,
}: Pick<Ground, 'api' | 'vault' | 'trusted' | 'cure'>): Conversation {
  const takes = inOrder();
  const posts = inOrder();
  const refetch = again();
  const resend = again();
  const refollow = again(4_000, 60_000);
  const unlocking = again(4_000, 60_000);
  const writing = typing((here) => api.typing(here));
  let conv: Bytes | undefined;
  let socket: Socket | undefined;
  let unfollow: (() => void) | undefined;
  let state: ConversationState | undefined;
  let lines: readonly Line[] = [];
  let outbox: readonly Message[] = [];
  let problem: Problem | undefined;
  /** Sequence of the next entry to take. */
  let next = 0;
  /** Entries are missing: nothing is sent (L1). */
  let behind = true;
  /** A post found no network: the next one waits for its time. */
  let paused = false;
  /** An entry was refused, or the conversation was left for good. */
  let stopped = false;
  /** The state in which a refresh was tried, by its sequence, and how it ended. */
  let refreshed: { readonly seq: number; readonly error: unknown } | undefined;
  const marked = marks((delivered, read) => posts(() => mark(delivered, read)));

  const shown = (): ConversationView => ({
    conv: conv ? toText(conv) : '',
    lines: lines.filter(isShown),
    ...marked.others,
    outgoing: outbox.map((message) => ({
      cid: message.cid,
      text: message.text,
      ...(message.fields && { fields: message.fields }),
      state: message.state,
      ...(message.problem && { problem: message.problem }),
    })),
    members: state?.members ?? [],
    safety: state?.safety ?? '',
    closed: state?.closed ?? false,
    open: state?.open ?? false,
    acceptable: state?.acceptable ?? false,
    loading: !stopped && behind,
    typing: writing.leaves.get(),
    ...(problem && { problem }),
  });
  const view = live(shown());
  const show = () => view.set(shown());
  writing.leaves.subscribe(show);

  /** One act on the log, in order with the others. The lines that it took are shown even when it fails. */
  const log = (
    act: (
      conv: Bytes,
      take: (object: Bytes | undefined, extras: readonly Bytes[]) => Promise<void>,
    ) => Promise<void>,
  ) =>
    takes(async () => {
      const here = conv;
      if (!here || stopped) return;
      const fresh: Line[] = [];
      try {
        await act(here, async (object, extras) => {
          // One by one: a refusal gives no lines, and those before it must not be lost.
          fresh.push(...(await trusted(() => vault.take(here, next, object ? [object] : [], extras))));
          if (object) next++;
        });
      } finally {
        if (next > 0) state = await vault.state(here);
        // What opened late takes the place of what it was shown as.
        const replaced = new Set(fresh.map(({ seq }) => seq));
        lines = [...lines.filter(({ seq }) => !replaced.has(seq)), ...fresh].sort((a, b) => a.seq - b.seq);
        const known = new Set(
          fresh.map((line) =>
            (line.kind === 'message' || line.kind === 'form') && line.from.mine ? toText(line.cid) : '',
          ),
        );
        outbox = outbox.filter(({ cid }) => !known.has(cid));
        marked.take(fresh);
        for (const line of fresh) if (line.kind === 'message') writing.done(line.from.leaf);
        show();
        unlock(fresh);
      }
    });

  /** The device's keys may have been replaced: with newer ones the last epoch opens after all. */
  function unlock(fresh: readonly Line[]): void {
    const last = fresh.findLast((line) => line.kind === 'roster');
    const rule = last?.locked;
    if (!rule || state?.open) return;
    const attempt = () =>
      void cure(rule)
        .then(async (done) => {
          if (done) {
            await log((_, take) => take(undefined, []));
            pump();
          }
          // The office may take a while to give them out.
          if (rule === 'W1' && isWaiting()) unlocking.later(attempt);
          else unlocking.reset();
        })
        .catch(failed);
    attempt();
  }

  /** Whether it waits for its department, whose keys this device does not have. */
  const isWaiting = () =>
    !stopped &&
    state !== undefined &&
    !state.closed &&
    !state.acceptable &&
    !state.members.some(({ role }) => role === agentRole || role === supervisorRole);

  /** Every entry from the next one on. */
  const pages = () =>
    log(async (here, take) => {
      behind = true;
      for (let count = pageSize; count >= pageSize; ) {
        const objects = await api.entries(here, next);
        const end = objects.findIndex((object) => !isEntry(object));
        count = end < 0 ? objects.length : end;
        const extras = objects.slice(count);
        // Events name no object of others, so only the rest is given extras.
        for (const entry of objects.slice(0, count))
          await take(entry, kind(entry) === kindEvent ? [] : extras);
      }
      // The end: what was seen before must be among it (L2).
      await trusted(() => vault.take(here, next, [], [], true));
      behind = false;
      problem = undefined;
      refetch.reset();
    });

  /** An entry that the socket or the answer of a post brought. Wraps do not travel there, so an epoch is fetched. */
  async function arrive(seq: number, object: Bytes | undefined): Promise<void> {
    await log(async (_, take) => {
      if (!behind && seq === next && object && kind(object) === kindEvent) await take(object, []);
    });
    if (seq >= next) await pages();
  }

  const sync = () =>
    void pages().then(() => {
      if (stopped) return;
      follow();
      wake();
    }, failed);

  function failed(error: unknown): void {
    problem = problemOf(error);
    behind = true;
    if (passing(error)) refetch.later(sync);
    else stopped = true;
    show();
  }

  function follow(): void {
    if (unfollow || !conv || !socket) return;
    const { link } = socket;
    const end = socket.follow(`c:${toText(conv)}`, {
      after: () => Math.max(0, next - 1),
      publication(data, seq) {
        let object: Bytes | undefined;
        try {
          object = typeof data === 'object' && data && 'o' in data ? toBytes(data.o) : undefined;
        } catch {
          // Not an object: the entries say what it was.
        }
        arrive(seq, object).then(pump, failed);
      },
      gap: sync,
      refused: () => {
        // Not the last word: a colleague's acceptance ends the right to follow, and
        // what may still be read says so. Who is a member asks again.
        unfollow?.();
        void pages().then(() => {
          if (state?.open) refollow.later(sync);
        }, failed);
      },
    });
    const deaf = link.subscribe(() => {
      if (link.get() === 'online') behind ? sync() : wake();
    });
    writing.enter(conv, socket);
    unfollow = () => {
      end();
      deaf();
      writing.leave();
      unfollow = undefined;
    };
  }

  /** The network is there, or a person asks: no more waiting. */
  function wake(): void {
    paused = false;
    resend.stop();
    pump();
  }

  /** Sends what waits, in the order in which it was written: one post at a time. */
  const pump = () => void posts(send).catch(failed);

  async function send(): Promise<void> {
    let checked: Message | undefined;
    for (let tries = 0; ; ) {
      await takes(async () => {}); // what has arrived is taken first
      const message = outbox.find((one) => one.state === 'sending');
      const here = conv;
      if (!message || !here || !state || behind || stopped || paused) return;
      if (state.closed) {
        refuse(message, { code: 'closed' });
        tries = 0;
        continue;
      }
      if (!state.open) return;
      try {
        if (message !== checked) {
          checked = message;
          await freshen(here);
          continue; // look again
        }
        if (!message.event || message.epoch !== state.epoch) {
          message.epoch = state.epoch;
          const { id, text, fields } = message;
          const made = await trusted(() =>
            fields ? vault.form(here, fields, id) : vault.say(here, text, id),
          );
          message.event = made.event;
        }
        const { event } = message;
        const seq = await api.post(here, [event]);
        resend.reset();
        await arrive(seq, event).catch(failed);
        // Its line takes it out of the outbox; the server's word does not.
        if (absent(message)) await pages().catch(failed);
        if (absent(message)) {
          message.event = undefined;
          refuse(message, { code: 'lost' });
        }
        tries = 0;
      } catch (error) {
        if (passing(error)) {
          paused = true;
          return resend.later(wake);
        }
        if (overtaken(error) && ++tries < patience) {
          message.event = undefined;
          await pages().catch(failed);
          continue;
        }
        tries = 0;
        refuse(message, problemOf(error));
        // The close is in the log: what follows fails by it.
        if (codeOf(error) === 'closed') await pages().catch(failed);
      }
    }
  }

  /** Posts marks; not while nothing can be sealed. They change no roster: what is stale is a message's to mend. */
  async function mark(delivered: number, read: number): Promise<boolean> {
    await takes(async () => {});
    const here = conv;
    if (!here || !state?.open || state.stale || behind || stopped || paused) return false;
    const event = await trusted(() => vault.mark(here, delivered, read));
    const seq = await api.post(here, [event]);
    await arrive(seq, event).catch(failed);
    return true;
  }

  /** The log has been fetched to its end and does not show the message. */
  const absent = (message: Message) => !behind && !stopped && outbox.includes(message);

  /**
   * Before something is sealed: when a member's certificate no longer holds, a
   * new epoch without that seat comes first (E14). One try for each state; a
   * refusal is the conversation's problem.
   */
  async function freshen(here: Bytes): Promise<void> {
    // Trust may have changed since the last entry.
    await takes(async () => {
      state = await vault.state(here);
    });
    try {
      await change(
        (now) => now.stale && now.open && !now.closed,
        async (named, { seq }) => {
          if (refreshed?.seq === seq) throw refreshed.error;
          refreshed = { seq, error: new Failure(409, 'conflict') };
          return trusted(() => vault.refresh(named));
        },
      );
    } catch (error) {
      if (passing(error)) refreshed = undefined;
      else {
        if (refreshed) refreshed = { ...refreshed, error };
        problem = problemOf(error);
        show();
      }
      throw error;
    }
  }

  /** Posts what `make` gives while the state is one that wants it; another epoch that came first is fetched. */
  async function change(
    wanted: (state: ConversationState) => boolean,
    make: (conv: Bytes, state: ConversationState) => Promise<readonly Bytes[]>,
  ): Promise<void> {
    let objects: readonly Bytes[] | undefined;
    const retry = again();
    for (let tries = 1; ; tries++) {
      await takes(async () => {});
      const here = conv;
      const now = state;
      if (!here || !now || stopped || !wanted(now)) return;
      if (behind) throw new Failure(0, 'offline');
      try {
        objects ??= await make(here, now);
        const seq = await api.post(here, objects);
        return await arrive(seq, objects[0]).catch(failed);
      } catch (error) {
        if (tries === patience || !(passing(error) || overtaken(error))) throw error;
        if (passing(error)) await new Promise<void>((done) => retry.later(done));
        else {
          objects = undefined;
          await pages().catch(failed);
        }
      }
    }
  }

  function queue(text: string, fields?: readonly Field[], named?: string): Message {
    const id = named ? toBytes(named, 16) : crypto.getRandomValues(new Uint8Array(16));
    const message: Message = { id, cid: toText(id), text, ...(fields && { fields }), state: 'sending' };
    outbox = [...outbox, message];
    return message;
  }

  function refuse(message: Message, why: Problem): void {
    message.state = 'failed';
    message.problem = why;
    show();
  }

  return {
    view,
    enter(named, line) {
      if (unfollow && socket !== line) unfollow();
      conv = named;
      socket = line;
      stopped = false;
      show();
      sync();
    },
    leave() {
      unfollow?.();
      socket = undefined; // a fetch that is under way follows nothing at its end
    },
    stop() {
      stopped = true;
      unfollow?.();
      refetch.stop();
      resend.stop();
      refollow.stop();
      unlocking.stop();
      marked.stop();
    },
    say(raw, named) {
      const text = raw.replaceAll('\r\n', '\n').normalize('NFC');
      if (named && outbox.some(({ cid }) => cid === named)) return;
      const message = queue(text, undefined, named);
      if (new TextEncoder().encode(text).length > textLimit) refuse(message, { code: 'too_long' });
      show();
      pump();
    },
    form(fields, named) {
      if (named && outbox.some(({ cid }) => cid === named)) return;
      queue('', fields, named);
      show();
      pump();
    },
    seen: marked.seen,
    typing() {
      if (state?.open) writing.mine();
    },
    retry(cid) {
      const message = outbox.find((one) => one.cid === cid);
      if (message?.state !== 'failed' || message.problem?.code === 'too_long') return;
      message.state = 'sending';
      message.problem = undefined;
      refreshed = undefined; // a person asks once more
      show();
      wake();
    },
    act(wanted, make) {
      return posts(async () => {
        if (conv && state && wanted(state)) await freshen(conv);
        await change(wanted, (here) => trusted(() => make(here)));
      }).then(
        () => {
          if (!behind) problem = undefined;
          show();
          pump();
        },
        (error) => {
          problem = problemOf(error);
          show();
        },
      );
    },
    fail(error) {
      problem = problemOf(error);
      for (const message of outbox) if (message.state === 'sending') refuse(message, problem);
      show();
    },
  };
}
