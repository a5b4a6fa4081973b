// The staff's pages in every state, light and dark, in both languages, wide and
// at 320 pixels, which is 400 % of 1280 (WCAG 1.4.10): no violation of axe, no
// complaint of the browser, nothing wider than the page.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bare, full, play, type Trouble } from './staff.ts';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-console-'));
/** Where pictures go when somebody wants to look at them. */
const pictures = process.env.PICTURES;

let server: ChildProcess;
let browser: Browser;
let origin: string;

beforeAll(async () => {
  server = spawn(binary, ['run', '--demo=on', '--address=127.0.0.1:0', `--folder=${join(folder, 'data')}`]);
  let output = '';
  await new Promise<void>((done, failed) => {
    const read = (chunk: unknown) => {
      output += String(chunk);
      const [, found] = /^ana .* (http\S+?\/)#/m.exec(output) ?? [];
      if (!found) return;
      origin = found;
      done();
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', () => failed(new Error(`aldaba ended: ${output}`)));
    server.on('error', failed);
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  if (pictures) mkdirSync(pictures, { recursive: true });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

interface Look {
  readonly locale: 'en' | 'es';
  readonly dark?: boolean;
  readonly width?: number;
}

interface Case {
  readonly at: string;
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly troubles?: Readonly<Record<string, Trouble | undefined>>;
  /** What is to be seen before the page is looked at, by language. */
  readonly shows: Readonly<Record<'en' | 'es', string | RegExp>>;
  readonly act?: (page: Page, locale: 'en' | 'es') => Promise<void>;
}

const out: Record<string, Trouble> = { me: { status: 401, code: 'not_signed_in' } };

async function open(name: string, one: Case, look: Look) {
  const context = await browser.newContext({
    locale: look.locale,
    colorScheme: look.dark ? 'dark' : 'light',
    viewport: { width: look.width ?? 1440, height: 800 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Chromium reports every answer that refuses, and every request that is cut.
    if (message.type() === 'error' && !/status of \d|ERR_FAILED/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await play(page, one.answers ?? full, one.troubles);
  await page.goto(origin + one.at);
  await one.act?.(page, look.locale);
  await page.getByText(one.shows[look.locale]).first().waitFor();
  if (pictures)
    await page.screenshot({ path: join(pictures, `${name.replaceAll(/\W+/g, '-')}-${look.locale}.png`) });
  return { page, complaints, close: () => context.close() };
}

/** The rules of WCAG 2.2 AA and best practice that the page breaks. */
async function violations(page: Page): Promise<string[]> {
  // Through the debugger's protocol, so that the page's own policy stays in force.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { run } = (globalThis as unknown as { axe: typeof import('axe-core') }).axe;
    const result = await run(document, { runOnly: tags });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
}

const looks: readonly Look[] = [{ locale: 'en' }, { locale: 'es', dark: true, width: 320 }];

const secret = {
  secret: 'JBSWY3DPEHPK3PXP',
  uri: 'otpauth://totp/Bank:luis?secret=JBSWY3DPEHPK3PXP&issuer=Bank',
};
const joining = {
  join: { login: 'luis', name: 'Luis Ortega', organisation: 'Bank' },
  'join/password': secret,
  'join/code': { recovery: ['7K2M-9QPX', 'H4TB-2WNC'] },
};
const fillPassword = async (page: Page) => {
  await page.locator('input[name=password]').fill('a sentence of some length');
  await page.locator('button[type=submit]').click();
};

const cases: Readonly<Record<string, Case>> = {
  'sign-in, refused': {
    at: 'sign-in',
    troubles: { ...out, 'POST session': { status: 403, code: 'wrong_password', field: 'password' } },
    async act(page) {
      await page.locator('input[name=username]').fill('ana');
      await fillPassword(page);
    },
    shows: {
      en: 'The user name or the password is not right',
      es: 'El usuario o la contraseña no son correctos',
    },
  },
  'sign-in, the code': {
    at: '',
    answers: { ...full, 'POST session': { step: 'code' } },
    troubles: out,
    async act(page) {
      await page.locator('input[name=username]').fill('ana');
      await fillPassword(page);
    },
    shows: { en: 'Six digits, or one of your recovery codes.', es: 'Seis dígitos, o uno' },
  },
  'joining, the password is too common': {
    at: 'join#token',
    answers: joining,
    troubles: { ...out, 'join/password': { status: 400, code: 'password_common', field: 'password' } },
    act: fillPassword,
    shows: { en: 'everybody tries first', es: 'todo el mundo prueba primero' },
  },
  'joining, the app': {
    at: 'join#token',
    answers: joining,
    troubles: out,
    act: fillPassword,
    shows: { en: 'Set up your code app', es: 'Prepare su aplicación de códigos' },
  },
  'joining, the recovery codes': {
    at: 'join#token',
    answers: joining,
    troubles: out,
    async act(page) {
      await fillPassword(page);
      await page.locator('input[name=one-time-code]').fill('123456');
      await page.locator('button[type=submit]').click();
      await page.locator('input[type=checkbox]').waitFor();
      // It looks switched off, and says why when it is pressed.
      await page.locator('button[type=submit]').click({ force: true });
    },
    shows: { en: 'Keep them before you go on', es: 'Guárdelos antes de seguir' },
  },
  'joining, the link has ended': {
    at: 'join#token',
    troubles: { ...out, join: { status: 404, code: 'link_ended', field: 'token' } },
    shows: { en: 'This link does not work any more', es: 'Este enlace ya no sirve' },
  },
  'joining without the token': {
    at: 'join',
    troubles: out,
    shows: { en: 'The invitation is missing', es: 'Falta la invitación' },
  },
  'the server is away': {
    at: '',
    troubles: { me: 'cut' },
    shows: { en: 'This could not be loaded', es: 'No se ha podido cargar' },
  },
  'an address that is none': {
    at: 'nothing',
    shows: { en: 'There is nothing here', es: 'Aquí no hay nada' },
  },
  'inbox, no device yet': {
    at: '',
    shows: { en: 'Enrol this device', es: 'Registrar este dispositivo' },
  },
  'the account': {
    at: 'settings',
    async act(page, locale) {
      await page.getByRole('button', { name: locale === 'en' ? /Your account/ : /Su cuenta/ }).click();
    },
    shows: { en: 'Sound when something new comes', es: 'Sonido al llegar algo nuevo' },
  },
  ...Object.fromEntries(
    (
      [
        ['supervision', 'supervision', 'Agents', 'Agentes'],
        ['settings', 'setup', '3 steps left', 'Faltan 3 pasos'],
        ['people', 'people', 'Luis Ortega', 'Luis Ortega'],
        ['sites', 'sites', 'Lines for your page', 'Líneas para su página'],
        ['departments', 'departments', 'The server can read too', 'El servidor también puede leer'],
      ] as const
    ).flatMap(([at, asked, en, es]) => [
      [`${at}, full`, { at, shows: { en, es } }],
      [`${at}, loading`, { at, troubles: { [asked]: 'never' }, shows: { en: /./, es: /./ } }],
      [
        `${at}, failed`,
        {
          at,
          troubles: { [asked]: { status: 500, code: 'internal' } },
          shows: { en: 'This could not be loaded', es: 'No se ha podido cargar' },
        },
      ],
    ]) as [string, Case][],
  ),
  'supervision, empty': {
    at: 'supervision',
    answers: bare,
    shows: { en: 'No agents yet', es: 'Todavía no hay agentes' },
  },
  'people, empty': {
    at: 'people',
    answers: bare,
    shows: { en: 'Nobody else yet', es: 'Todavía no hay nadie más' },
  },
  'sites, empty': { at: 'sites', answers: bare, shows: { en: 'No sites yet', es: 'Todavía no hay sitios' } },
  'departments, empty': {
    at: 'departments',
    answers: bare,
    shows: { en: 'No departments yet', es: 'Todavía no hay departamentos' },
  },
  'people, inviting': {
    at: 'people',
    troubles: { 'POST people': { status: 409, code: 'login_taken', field: 'login' } },
    async act(page) {
      await page.locator('button.primary').click();
      const fields = page.locator('dialog input');
      await fields.nth(0).fill('Eva');
      await fields.nth(1).fill('eva');
      await page.locator('dialog button[type=submit]').click();
    },
    shows: { en: 'This user name exists already', es: 'Este usuario ya existe' },
  },
  'people, suspending': {
    at: 'people',
    async act(page, locale) {
      const row = page.getByRole('row', { name: /Ana/ });
      await row.getByRole('button', { name: locale === 'en' ? /More/ : /Más/ }).click();
      await page
        .getByRole('button', { name: locale === 'en' ? 'Suspend' : 'Suspender', exact: true })
        .click();
    },
    shows: { en: 'Suspend Ana Pérez?', es: '¿Suspender a Ana Pérez?' },
  },
  'sites, editing': {
    at: 'sites',
    async act(page, locale) {
      await page.getByRole('button', { name: locale === 'en' ? 'Edit Bank' : 'Editar Bank' }).click();
    },
    shows: { en: 'Questions before the chat', es: 'Preguntas antes del chat' },
  },
};

describe.each(Object.entries(cases))('[B25] [B52] %s', (name, one) => {
  test.each(looks)('$locale, dark $dark, $width wide', async (look) => {
    const { page, complaints, close } = await open(name, one, look);
    const width = look.width ?? 1440;
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });
});

test('[X32] an agent has no way to supervision and settings, and their addresses lead nowhere', async () => {
  const agent = { ...full, me: { ...(full.me as object), role: 'agent' } };
  const one = {
    at: 'people',
    answers: agent,
    shows: { en: 'There is nothing here', es: 'Aquí no hay nada' },
  };
  const { page, close } = await open('agent', one, { locale: 'en' });
  expect(await page.getByRole('navigation').getByRole('link').allInnerTexts()).toEqual(['Inbox']);
  await close();
});

test('a session that ends leads to the sign-in, and says why', async () => {
  const troubles: Record<string, Trouble> = {};
  const one = { at: 'supervision', troubles, shows: { en: 'Agents', es: 'Agentes' } };
  const { page, close } = await open('ended', one, { locale: 'en' });
  troubles.supervision = { status: 401, code: 'not_signed_in' };
  troubles.me = { status: 401, code: 'not_signed_in' };
  await page.getByText('Your session has ended.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/sign-in');
  await close();
});
