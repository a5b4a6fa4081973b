// Answers the calls of a page, in order for each conversation.
import type { Answer, Call } from './facade.ts';
import { Refusal } from './refusal.ts';
import type { Vault } from './vault.ts';

/** Both ends of a worker, and of a channel in tests. */
interface Port {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(answer: Answer): void;
}

/** Methods whose first argument is a conversation; the others wait for everything, and everything for them. */
const oneConversation =
  'take state say form mark grant close accept rekey refresh remove transfer reopen'.split(' ');

/** Lets the vault answer what arrives at the port. Only names of its own methods are called. */
export function serve(port: Port, vault: Vault): void {
  const tails = new Map<string, Promise<void>>();
  port.onmessage = ({ data }: MessageEvent<Call>) => {
    const [id, method, args] = data;
    const room = oneConversation.includes(method) ? String(args[0]) : '';
    const before = room ? [tails.get(''), tails.get(room)] : [...tails.values()];
    const answer = async () => {
      await Promise.all(before);
      try {
        if (!Object.hasOwn(vault, method)) throw new Error(`the vault has no ${method}`);
        const act = vault[method as keyof Vault] as (...all: readonly unknown[]) => Promise<unknown>;
        port.postMessage([id, await act(...args)]);
      } catch (error) {
        const { rule, code, sentence } =
          error instanceof Refusal ? error : { rule: '', code: 'failed', sentence: String(error) };
        port.postMessage([id, undefined, [rule, code, sentence]]);
      }
    };
    const tail = answer().finally(() => {
      if (tails.get(room) === tail) tails.delete(room);
    });
    tails.set(room, tail);
  };
}
