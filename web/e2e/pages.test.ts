// The two pages as a browser shows them, served by the built binary.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-e2e-'));

let server: ChildProcess;
let browser: Browser;
const pages = { visitor: '', agent: '' };

/** Starts the binary and reads the two addresses that it prints. */
async function start(): Promise<void> {
  server = spawn(binary, ['run', '--demo=on', '--address=127.0.0.1:0', `--folder=${join(folder, 'data')}`]);
  let output = '';
  await new Promise<void>((done, failed) => {
    const read = (chunk: unknown) => {
      output += String(chunk);
      const [, visitor] = /^chat .* (http\S+)$/m.exec(output) ?? [];
      const [, agent] = /^ana .* (http[^\s#]+)#/m.exec(output) ?? [];
      if (visitor && agent) {
        Object.assign(pages, { visitor, agent });
        done();
      }
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', () => failed(new Error(`aldaba ended: ${output}`)));
    server.on('error', failed);
  });
}

beforeAll(async () => {
  await start();
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args,
  });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

interface Look {
  readonly locale: string;
  readonly dark?: boolean;
  readonly width?: number;
}

/** Opens a page, and collects what the browser complains about. */
async function open(address: string, look: Look, before?: (page: Page) => Promise<void>) {
  const context = await browser.newContext({
    locale: look.locale,
    colorScheme: look.dark ? 'dark' : 'light',
    viewport: { width: look.width ?? 1280, height: 800 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Who is not signed in is told so by the server, and Chromium reports that answer.
    if (message.type() !== 'info' && message.type() !== 'debug' && !/status of 401/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await before?.(page);
  await page.goto(address);
  return { page, complaints, close: () => context.close() };
}

/** The rules of WCAG 2.2 AA and best practice that the page breaks. */
async function violations(page: Page): Promise<string[]> {
  // Through the debugger's protocol, so that the page's own policy stays in force.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const run = (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run;
    const result = await run(document, { runOnly: tags });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
}

const words = {
  en: {
    visitor: 'How can we help you?',
    agent: 'Sign in',
    ready: 'The server answers',
    retry: 'Try again',
  },
  es: {
    visitor: '¿En qué podemos ayudarle?',
    agent: 'Iniciar sesión',
    ready: 'El servidor responde',
    retry: 'Reintentar',
  },
};

/** Waits until the page has found what it needs of the server. */
async function settled(page: Page, who: 'visitor' | 'agent', locale: 'en' | 'es'): Promise<void> {
  if (who === 'agent') await page.getByText(words[locale].ready).waitFor();
  await page.getByRole('heading', { name: words[locale][who] }).waitFor();
}

/** The switch of languages is in the visitor's menu. */
async function languageButton(page: Page, who: 'visitor' | 'agent', menu: string, name: string) {
  if (who === 'visitor') await page.getByRole('button', { name: menu }).press('Enter');
  return page.getByRole('button', { name });
}

describe.each(['visitor', 'agent'] as const)('the %s page', (who) => {
  test.each([
    { locale: 'en', dark: false, width: 1280 },
    { locale: 'es', dark: true, width: 1280 },
    { locale: 'es', dark: false, width: 320 },
  ] as const)('$locale, dark $dark, $width wide', async (look) => {
    const { page, complaints, close } = await open(pages[who], look);
    await settled(page, who, look.locale);
    expect(await page.locator('html').getAttribute('lang')).toBe(look.locale);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(look.width);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test('the language changes by keyboard', async () => {
    const { page, close } = await open(pages[who], { locale: 'en' });
    await (await languageButton(page, who, 'More options', 'Español')).press('Enter');
    await page.getByRole('heading', { name: words.es[who] }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('es');
    await close();
  });

  test('the address decides theme and language, and a choice stays over a reload', async () => {
    const { page, close } = await open(`${pages[who]}?theme=dark&lang=es`, { locale: 'en' });
    await page.getByRole('heading', { name: words.es[who] }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
    await (await languageButton(page, who, 'Más opciones', 'English')).click();
    await page.reload();
    await page.getByRole('heading', { name: words.en[who] }).waitFor();
    await close();
  });

  test('runs no script that is not ours', async () => {
    const { page, close } = await open(pages[who], { locale: 'en' });
    await settled(page, who, 'en');
    const ran = await page.evaluate(async () => {
      const script = document.createElement('script');
      let refused = false;
      document.addEventListener('securitypolicyviolation', () => {
        refused = true;
      });
      try {
        script.textContent = 'globalThis.foreign = true';
        document.body.append(script);
      } catch {
        refused = true; // Trusted Types refuse the assignment
      }
      await new Promise((next) => setTimeout(next, 50));
      return { refused, ran: 'foreign' in globalThis };
    });
    expect(ran).toEqual({ refused: true, ran: false });
    await close();
  });
});

describe('the agent page', () => {
  test('says that the server does not answer, and recovers', async () => {
    let down = true;
    const { page, close } = await open(pages.agent, { locale: 'en' }, async (p) => {
      await p.route('**/v1/health', (route) => (down ? route.abort() : route.continue()));
    });
    await page.getByText('The server does not answer').waitFor();
    await page.getByText('1 attempt without an answer.').waitFor();
    expect(await violations(page)).toEqual([]);
    const retry = page.getByRole('button', { name: words.en.retry });
    await retry.press('Enter');
    await page.getByText('2 attempts without an answer.').waitFor();
    down = false;
    await retry.press('Enter');
    await page.getByText(words.en.ready).waitFor();
    // The button is gone; whoever stood on it is now on the line that replaced it.
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('status');
    await close();
  });
});
