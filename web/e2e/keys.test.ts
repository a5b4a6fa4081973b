// The organisation's keys through the command line and the pages, as a company
// uses them: two agents are invited, one is revoked, everything is renewed, and
// whoever is left goes on without a reload.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { args } from './workers.ts';

const binary = join(import.meta.dirname, '..', '..', 'bin', 'aldaba');
const folder = mkdtempSync(join(tmpdir(), 'aldaba-keys-'));
const data = join(folder, 'data');
const exchange = join(data, 'exchange');

let server: ChildProcess;
let office: ChildProcess;
let browser: Browser;
let visitors: string;
let staff: string;

/** One command of the office, with its JSON. */
function keys<T>(command: string, ...flags: string[]): T {
  const common = [
    '--json',
    `--keys=${join(folder, 'keys')}`,
    `--exchange=${exchange}`,
    `--passphrase-file=${join(folder, 'pass')}`,
  ];
  const output = execFileSync(binary, ['keys', command, ...common, ...flags], { encoding: 'utf8' });
  return JSON.parse(output) as T;
}

beforeAll(async () => {
  execFileSync(binary, ['setup', '--organisation=Tests', '--login=root', '--name=Rosa', `--folder=${data}`]);
  server = spawn(binary, ['run', '--address=127.0.0.1:0', `--folder=${data}`]);
  await new Promise<void>((done, failed) => {
    let output = '';
    server.stdout?.on('data', (chunk) => {
      output += String(chunk);
      const [, visitor] = /visitor's page +(\S+)/.exec(output) ?? [];
      const [, agent] = /agent's page +(\S+)/.exec(output) ?? [];
      if (!visitor || !agent || !output.includes('no organisation yet')) return;
      [visitors, staff] = [visitor, agent];
      done();
    });
    server.on('exit', () => failed(new Error(`aldaba ended: ${output}`)));
  });
  writeFileSync(join(folder, 'pass'), 'a passphrase for tests\n', { mode: 0o600 });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
}, 60_000);

afterAll(async () => {
  office?.kill();
  server?.kill();
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(address: string): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1200, height: 760 } });
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

/** The six digits of now (RFC 6238), as an authenticator app shows them. */
function digits(secret: string): string {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** Makes an account and joins by its one-time link, in a browser of its own. */
async function joins(name: string): Promise<Page> {
  const output = execFileSync(
    binary,
    ['user', 'invite', name.toLowerCase(), `--name=${name}`, '--json', `--folder=${data}`],
    {
      encoding: 'utf8',
    },
  );
  const { link } = JSON.parse(output) as { link: string };
  const page = await open(staff);
  const ask = (path: string, body: object) =>
    page.evaluate(
      async ([to, what]) => {
        const headers = { 'Content-Type': 'application/json' };
        const answer = await fetch(to, { method: 'POST', headers, body: what });
        if (!answer.ok) throw new Error(await answer.text());
        return (await answer.json()) as { secret?: string };
      },
      [path, JSON.stringify(body)] as const,
    );
  const token = new URL(link).hash.slice(1);
  const { secret = '' } = await ask('/api/join/password', { token, password: 'harbour-lantern-52' });
  await ask('/api/join/code', { token, code: digits(secret) });
  return page;
}

async function visitorWrites(text: string): Promise<Page> {
  const page = await open(visitors);
  const box = page.getByRole('textbox');
  await box.fill(text);
  await box.press('Enter');
  await page.getByRole('log').getByText(text).waitFor({ timeout: 20_000 });
  return page;
}

/** Takes the conversation that waits, reads what it says and answers. */
async function answers(agent: Page, said: string, text: string): Promise<void> {
  await agent
    .getByRole('region', { name: /Waiting/ })
    .getByRole('button')
    .first()
    .click({ timeout: 40_000 });
  await agent.getByRole('button', { name: 'Accept' }).click({ timeout: 60_000 });
  await agent.getByRole('log').getByText(said).waitFor({ timeout: 20_000 });
  const box = agent.getByRole('textbox');
  await box.fill(text);
  await box.press('Enter');
}

test('an agent is revoked, keys are renewed, and the other agent goes on [K12, K14]', async () => {
  const nobody = await open(visitors);
  await nobody.getByText('cannot do this at the moment').waitFor();
  keys('init', '--department=Support:sealed');
  office = spawn(binary, [
    'keys',
    'enrol',
    '--wait',
    `--keys=${join(folder, 'keys')}`,
    `--exchange=${exchange}`,
    `--passphrase-file=${join(folder, 'pass')}`,
  ]);

  const agents: Page[] = [];
  for (const name of ['Bea', 'Carlos']) {
    const { invitation } = keys<{ invitation: string }>('invite', `--name=${name}`, '--department=Support');
    const page = await joins(name);
    await page.goto('about:blank');
    await page.goto(`${staff}#invite=${invitation}`);
    await page.getByRole('button', { name: 'Enrol' }).click({ timeout: 20_000 });
    await page.getByRole('heading', { name: 'Inbox' }).waitFor({ timeout: 60_000 });
    agents.push(page);
  }
  const [bea, carlos] = agents as [Page, Page];

  const first = await visitorWrites('is anybody there?');
  await answers(bea, 'is anybody there?', 'Bea is');
  await first.locator('.bubble').getByText('Bea is').waitFor({ timeout: 20_000 });

  const { devices } = keys<{ devices: readonly { name: string; certificate: string }[] }>('status');
  const certificate = devices.find(({ name }) => name === 'Bea')?.certificate ?? '';
  keys('revoke', certificate);

  // A new visitor writes to the new generation, which Carlos' page fetches by itself.
  const second = await visitorWrites('a new question');
  await answers(carlos, 'a new question', 'Carlos answers');
  await second.locator('.bubble').getByText('Carlos answers').waitFor({ timeout: 20_000 });

  // Bea's page has neither the queue nor a way to write any more.
  await expect
    .poll(() => bea.evaluate(() => document.body.innerText), { timeout: 40_000 })
    .toMatch(/K12|revoked|Inbox\n\nNo/);

  keys('renew', '--all');
  const third = await visitorWrites('after the renewal');
  await answers(carlos, 'after the renewal', 'Carlos still answers');
  await third.locator('.bubble').getByText('Carlos still answers').waitFor({ timeout: 60_000 });
}, 300_000);
