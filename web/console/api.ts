// The staff's requests under /api: what is asked, and what the answer must
// look like. The session is a cookie that no script sees.
import { type Check, type Checked, flag, list, maybe, nothing, number, one, record, text } from './shape.ts';

/** Milliseconds until an unanswered request counts as offline. */
const patience = 15_000;

/** An answer that refuses (RFC 9457), or none at all: then its code is `offline`. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  /** Which input, when it was one, and the number that it had to keep. */
  readonly field: string;
  readonly limit: number | undefined;

  constructor(status: number, code: string, field = '', limit?: number) {
    super(`${status} ${code} ${field}`);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
    this.field = field;
    this.limit = limit;
  }
}

const problem = record({ code: maybe(text), field: maybe(text), limit: maybe(number) });

const listeners = new Set<() => void>();

/** Hears that the session has ended; returns how to stop. */
export function onEnd(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Answers to a wrong password or code are no end of a session. */
const entering = /^(session|join|demo|me$|me\/(password|recovery))/;

async function ask<T>(method: string, path: string, check: Check<T>, body?: object): Promise<T> {
  let reply: Response;
  let answer: unknown;
  try {
    reply = await fetch(`/api/${path}`, {
      method,
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(patience),
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const written = await reply.text();
    try {
      answer = written ? JSON.parse(written) : undefined;
    } catch {
      answer = undefined; // a gateway in between answered with a page of its own
    }
  } catch {
    throw new Refused(0, 'offline');
  }
  if (reply.status === 401 && !entering.test(path)) for (const listener of [...listeners]) listener();
  if (!reply.ok) {
    let told: Checked<typeof problem> = { code: undefined, field: undefined, limit: undefined };
    try {
      told = problem(answer);
    } catch {
      // The status says enough.
    }
    throw new Refused(reply.status, told.code ?? `http_${reply.status}`, told.field, told.limit);
  }
  try {
    return check(answer);
  } catch {
    throw new Refused(reply.status, 'bad_answer');
  }
}

const role = one('agent', 'supervisor', 'administrator');
const mode = one('sealed', 'assisted');
const presence = record({ state: one('online', 'away', 'invisible', 'offline'), reason: maybe(text) });
const step = record({ step: one('code', 'enrol-code', 'done') });

const me = record({
  id: text,
  login: text,
  name: text,
  title: maybe(text),
  role,
  departments: list(record({ id: text, name: text, mode })),
  recoveryLeft: maybe(number),
  cap: maybe(number),
  presence: maybe(presence),
  demo: maybe(flag),
});

const person = record({
  id: text,
  login: text,
  name: text,
  title: maybe(text),
  role,
  departments: list(text),
  state: one('invited', 'active', 'suspended'),
  devices: maybe(number),
  cap: maybe(number),
  lastSeen: maybe(number),
});

const department = record({
  id: text,
  name: text,
  mode,
  cap: number,
  people: number,
  waiting: number,
});

const labels = record({ es: maybe(text), en: maybe(text) });
const site = record({
  id: text,
  name: text,
  origins: list(text),
  languages: list(text),
  departments: list(text),
  fields: list(record({ name: text, kind: text, label: labels, required: flag, choices: list(text) })),
  contact: maybe(record({ text: maybe(text), href: maybe(text) })),
  seen: maybe(record({ at: number, origin: text })),
  enabled: flag,
  snippet: text,
  csp: text,
  cspByOrigin: text,
});

const supervision = record({
  queue: list(record({ department: text, waiting: number, oldest: maybe(number) })),
  agents: list(
    record({
      id: text,
      name: text,
      state: one('online', 'away', 'invisible', 'offline'),
      reason: maybe(text),
      open: number,
      cap: number,
    }),
  ),
  alerts: list(record({ kind: text, at: number, who: maybe(text) })),
});

const link = record({ link: text, expires: number });

export type Me = Checked<typeof me>;
export type Role = Me['role'];
export type Presence = Checked<typeof presence>;
export type Person = Checked<typeof person>;
export type Department = Checked<typeof department>;
export type Site = Checked<typeof site>;
export type Supervision = Checked<typeof supervision>;
export type OneTimeLink = Checked<typeof link>;

/** What the administrator writes about a person, and about a site. */
export type PersonDraft = Pick<Person, 'name' | 'title' | 'role' | 'departments' | 'cap'>;
export type SiteDraft = Pick<
  Site,
  'name' | 'origins' | 'languages' | 'departments' | 'fields' | 'contact' | 'enabled'
>;

const named = (...parts: readonly string[]) => parts.map(encodeURIComponent).join('/');

export const api = {
  signIn: (login: string, password: string) => ask('POST', 'session', step, { login, password }),
  code: (code: string) => ask('POST', 'session/code', step, { code }),
  signOut: () => ask('DELETE', 'session', nothing),
  demo: (token: string) => ask('POST', 'demo', nothing, { token }),
  me: () => ask('GET', 'me', me),
  presence: (wanted: Presence) => ask('PUT', 'me/presence', nothing, wanted),
  password: (old: string, fresh: string) => ask('POST', 'me/password', nothing, { old, new: fresh }),
  recovery: (code: string) => ask('POST', 'me/recovery', record({ codes: list(text) }), { code }),

  join: (token: string) =>
    ask('POST', 'join', record({ login: text, name: text, organisation: maybe(text) }), { token }),
  joinPassword: (token: string, password: string) =>
    ask('POST', 'join/password', record({ secret: text, uri: text }), { token, password }),
  joinCode: (token: string, code: string) =>
    ask('POST', 'join/code', record({ recovery: list(text) }), { token, code }),

  people: () => ask('GET', 'people', list(person)),
  invite: (draft: PersonDraft & { readonly login: string }) =>
    ask('POST', 'people', record({ person, link: text, expires: number }), draft),
  changePerson: (id: string, draft: Partial<PersonDraft>) =>
    ask('PATCH', named('people', id), nothing, draft),
  linkPerson: (id: string) => ask('POST', named('people', id, 'link'), link),
  suspend: (id: string) => ask('POST', named('people', id, 'suspend'), nothing),
  resume: (id: string) => ask('POST', named('people', id, 'resume'), nothing),
  removePerson: (id: string) => ask('DELETE', named('people', id), nothing),

  departments: () => ask('GET', 'departments', list(department)),
  changeDepartment: (id: string, cap: number) => ask('PATCH', named('departments', id), nothing, { cap }),

  sites: () => ask('GET', 'sites', list(site)),
  addSite: (id: string, draft: SiteDraft) => ask('POST', 'sites', nothing, { id, ...draft }),
  changeSite: (id: string, draft: Partial<SiteDraft>) => ask('PATCH', named('sites', id), nothing, draft),
  removeSite: (id: string) => ask('DELETE', named('sites', id), nothing),

  setup: () =>
    ask(
      'GET',
      'setup',
      list(record({ step: one('organisation', 'department', 'site', 'people', 'chat'), done: flag })),
    ),
  supervision: () => ask('GET', 'supervision', supervision),
};
