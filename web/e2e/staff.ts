// What the staff's API answers in the tests of the console's pages: the pages
// are the built ones, the server behind them is played.
import type { Page } from 'playwright-core';

const now = Date.UTC(2026, 10, 25, 12);

const departments = [
  { id: 'd1', name: 'Cards and means of payment', mode: 'sealed', cap: 3, people: 4, waiting: 2 },
  { id: 'd2', name: 'General', mode: 'assisted', cap: 5, people: 2, waiting: 0 },
];

/** A name, a login and a title as long as they come. */
const long = {
  name: 'Maximiliana Fernández de Córdoba y Figueroa-Montenegro',
  login: 'maximiliana.fernandez.de.cordoba',
  title: 'Responsable de reclamaciones transfronterizas',
};

const person = (id: string, name: string, state: string, more: object = {}) => ({
  id,
  login: name.split(' ')[0]?.toLowerCase(),
  name,
  title: '',
  role: 'agent',
  departments: ['d1'],
  state,
  devices: 1,
  cap: 0,
  lastSeen: now,
  ...more,
});

/** Answers by path below /api/. */
export const full: Readonly<Record<string, unknown>> = {
  me: {
    id: '1',
    login: 'ana',
    name: 'Ana Pérez',
    title: 'Support',
    role: 'administrator',
    departments,
    recoveryLeft: 7,
    cap: 3,
    presence: { state: 'online' },
    demo: true,
  },
  setup: [
    { step: 'organisation', done: true },
    { step: 'department', done: true },
    { step: 'site', done: false },
    { step: 'people', done: false },
    { step: 'chat', done: false },
  ],
  people: [
    person('1', 'Ana Pérez', 'active', { role: 'administrator', departments: ['d1', 'd2'] }),
    person('2', 'Luis Ortega', 'suspended'),
    person('3', long.name, 'invited', long),
  ],
  departments,
  sites: [
    {
      id: 'bank',
      name: 'Bank',
      origins: ['https://www.bank.example', 'https://customers.bank.example'],
      languages: ['es', 'en'],
      departments: ['d1', 'd2'],
      fields: [
        {
          name: 'reason',
          kind: 'choice',
          label: { es: 'Motivo', en: 'Reason' },
          required: true,
          choices: ['Cards', 'Other'],
        },
      ],
      contact: { text: '900 123 456' },
      seen: { at: now, origin: 'https://www.bank.example' },
      snippet: `<script src="https://chat.bank.example/l/0.js" integrity="sha384-${'A'.repeat(64)}"></script>`,
      enabled: true,
      cspByOrigin: 'script-src https://chat.bank.example; frame-src https://chat.bank.example',
      csp: "script-src 'sha384-…'; frame-src https://chat.bank.example",
    },
  ],
  supervision: {
    queue: [
      { department: 'd1', waiting: 2, oldest: now - 402_000 },
      { department: 'd2', waiting: 0, oldest: 0 },
    ],
    agents: [
      { id: '1', name: 'Ana Pérez', state: 'online', open: 3, cap: 3 },
      { id: '2', name: long.name, state: 'away', reason: 'idle', open: 1, cap: 3 },
    ],
    alerts: [{ kind: 'wait', at: now, who: 'General' }],
  },
};

/** The same with nothing in it. */
export const bare: Readonly<Record<string, unknown>> = {
  ...full,
  people: [],
  sites: [],
  departments: [],
  supervision: { queue: [], agents: [], alerts: [] },
};

/** An answer that refuses, that never comes, or that is cut. */
export type Trouble =
  | { readonly status: number; readonly code: string; readonly field?: string }
  | 'never'
  | 'cut';

/** Plays the staff's API on a page. `troubles` are asked first, by `METHOD path` or the path alone. */
export async function play(
  page: Page,
  answers: Readonly<Record<string, unknown>>,
  troubles: Readonly<Record<string, Trouble | undefined>> = {},
): Promise<void> {
  await page.route('**/api/**', async (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.replace('/api/', '');
    const trouble = troubles[`${request.method()} ${path}`] ?? troubles[path];
    if (trouble === 'never') return;
    if (trouble === 'cut') return route.abort();
    if (trouble) return route.fulfill({ status: trouble.status, json: trouble });
    const answer = answers[`${request.method()} ${path}`] ?? answers[path];
    return answer === undefined ? route.fulfill({ status: 204 }) : route.fulfill({ json: answer });
  });
}
