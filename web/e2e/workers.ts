// Crypto workers in Chromium, as the pages start them, but with a clock that the
// test sets, and with the engine's ML-KEM or without.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** How these tests start Chromium: alone, and without a wire to anywhere else. */
export const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-sync',
];

const assets = join(import.meta.dirname, '..', 'dist', 'widget', 'assets');

/** What a page offers to this test. */
interface InPage {
  tab(): Promise<number>;
  call(tab: number, now: number, method: string, args: readonly unknown[]): Promise<unknown>;
}

/**
 * A page whose tabs are crypto workers. They share the page's storage, as tabs
 * of a browser do. Each has a clock that the test sets, and without `native`
 * the engine's ML-KEM is taken away before the worker begins.
 */
async function newPage(browser: Browser, origin: string, native: boolean): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(origin);
  const worker = readdirSync(assets).find((name) => /^worker-.*\.js$/.test(name));
  await page.evaluate(
    ({ url, native }) => {
      const prelude = `
        let now = 0;
        Date.now = () => now;
        ${native ? '' : 'delete SubtleCrypto.prototype.encapsulateBits;'}
        addEventListener('message', (event) => {
          if (!('clock' in event.data)) return;
          now = event.data.clock;
          event.stopImmediatePropagation();
        });`;
      const blob = (text: string) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
      const hex = (bytes: Uint8Array) =>
        Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      const bytes = (text: string) =>
        Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      // Bytes cross to the test as {hex}; everything else stays.
      const inward = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(inward);
        if (value && typeof value === 'object') {
          if ('hex' in value) return bytes(String(value.hex));
          return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inward(each)]));
        }
        return value;
      };
      const outward = (value: unknown): unknown => {
        if (value instanceof Uint8Array) return { hex: hex(value) };
        if (Array.isArray(value)) return value.map(outward);
        if (value && typeof value === 'object')
          return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, outward(each)]));
        return value;
      };
      const tabs: Worker[] = [];
      const waiting = new Map<number, (answer: unknown) => void>();
      let calls = 0;
      const api: InPage = {
        async tab() {
          const code = `import '${blob(prelude)}'; import '${url}';`;
          const made = new Worker(blob(code), { type: 'module' });
          made.onmessage = ({ data }) => {
            const [id, value, refused] = data as [number, unknown, [string, string, string] | undefined];
            waiting.get(id)?.(refused ? { refused } : { value: outward(value) });
            waiting.delete(id);
          };
          made.onerror = ({ message }) => {
            for (const answer of waiting.values()) answer({ refused: ['', 'failed', message] });
          };
          tabs.push(made);
          return tabs.length - 1;
        },
        async call(tab, now, method, args) {
          const worker = tabs[tab];
          const id = ++calls;
          worker?.postMessage({ clock: now });
          return new Promise((done) => {
            waiting.set(id, done);
            worker?.postMessage([id, method, inward(args)]);
          });
        },
      };
      Object.assign(window, { aldaba: { ...api, end: () => tabs.splice(0).map((tab) => tab.terminate()) } });
    },
    { url: `${origin}/${worker}`, native },
  );
  return page;
}

/** A refusal of the worker. */
export class Refused extends Error {
  readonly rule: string;
  constructor(rule: string, sentence: string) {
    super(`${rule} ${sentence}`);
    this.rule = rule;
  }
}

/** Bytes on their way into the page and out of it. */
export const b = (hex: string) => ({ hex });
export type B = ReturnType<typeof b>;

/** Calls of a vault at a time; bytes are `B`. */
export interface Call {
  (now: number, method: string, args: readonly unknown[]): Promise<unknown>;
  /** Several calls in one step into the page, which is what takes the time; it ends at the first refusal. */
  all(
    now: number,
    calls: readonly (readonly [method: string, args: readonly unknown[]])[],
  ): Promise<unknown[]>;
}

/** A new worker in a page. */
export async function tabOf(page: Page): Promise<Call> {
  const tab = await page.evaluate(() => (window as unknown as { aldaba: InPage }).aldaba.tab());
  const all: Call['all'] = async (now, calls) => {
    const answers = (await page.evaluate(
      async ({ tab, now, calls }) => {
        const answers = [];
        for (const [method, args] of calls) {
          const answer = await (window as unknown as { aldaba: InPage }).aldaba.call(tab, now, method, args);
          answers.push(answer);
          if ('refused' in (answer as object)) break;
        }
        return answers;
      },
      { tab, now, calls },
    )) as readonly { value?: unknown; refused?: [string, string, string] }[];
    const refused = answers.at(-1)?.refused;
    if (!refused) return answers.map(({ value }) => value);
    const [rule, , sentence] = refused;
    if (!rule) throw new Error(`${calls[answers.length - 1]?.[0]}: ${sentence}`);
    throw new Refused(rule, sentence);
  };
  return Object.assign(
    async (now: number, method: string, args: readonly unknown[]) => (await all(now, [[method, args]]))[0],
    { all },
  );
}

/** Chromium, and a server of the built worker. */
export async function startWorkers() {
  const http = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    const script = readdirSync(assets).includes(name);
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(script ? readFileSync(join(assets, name)) : '<!doctype html><title>workers</title>');
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const address = http.address();
  if (typeof address !== 'object' || !address) throw new Error('the server of the worker has no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args,
  });
  return {
    page: (native: boolean) => newPage(browser, origin, native),
    async stop() {
      await browser.close();
      http.close();
    },
  };
}
