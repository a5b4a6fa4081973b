// A visitor and an agent talk through the real binary, each in a browser of
// their own; reload and restart keep what they said, and the data folder does
// not have it (T04, first half).
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-talk-'));
const data = join(folder, 'data');

let server: ChildProcess;
let browser: Browser;
let visitorContext: BrowserContext;
let agentContext: BrowserContext;
let visitorPage: string;
let agentPage: string;
const complaints: string[] = [];

/** Starts the binary as `make run` does and reads the two addresses that it prints. */
async function start(address: string): Promise<void> {
  server = spawn(binary, ['run', '--demo=on', `--address=${address}`, `--folder=${data}`]);
  let output = '';
  await new Promise<void>((done, failed) => {
    const read = (chunk: unknown) => {
      output += String(chunk);
      const [, visitor] = /^chat .* (http\S+)$/m.exec(output) ?? [];
      const [, agent] = /^ana .* (http\S+)$/m.exec(output) ?? [];
      if (visitor && agent) {
        [visitorPage, agentPage] = [visitor, agent];
        done();
      }
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.on('exit', () => failed(new Error(`aldaba ended: ${output}`)));
    server.on('error', failed);
  });
}

async function stop(): Promise<void> {
  const ended = new Promise((done) => server.once('exit', done));
  server.kill();
  await ended;
}

async function open(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium reports each request that a stopped server does not answer, and
    // the first one after its restart, which has ended all sessions.
    if (message.type() === 'error' && !/ERR_CONNECTION|status of 401/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(address);
  return page;
}

beforeAll(async () => {
  await start('127.0.0.1:0');
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args,
  });
  visitorContext = await browser.newContext({ locale: 'es-ES', viewport: { width: 420, height: 760 } });
  agentContext = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function says(page: Page, text: string): Promise<void> {
  const box = page.getByRole('textbox');
  await box.fill(text);
  await box.press('Enter');
}

/** Waits until the log shows exactly these texts, in this order. */
async function sees(page: Page, ...texts: string[]): Promise<void> {
  await expect
    .poll(() => page.getByRole('log').locator('.bubble').allInnerTexts(), { timeout: 15_000 })
    .toEqual(texts);
}

function dataHolds(what: Buffer): boolean {
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(what));
}

test('a visitor and an agent talk; reload and restart keep it; the data folder does not have the text', async () => {
  const first = 'mi número de paciente es 77-4921 ✓';
  const second = 'Thank you, one moment please';
  const third = 'gracias, espero';

  const visitor = await open(visitorContext, visitorPage);
  await visitor.getByRole('radio', { name: /Atención al cliente/ }).check({ force: true });
  await visitor.getByRole('button', { name: 'Continuar' }).click();
  await says(visitor, first);
  await sees(visitor, first);

  const agent = await open(agentContext, agentPage);
  await agent.getByRole('heading', { name: 'Inbox' }).waitFor({ timeout: 30_000 });
  expect(new URL(agent.url()).hash).toBe('');
  await agent.getByRole('button', { name: /Visitor/ }).click();
  await agent.getByRole('button', { name: 'Accept' }).click();
  await sees(agent, first);
  await says(agent, second);
  await sees(visitor, first, second);

  // A reload brings everything back, from the log.
  await visitor.reload();
  await agent.reload();
  await sees(visitor, first, second);
  await agent.getByRole('button', { name: /Visitor/ }).click();
  await sees(agent, first, second);

  // The server stops; what is written meanwhile is sent when it is back.
  const { port } = new URL(visitorPage);
  await stop();
  await says(visitor, third);
  await start(`127.0.0.1:${port}`);
  await sees(agent, first, second, third);
  await sees(visitor, first, second, third);
  expect(await visitor.getByRole('log').innerText()).toContain('Ana');

  await stop();
  for (const text of [first, second, third, '77-4921', 'espero'])
    expect(dataHolds(Buffer.from(text))).toBe(false);
  // The search sees something: an event begins with version 1, kind 3 and the suite.
  expect(dataHolds(Buffer.from([1, 3, 0x64, 0x7a]))).toBe(true);
  expect(complaints).toEqual([]);
}, 90_000);
