// The visitor's app in a browser: every screen in its states, with axe at
// nothing to say, and a picture of each in the folder that PICTURES
// names. What the server tells of the site is set by each case.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-widget-'));
const pictures = process.env.PICTURES ?? join(folder, 'pictures');

let server: ChildProcess;
let browser: Browser;
let visitorPage = '';
let agentPage = '';

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  server = spawn(binary, ['run', '--demo=on', '--address=127.0.0.1:0', `--folder=${join(folder, 'data')}`]);
  let output = '';
  await new Promise<void>((done, failed) => {
    const read = (chunk: unknown) => {
      output += String(chunk);
      const [, visitor] = /^chat .* (http\S+)$/m.exec(output) ?? [];
      const [, agent] = /^ana .* (http\S+)$/m.exec(output) ?? [];
      if (!visitor || !agent) return;
      [visitorPage, agentPage] = [visitor, agent];
      done();
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', () => failed(new Error(`aldaba ended: ${output}`)));
    server.on('error', failed);
  });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

interface Look {
  readonly locale?: 'es' | 'en';
  readonly dark?: boolean;
  readonly forced?: boolean;
  readonly width?: number;
  readonly height?: number;
}

const fields = [
  { name: 'name', kind: 'text', label: { es: 'Nombre', en: 'Name' }, required: true },
  { name: 'mail', kind: 'mail', label: { es: 'Correo electrónico', en: 'Mail' }, required: false },
  {
    name: 'topic',
    kind: 'choice',
    label: { es: 'Asunto', en: 'Topic' },
    required: true,
    choices: ['Tarjetas', 'Cuentas'],
  },
];
const contact = { text: '900 123 456', href: 'tel:+34900123456' };

/** Replaces what the server tells of its site, in every page of a browser. */
async function tell(context: BrowserContext, site: object = {}): Promise<void> {
  await context.addInitScript(
    (told) => {
      const ask = globalThis.fetch;
      globalThis.fetch = async (...given) => {
        const reply = await ask(...given);
        if (!/\/v1\/site(\?|$)/.test(String(given[0]))) return reply;
        return Response.json({ ...(await reply.json()), ...told });
      };
    },
    { name: 'Banco Ribera', departments: [], fields: [], contact: {}, open: true, ...site },
  );
}

/** Opens the visitor's page; `site` replaces what the server tells of it. */
async function open(look: Look, site: object = {}, before?: (page: Page) => Promise<unknown>) {
  const context = await browser.newContext({
    locale: look.locale ?? 'en',
    colorScheme: look.dark ? 'dark' : 'light',
    forcedColors: look.forced ? 'active' : 'none',
    reducedMotion: 'reduce',
    viewport: { width: look.width ?? 380, height: look.height ?? 600 },
  });
  await tell(context, site);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_|status of 4/.test(message.text()))
      complaints.push(message.text());
  });
  await before?.(page);
  await page.goto(visitorPage);
  return { page, complaints, close: () => context.close() };
}

/** What axe has to say. Through the debugger's protocol, so that the page's own policy stays in force. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const run = (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run;
    const result = await run(document, { runOnly: tags });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
}

/** A picture of what is there, and that nobody is shut out of it. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  expect(await violations(page), name).toEqual([]);
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(wide[0], name).toBeLessThanOrEqual(wide[1] ?? 0);
}

// First, while this is the only visitor in the agent's queue.
test('a whole conversation by keyboard alone', async () => {
  const { page, complaints, close } = await open({}, { fields });
  const agentContext = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  const agent = await agentContext.newPage();
  await page.locator('.ask').waitFor();
  /** Steps on until something of this name has the focus. */
  const step = async (name: RegExp, key = 'Tab') => {
    for (let steps = 0; steps < 40; steps++) {
      const here = await page.evaluate(() => {
        const { activeElement: on } = document;
        if (on === document.body) return ''; // between the end and the beginning
        return `${on?.getAttribute('aria-label') ?? ''} ${on?.closest('label')?.textContent ?? ''} ${on?.textContent ?? ''}`;
      });
      if (name.test(here)) return;
      await page.keyboard.press(key);
    }
    throw new Error(`nothing called ${name} on the way`);
  };
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());

  await step(/^ ?Name/);
  await page.keyboard.type('Zoë');
  await press('Enter');
  await step(/Skip/);
  await press('Enter');
  await press('Space', 'Enter');
  await step(/Your message/);
  await page.keyboard.type('one');
  await press('Shift+Enter');
  await page.keyboard.type('two');
  await press('Enter');
  await expect.poll(() => page.locator('.bubble').allInnerTexts(), { timeout: 15_000 }).toEqual(['one\ntwo']);

  await agent.goto(agentPage);
  await agent.getByRole('heading', { name: 'Inbox' }).waitFor({ timeout: 30_000 });
  await agent
    .getByRole('button', { name: /Visitor/ })
    .first()
    .click();
  await agent.getByRole('button', { name: 'Accept' }).click();
  await agent.getByRole('textbox').fill('see https://bank.example/help');
  await agent.getByRole('textbox').press('Enter');
  await page.getByText('bank.example').waitFor();
  await shoot(page, 'answered');

  await step(/Emoji/);
  await press('Enter');
  await step(/👍/);
  await press('Enter');
  await step(/Your message/);
  await press('Enter');
  await expect.poll(() => page.locator('.bubble').allInnerTexts()).toHaveLength(3);
  await step(/Identity verified/);
  await press('Enter');
  await page.getByRole('dialog').getByText('Safety number').waitFor();
  await shoot(page, 'card-of-the-agent');
  await press('Escape');
  await step(/^ {2}bank\.example/);
  await press('Enter');
  await page.getByRole('dialog', { name: 'You are leaving to bank.example' }).waitFor();
  await press('Escape');
  await step(/More options/);
  await press('Enter');
  await step(/End the conversation/);
  await press('Enter');
  await step(/^ {2}End$/);
  await press('Enter');
  await page.getByText('This conversation has ended.').waitFor();
  await shoot(page, 'ended');
  await step(/Open again/);
  await press('Enter');
  await step(/Your message/);
  await page.keyboard.type('back');
  await press('Enter');
  await expect.poll(() => page.locator('.bubble').allInnerTexts()).toContain('back');
  await step(/More options/);
  await press('Enter');
  await step(/Erase from this browser/);
  await press('Enter');
  await step(/^ {2}Erase$/);
  await press('Enter');
  await page.getByRole('heading', { name: 'How can we help you?' }).waitFor();
  expect(complaints).toEqual([]);
  await agentContext.close();
  await close();
}, 120_000);

const looks: readonly (readonly [string, Look])[] = [
  ['es', { locale: 'es' }],
  ['en dark', { dark: true }],
  ['es 320', { locale: 'es', width: 320, height: 568 }],
  ['en forced colours', { forced: true }],
  ['en phone', { width: 412, height: 915, dark: true }],
];

describe('nothing is lost and nothing is doubled', () => {
  const bubbles = (page: Page) =>
    expect.poll(() => page.locator('.bubble').allInnerTexts(), { timeout: 20_000 });
  const says = async (page: Page, text: string) => {
    await page.getByRole('textbox').fill(text);
    await page.getByRole('textbox').press('Enter');
  };

  test('two tabs, of which each begins, and a reload of both', async () => {
    const { page, complaints, close } = await open({});
    const other = await page.context().newPage();
    await other.goto(visitorPage);
    for (const each of [page, other]) await each.getByRole('textbox').waitFor();
    await says(page, 'from the first');
    await page.locator('.ticks').waitFor();
    await says(other, 'from the second');
    for (const each of [page, other]) await bubbles(each).toEqual(['from the first', 'from the second']);
    for (const each of [page, other]) await each.reload();
    for (const each of [page, other]) await bubbles(each).toEqual(['from the first', 'from the second']);
    expect(complaints).toEqual([]);
    await close();
  });

  test('a draft and a message that found no network, over a reload', async () => {
    const { page, close } = await open({});
    await says(page, 'one');
    await page.locator('.ticks').waitFor();
    await page.route(/\/entries$/, (route) => route.abort());
    await says(page, 'two');
    await page.getByText('Sending…').waitFor();
    await page.getByRole('textbox').fill('three, half writ');
    await page.unroute(/\/entries$/);
    await page.reload();
    await bubbles(page).toEqual(['one', 'two']);
    await expect.poll(() => page.locator('.ticks').count()).toBe(1);
    expect(await page.getByRole('textbox').inputValue()).toBe('three, half writ');
    await close();
  });

  test('a browser that is closed and started again', async () => {
    const profile = join(folder, 'profile');
    const start = async () => {
      const opened = await chromium.launchPersistentContext(profile, {
        executablePath: '/usr/bin/chromium',
        args,
        locale: 'en',
      });
      await tell(opened);
      return opened;
    };
    const first = await start();
    const before = await first.newPage();
    await before.goto(visitorPage);
    await says(before, 'before');
    await before.locator('.ticks').waitFor();
    await first.close();
    const second = await start();
    const after = await second.newPage();
    await after.goto(visitorPage);
    await bubbles(after).toEqual(['before']);
    await says(after, 'after');
    await bubbles(after).toEqual(['before', 'after']);
    await second.close();
  });
});

describe.each(looks)('%s', (named, look) => {
  const name = (state: string) => `${state} ${named}`.replaceAll(' ', '-');

  test('the questions of the site, answered wrong and right', async () => {
    const { page, complaints, close } = await open(look, { fields, contact });
    await page.locator('.ask').waitFor();
    await shoot(page, name('questions'));
    const input = page.locator('.ask input');
    await input.press('Enter');
    await page.locator('.fault svg').waitFor();
    await input.fill('María');
    await input.press('Enter');
    await page.locator('input[type=email]').fill('maria.example');
    await page.keyboard.press('Enter');
    await page.locator('.fault svg').waitFor();
    await shoot(page, name('question-wrong'));
    await page.locator('input[type=email]').fill('maria@example.com');
    await page.keyboard.press('Enter');
    await page.locator('input[type=radio]').first().waitFor();
    await shoot(page, name('question-choice'));
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    // The field is there, and whoever has answered is in it.
    await expect.poll(() => page.evaluate(() => document.activeElement?.localName)).toBe('textarea');
    await shoot(page, name('questions-answered'));
    expect(complaints).toEqual([]);
    await close();
  });

  test('nobody there, and the server away', async () => {
    const away = await open(look, { open: false, contact });
    await away.page.locator('.contact').waitFor();
    await shoot(away.page, name('nobody'));
    await away.close();
    const down = await open(look, {}, (page) => page.route(/\/v1\/trust/, (route) => route.abort()));
    await down.page.locator('.empty').waitFor();
    await shoot(down.page, name('failed'));
    await down.close();
  });

  test('a conversation that waits, its menu, emoji and card', async () => {
    const { page, complaints, close } = await open(look);
    await page.getByRole('textbox').fill('See https://bank.example/a/long/path/to/somewhere/else ✓');
    await page.keyboard.press('Enter');
    await page.locator('.ticks').waitFor();
    await shoot(page, name('waiting'));
    await page.locator('.menu > button').click();
    await shoot(page, name('menu'));
    await page.keyboard.press('Escape');
    await page.locator('.emoji > button').click();
    await shoot(page, name('emoji'));
    await page.keyboard.press('Escape');
    await page.locator('.readers').click();
    await shoot(page, name('card'));
    await page.keyboard.press('Escape');
    await page.locator('.bubble a').click();
    await shoot(page, name('leaving'));
    await page.keyboard.press('Escape');
    await page.context().setOffline(true);
    await page.locator('.banner').waitFor();
    await page.getByRole('textbox').fill('later');
    await page.keyboard.press('Enter');
    await shoot(page, name('offline'));
    expect(complaints).toEqual([]);
    await close();
  });
});

describe('a browser that is not enough [S95]', () => {
  test.each([
    ['Ed25519', 'es'],
    ['X25519', 'en'],
    ['Web Workers', 'es'],
  ] as const)(
    'without %s: one page, in its language, with another way to the company',
    async (what, locale) => {
      const { page, close } = await open({ locale }, { contact }, (opened) =>
        opened.addInitScript((missing) => {
          if (missing === 'Web Workers') Object.assign(globalThis, { Worker: undefined });
          const make = SubtleCrypto.prototype.generateKey;
          SubtleCrypto.prototype.generateKey = function (this: SubtleCrypto, ...given: unknown[]) {
            const [algorithm] = given as [{ name?: string }];
            if (algorithm.name === missing) return Promise.reject(new DOMException('', 'NotSupportedError'));
            return Reflect.apply(make, this, given);
          } as typeof make;
        }, what),
      );
      await page
        .getByRole('heading', {
          name: { es: 'Este navegador no es suficiente', en: 'This browser is not enough' }[locale],
        })
        .waitFor();
      await page.getByText(what).waitFor();
      expect(await page.locator('.contact a').getAttribute('href')).toBe('tel:+34900123456');
      expect(await page.getByRole('textbox').count()).toBe(0);
      await shoot(page, `unsupported-${what.replace(' ', '-')}`);
      await close();
    },
  );

  test('where storage is blocked it says so; who goes on is told that the conversation ends with the tab', async () => {
    const { page, complaints, close } = await open({}, {}, (opened) =>
      opened.addInitScript(() => {
        const blocked = () => {
          throw new DOMException('', 'SecurityError');
        };
        Object.defineProperty(globalThis, 'sessionStorage', { get: blocked });
        IDBFactory.prototype.open = blocked;
      }),
    );
    const own = page.getByRole('link', { name: 'Open in its own window' });
    await own.waitFor();
    expect(await own.getAttribute('target')).toBe('_blank');
    await shoot(page, 'blocked');
    await page.getByRole('button', { name: 'Go on here' }).click();
    await page.getByText('it ends when you close or reload this tab').waitFor();
    await page.getByRole('textbox').fill('not kept');
    await page.keyboard.press('Enter');
    await page.locator('.ticks').waitFor();
    await shoot(page, 'blocked-talking');
    expect(complaints).toEqual([]);
    await close();
  });
});
