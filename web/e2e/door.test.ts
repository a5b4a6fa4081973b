// The way from a customer's page to the chat, on the sample bank's pages, with
// the built binary: what happens before the visitor acts, how the chat follows
// from page to page, and what a hostile page around it reaches.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@aldaba/loader';
import { type Browser, type BrowserContext, chromium, type Frame, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-door-'));

let server: ChildProcess;
let browser: Browser;
let context: BrowserContext;
let port = '';
/** The link that signs Ana in, and makes her browser a device. */
let ana = '';
let complaints: string[] = [];

const at = (name: string) => `http://${name}.aldaba.localhost:${port}`;

async function start(): Promise<void> {
  server = spawn(binary, ['run', '--demo=on', '--address=127.0.0.1:0', `--folder=${join(folder, 'data')}`]);
  let output = '';
  await new Promise<void>((done, failed) => {
    const read = (chunk: unknown) => {
      output += String(chunk);
      const [, found] = /:\/\/[a-z.]*aldaba\.localhost:(\d+)\S*\n[\s\S]*Ctrl-C/.exec(output) ?? [];
      if (found) {
        port = found;
        ana = /^ana .* (http\S+)$/m.exec(output)?.[1] ?? '';
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
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  complaints = [];
  context = await browser.newContext({ locale: 'es-ES', viewport: { width: 1280, height: 800 } });
});
afterEach(() => context.close());

/** A page that reports what breaks a content security policy, in it and in its frames. */
async function open(address: string, in_ = context): Promise<Page> {
  const page = await in_.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return page;
}

/** Asks a host by its name, which only a browser resolves. */
function ask(
  name: string,
  path: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((done, failed) => {
    const host = new URL(at(name)).host;
    const asking = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        body += chunk;
      });
      answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    asking.on('error', failed);
    asking.end();
  });
}

/** The name of the launcher, as a screen reader has it; nobody else reaches into the closed root. */
async function launcher(page: Page): Promise<{ name: string; expanded: boolean } | undefined> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const node = nodes.find(
    (one) => one.role?.value === 'button' && /^Chat (con|with)/.test(one.name?.value ?? ''),
  );
  return (
    node && {
      name: String(node.name?.value),
      expanded: node.properties?.find(({ name }) => name === 'expanded')?.value.value === true,
    }
  );
}

const isThere = (page: Page) => expect.poll(() => launcher(page)).toBeDefined();

/** Presses the launcher, in its corner. */
async function press(page: Page): Promise<void> {
  await isThere(page);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  await page.mouse.click(width - 48, height - 48);
}

/** The chat's frame, once it is there. */
async function frameOf(page: Page): Promise<Frame> {
  await expect.poll(() => page.frames().length).toBe(2);
  return page.frames()[1] as Frame;
}

const flag = (page: Page) => page.evaluate(() => sessionStorage.getItem('aldaba'));

/** The rules of WCAG 2.2 AA that the page breaks. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run;
    const result = await run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
}

/** Whether the launcher's element has the focus: it is as far as the page sees. */
const focused = (page: Page) => page.evaluate(() => document.activeElement?.localName);

describe('before the visitor acts [X32]', () => {
  test('there is no frame, no request but the loader, no cookie and no storage', async () => {
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).host.startsWith('chat.')) asked.push(new URL(request.url()).pathname);
    });
    await page.goto(`${at('bank')}/es/`);
    await isThere(page);
    await page.mouse.move(1232, 752); // to hover is not to act
    await page.goto(`${at('bank')}/es/cards`);
    await isThere(page);
    expect(
      asked.every((path) => /^\/l\/[\w-]{64}\.js$/.test(path)),
      String(asked),
    ).toBe(true);
    expect(asked.length).toBeGreaterThan(0);
    expect(page.frames()).toHaveLength(1);
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])).toEqual([
      0,
      0,
      '',
    ]);
  });

  test('a page that opens it by script opens nothing', async () => {
    const page = await hostile(() => {
      addEventListener('load', () => {
        window.Aldaba?.('open');
        window.Aldaba?.('toggle');
        document.querySelector<HTMLElement>('[data-aldaba-open]')?.click();
      });
    });
    await isThere(page);
    expect(page.frames()).toHaveLength(1);
    expect(await flag(page)).toBeNull();
  });

  test('consent of the site makes the frame, and taking it back removes it', async () => {
    const page = await hostile(() => {
      const told: unknown[] = [];
      Object.assign(window, { told });
      const queue: unknown[][] = [];
      // The stub of the snippet, which keeps the calls until the loader is there.
      Object.assign(window, {
        Aldaba: Object.assign((...call: unknown[]) => queue.push(call), { q: queue }),
      });
      window.Aldaba?.('on', 'consent', (given) => told.push(given));
      window.Aldaba?.('on', 'open', () => told.push('open'));
      window.Aldaba?.('consent', true);
      window.Aldaba?.('open');
    });
    const frame = await frameOf(page);
    expect(new URL(frame.url()).pathname).toBe('/f/bank');
    await expect.poll(() => launcher(page)).toMatchObject({ expanded: true });
    expect(await flag(page)).toBeNull(); // the visitor has not acted
    await page.evaluate(() => window.Aldaba?.('consent', false));
    await expect.poll(() => page.frames().length).toBe(1);
    expect(await flag(page)).toBeNull();
    expect(await page.evaluate(() => (window as unknown as { told: unknown[] }).told)).toEqual([
      true,
      'open',
      false,
    ]);
  });
});

describe('the launcher', () => {
  test('opens by click, closes by Escape, and gives the focus back', async () => {
    const page = await open(`${at('bank')}/es/`);
    await press(page);
    const frame = await frameOf(page);
    await frame.locator('main').waitFor();
    expect(await launcher(page)).toEqual({ name: 'Chat con Banco Ribera', expanded: true });
    expect(await flag(page)).toBe('open');
    await frame.locator('button, textarea, input').first().focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => launcher(page)).toEqual({ name: 'Chat con Banco Ribera', expanded: false });
    expect(await flag(page)).toBe('closed');
    expect(await focused(page)).toBe('aldaba-chat');
    await page.keyboard.press('Enter');
    await expect.poll(() => launcher(page)).toMatchObject({ expanded: true });
    expect(complaints).toEqual([]);
  });

  test('a button of the page opens it too, and has the focus again afterwards', async () => {
    const page = await open(`${at('bank')}/en/contact`);
    await isThere(page);
    await page.getByRole('button', { name: 'Open the chat' }).click();
    const frame = await frameOf(page);
    await frame.locator('main').waitFor();
    expect(await frame.locator('html').getAttribute('lang')).toBe('en');
    await frame.locator('button, textarea, input').first().focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Open the chat');
    expect(complaints).toEqual([]);
  });

  test('fills a phone, and stands aside', async () => {
    const phone = await browser.newContext({
      locale: 'es-ES',
      viewport: { width: 390, height: 780 },
      hasTouch: true,
      isMobile: true,
    });
    const page = await open(`${at('bank')}/es/`, phone);
    await press(page);
    const frame = await frameOf(page);
    await frame.locator('main').waitFor();
    expect(await frame.evaluate(() => [innerWidth, innerHeight])).toEqual([390, 780]);
    expect(await launcher(page)).toBeUndefined();
    expect(complaints).toEqual([]);
    await phone.close();
  });

  test('shuts down, and leaves nothing', async () => {
    const page = await open(`${at('bank')}/es/`);
    await press(page);
    await frameOf(page);
    await page.evaluate(() => window.Aldaba?.('shutdown'));
    await expect.poll(() => page.frames().length).toBe(1);
    expect(await flag(page)).toBeNull();
    expect(await page.evaluate(() => document.querySelector('aldaba-chat'))).toBeNull();
  });
});

/** A page of the bank into which somebody else has put a script, before everything else. */
async function hostile(script: () => void, in_ = context): Promise<Page> {
  const page = await in_.newPage();
  await page.addInitScript(script);
  await page.goto(`${at('bank')}/es/`);
  return page;
}

describe('a hostile page around the chat [X52]', () => {
  test('reaches neither the shadow root nor the frame, and hears nothing', async () => {
    const page = await hostile(() => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      addEventListener('message', (event) => heard.push(event.data));
    });
    await press(page);
    const frame = await frameOf(page);
    await frame.locator('main').waitFor();
    const reached = await page.evaluate(() => {
      const host = document.querySelector('aldaba-chat');
      return {
        root: host?.shadowRoot ?? null,
        children: host?.childNodes.length,
        windows: window.length,
        frames: document.querySelectorAll('iframe').length,
        heard: (window as unknown as { heard: unknown[] }).heard,
      };
    });
    expect(reached).toEqual({ root: null, children: 0, windows: 0, frames: 0, heard: ['aldaba:hello'] });
  });

  test('that took the shadow root before the loader came still cannot read the frame', async () => {
    const page = await hostile(() => {
      const attach = Element.prototype.attachShadow;
      Element.prototype.attachShadow = function (how) {
        const taken = attach.call(this, how);
        Object.assign(window, { taken });
        return taken;
      };
    });
    await press(page);
    const frame = await frameOf(page);
    await frame.locator('main').waitFor();
    const reached = await page.evaluate(async () => {
      const { taken } = window as unknown as { taken: ShadowRoot };
      const stolen = taken.querySelector('iframe') as HTMLIFrameElement;
      const tried = (act: () => unknown) => {
        try {
          return String(act());
        } catch (error) {
          return (error as Error).name;
        }
      };
      const inside = stolen.contentWindow as unknown as Record<string, unknown> & Window;
      // A port of the page's own, after the loader's: nobody answers on it.
      const channel = new MessageChannel();
      const answers: unknown[] = [];
      channel.port1.onmessage = (event) => answers.push(event.data);
      inside.postMessage(['aldaba:port', 1], '*', [channel.port2]);
      channel.port1.postMessage({ t: 'state', open: true, resumed: true, locale: 'en', path: '/' });
      channel.port1.postMessage({ t: 'shown', focus: true });
      await new Promise((next) => setTimeout(next, 300));
      return {
        document: stolen.contentDocument,
        inside: tried(() => inside.document),
        storage: tried(() => inside.sessionStorage),
        ask: tried(() => inside.fetch),
        answers,
      };
    });
    expect(reached).toEqual({
      document: null,
      inside: 'SecurityError',
      storage: 'SecurityError',
      ask: 'SecurityError',
      answers: [],
    });
    expect(await frame.locator('html').getAttribute('lang')).toBe('es');
  });

  test('gives the port to no other frame that says hello', async () => {
    const foreign = await listen(
      `<script>got = []; addEventListener('message', (e) => got.push(e.data)); parent.postMessage('aldaba:hello', '*')</script>`,
    );
    const lax = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
    const page = await hostile(() => {}, lax);
    await press(page);
    await frameOf(page);
    await page.evaluate((address) => {
      const other = document.createElement('iframe');
      other.src = address;
      document.body.append(other);
    }, foreign.address);
    const find = () => page.frames().find((frame) => frame.url().startsWith(foreign.address));
    await expect.poll(find).toBeDefined();
    const other = find() as Frame;
    await other.evaluate(() => new Promise((next) => setTimeout(next, 300)));
    expect(await other.evaluate(() => (window as unknown as { got: unknown[] }).got)).toEqual([]);
    foreign.close();
    await lax.close();
  });
});

/** Another site, on a port of its own. */
async function listen(body: string): Promise<{ address: string; close: () => void }> {
  const other: Server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><html lang="en"><body>${body}</body></html>`);
  });
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  return { address: `http://127.0.0.1:${(other.address() as AddressInfo).port}`, close: () => other.close() };
}

describe('what a customer and a browser check', () => {
  test('a loader that was changed is not executed [X52]', async () => {
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    const loader = readFileSync(join(import.meta.dirname, '..', 'dist', 'loader', 'v1.js'), 'utf8');
    await page.route('**/l/*.js', (route) =>
      route.fulfill({
        contentType: 'text/javascript',
        headers: { 'access-control-allow-origin': '*' },
        body: `${loader}\nwindow.stolen = true;`,
      }),
    );
    await page.goto(`${at('bank')}/es/`);
    await expect.poll(() => refused.join()).toContain('integrity');
    expect(await page.evaluate(() => ['Aldaba' in window, 'stolen' in window])).toEqual([false, false]);
    expect(await page.evaluate(() => document.querySelector('aldaba-chat'))).toBeNull();
  });

  test.each(['bank', 'nobody'])('another website does not get the frame of %s [X52]', async (site) => {
    const foreign = await listen(`<iframe src="${at('chat')}/f/${site}"></iframe>`);
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    await page.goto(foreign.address);
    await expect.poll(() => refused.join()).toContain('frame-ancestors');
    await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/');
    foreign.close();
  });

  test('whose chat it is can be read by anybody [S92]', async () => {
    const answer = await ask('chat', '/.well-known/aldaba');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    const told = JSON.parse(answer.body) as {
      organisation: string;
      chat: string;
      sites: { origins: string[] }[];
    };
    expect(told.organisation).toMatch(/^[\w-]{43}$/);
    expect(told.chat).toBe(at('chat'));
    expect(told.sites.flatMap(({ origins }) => origins)).toContain(at('bank'));
  });

  test('the page of sample mails says that nothing was sent', async () => {
    const page = await open(at('mail'));
    await page.getByText('Todavía nada').waitFor();
    expect(complaints).toEqual([]);
  });
});

test('the sample bank keeps its own policy and WCAG 2.2 AA on every page', async () => {
  const page = await open(`${at('bank')}/es/sign-in`);
  await page.getByRole('button', { name: 'Entrar' }).click();
  await page.getByRole('heading', { name: 'Hola, Marina' }).waitFor();
  for (const name of ['Inicio', 'Tarjetas', 'Ayuda', 'Contacto', 'Mis cuentas']) {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await isThere(page);
    expect(await page.getByText('DEMO').first().isVisible()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
    expect(await violations(page)).toEqual([]);
  }
  await page.getByRole('link', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Hello, Marina' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${at('bank')}/en/accounts`);
  expect(new URL(page.url()).pathname).toBe('/en/sign-in');
  expect(complaints).toEqual([]);
});

test('the chat follows the visitor over five pages, with an answer that comes between two of them', async () => {
  const page = await open(`${at('bank')}/es/`);
  const follow = async (name: string) => {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await isThere(page);
  };
  const log = async () => (await frameOf(page)).getByRole('log').locator('.bubble').allInnerTexts();
  await press(page);
  let frame = await frameOf(page);
  await frame.getByText('Atención al cliente').click();
  await frame.getByRole('button', { name: 'Continuar' }).click();
  await frame.getByRole('textbox').fill('No reconozco un cargo');
  await frame.getByRole('textbox').press('Enter');
  await expect.poll(log).toEqual(['No reconozco un cargo']);
  await frame.getByRole('textbox').fill('Fue el día 20');

  const agents = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  const agent = await open(ana, agents);
  await agent.getByRole('heading', { name: 'Inbox' }).waitFor({ timeout: 30_000 });
  await agent.getByRole('button', { name: /Visitor/ }).click();
  await agent.getByRole('button', { name: 'Accept' }).click();
  const answers = async (text: string) => {
    await agent.getByRole('textbox').fill(text);
    await agent.getByRole('textbox').press('Enter');
    await expect.poll(() => agent.getByRole('log').locator('.bubble').allInnerTexts()).toContain(text);
  };

  // The second page: still open, what was half written is there, and the focus stays where the page has it.
  await follow('Tarjetas');
  expect(await launcher(page)).toMatchObject({ expanded: true });
  expect(await focused(page)).toBe('body');
  await expect.poll(log).toEqual(['No reconozco un cargo']);
  frame = await frameOf(page);
  await expect.poll(() => frame.getByRole('textbox').inputValue()).toBe('Fue el día 20');
  await frame.getByRole('textbox').focus();
  await page.keyboard.press('Escape');
  await expect.poll(() => launcher(page)).toMatchObject({ expanded: false });

  // The third: put away as it was left. Then an answer comes while there is no page.
  await follow('Ayuda');
  expect(await launcher(page)).toEqual({ name: 'Chat con Banco Ribera', expanded: false });
  await page.addInitScript(() => {
    const queue: unknown[][] = [];
    Object.assign(window, { Aldaba: Object.assign((...call: unknown[]) => queue.push(call), { q: queue }) });
    window.Aldaba?.('on', 'unread', (count) => {
      const [loaded] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      Object.assign(window, { [`unread${count}`]: performance.now() - (loaded?.loadEventEnd ?? 0) });
    });
  });
  /** How long after the load of a page the launcher said that so many are unread, in milliseconds. */
  const late = (count: number) =>
    page.evaluate((n) => (window as unknown as Record<string, number>)[`unread${n}`] ?? Infinity, count);

  // The fourth: the launcher says so within a second. Where other processes
  // share the cores, so much longer as they are shared, and the best of three counts.
  const limit = () => 1000 * Math.max(1, (loadavg()[0] ?? 0) / cpus().length);
  const said = ['No reconozco un cargo'];
  const times: number[] = [];
  do {
    await page.goto('about:blank');
    said.push(`Lo miro ahora, ${said.length}`);
    await answers(said.at(-1) ?? '');
    await page.goto(`${at('bank')}/es/contact`);
    await expect
      .poll(() => launcher(page))
      .toEqual({ name: `Chat con Banco Ribera (${said.length - 1})`, expanded: false });
    times.push(await late(said.length - 1));
  } while (Math.min(...times) > limit() && times.length < 3);
  console.log(`note: unread ${times.map(Math.round).join(', ')} ms after the page was loaded`);
  expect(Math.min(...times)).toBeLessThan(limit());

  // The fifth knows it before the chat is loaded, and reading it clears it.
  await follow('Inicio');
  await expect
    .poll(() => launcher(page))
    .toMatchObject({ name: `Chat con Banco Ribera (${said.length - 1})` });
  expect(await late(said.length - 1)).toBeLessThan(limit());
  await press(page);
  await expect.poll(log).toEqual(said);
  await expect.poll(() => launcher(page)).toMatchObject({ name: 'Chat con Banco Ribera' });
  expect(await (await frameOf(page)).getByRole('textbox').inputValue()).toBe('Fue el día 20');
  expect(complaints).toEqual([]);
  await agents.close();
}, 180_000);
