// The Go side of tests that have members of both implementations: tools/member,
// led by a line of JSON for each request.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Refused } from './workers.ts';

/** One line of what an entry means, as both sides tell it. */
export interface Line {
  readonly kind: string;
  readonly seq: number;
  readonly text?: string;
  readonly rule?: string;
  readonly reason?: number;
  readonly n?: number;
  readonly marks?: readonly number[];
  readonly second?: readonly number[];
  readonly fields?: readonly { readonly name: string; readonly kind: number; readonly value: string }[];
}
export interface State {
  readonly seq: number;
  readonly log: string;
  readonly epoch: number;
  readonly members: readonly number[];
  readonly closed: boolean;
  readonly safety: string;
}
interface Answer {
  readonly rule?: string;
  readonly error?: string;
  readonly who?: number;
  readonly conv?: string;
  readonly org?: string;
  readonly text?: string;
  readonly objects?: readonly string[];
  readonly lines?: readonly Line[];
  readonly state?: State;
}

/** Builds and starts it. */
export async function startMember() {
  const folder = mkdtempSync(join(tmpdir(), 'aldaba-member-'));
  const binary = join(folder, 'member');
  execFileSync('go', ['build', '-o', binary, './tools/member'], {
    cwd: join(import.meta.dirname, '..', '..'),
  });
  const go = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface({ input: go.stdout }).on('line', (text) => waiting.shift()?.(JSON.parse(text)));
  return {
    /** What is refused by a rule is thrown as Refused. */
    async ask(op: string, request: object = {}): Promise<Answer> {
      const answer = await new Promise<Answer>((done) => {
        waiting.push(done);
        go.stdin.write(`${JSON.stringify({ op, ...request })}\n`);
      });
      if (answer.rule) throw new Refused(answer.rule, answer.error ?? '');
      if (answer.error) throw new Error(`${op}: ${answer.error}`);
      return answer;
    },
    stop() {
      go.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
