// The page's side of the worker: a Vault whose calls cross as messages.
import { Refusal } from './refusal.ts';
import type { Vault } from './vault.ts';

const methods = (
  'open trust proof begin take state say form mark grant close accept rekey refresh remove transfer ' +
  'reopen enrol certified department erase'
).split(' ');

/** What the worker answers: the id of the call, its value, or rule, code and sentence of a refusal; no rule when the worker failed. */
export type Answer = readonly [id: number, value: unknown, refused?: readonly [string, string, string]];
export type Call = readonly [id: number, method: string, args: readonly unknown[]];

type Settle = { readonly done: (value: unknown) => void; readonly failed: (error: Error) => void };

/** The vault of a worker that runs worker.ts. */
export function connect(worker: Worker): Vault {
  const waiting = new Map<number, Settle>();
  let calls = 0;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const [id, value, refused] = data;
    const settle = waiting.get(id);
    waiting.delete(id);
    if (refused) settle?.failed(refused[0] ? new Refusal(...refused) : new Error(refused[2]));
    else settle?.done(value);
  };
  worker.onerror = ({ message }) => {
    for (const { failed } of waiting.values()) failed(new Error(`the crypto worker stopped: ${message}`));
    waiting.clear();
  };
  const call = (method: string, args: readonly unknown[]) =>
    new Promise((done, failed) => {
      waiting.set(++calls, { done, failed });
      worker.postMessage([calls, method, args] satisfies Call);
    });
  return Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => call(method, args)]),
  ) as unknown as Vault;
}
