import type { Problem } from './chat.ts';

/**
 * An answer that is no result. `status` is HTTP's, or 0 when there was no
 * answer; `code` is of SPEC section 6 or of HTTP, `rule` the rule's number when
 * the server named one, and else the code again.
 */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  readonly rule: string;

  constructor(status: number, code: string, rule = code) {
    super(`${status} ${code}`);
    this.name = 'Failure';
    this.status = status;
    this.code = code;
    this.rule = rule;
  }
}

/** Whether the same request may succeed later: no answer, too many requests, or a server in trouble. */
export function passing(error: unknown): boolean {
  return error instanceof Failure && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** The code of a server's or an object's refusal; empty for other errors. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** What a page says about an error. A vault's Refusal is known by its rule, because it comes from a worker. */
export function problemOf(error: unknown): Problem {
  const code = codeOf(error);
  if (passing(error))
    return { code: 'offline', ...(['rate_limited', 'unavailable'].includes(code) && { rule: code }) };
  if (code === 'closed') return { code };
  if (error instanceof Error && 'rule' in error && typeof error.rule === 'string')
    return { code: 'refused', rule: error.rule };
  // A worker's error comes as its text.
  return { code: String(error).includes('NotSupportedError') ? 'unsupported' : 'storage' };
}
