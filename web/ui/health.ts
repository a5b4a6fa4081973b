/** What is known of the server; failures counts unanswered questions since the last answer. */
export type Health =
  | { readonly state: 'loading'; readonly failures: number }
  | { readonly state: 'ready'; readonly version: string }
  | { readonly state: 'unreachable'; readonly failures: number };

/** What can happen: the page asks, and then the server answers or stays silent. */
export type HealthEvent =
  | { readonly type: 'ask' }
  | { readonly type: 'answer'; readonly version: string }
  | { readonly type: 'silence' };

/** Before the first question's answer. */
export const unknown: Health = { state: 'loading', failures: 0 };

/** The state after an event. A reply that nobody waits for any more changes nothing. */
export function advance(health: Health, event: HealthEvent): Health {
  if (event.type === 'ask') {
    return { state: 'loading', failures: health.state === 'ready' ? 0 : health.failures };
  }
  if (health.state !== 'loading') return health;
  if (event.type === 'answer') return { state: 'ready', version: event.version };
  return { state: 'unreachable', failures: health.failures + 1 };
}

/** How long a person waits before being told, in milliseconds. */
const patience = 8000;

/** Asks once. Anything but the documented answer counts as silence. */
export async function askHealth(ask: typeof fetch): Promise<HealthEvent> {
  try {
    const reply = await ask('/v1/health', { cache: 'no-store', signal: AbortSignal.timeout(patience) });
    const body: unknown = reply.ok ? await reply.json() : undefined;
    if (typeof body === 'object' && body && 'status' in body && body.status === 'ok') {
      if ('version' in body && typeof body.version === 'string') {
        return { type: 'answer', version: body.version };
      }
    }
  } catch {
    // No network, no JSON, too late: the same to the person who waits.
  }
  return { type: 'silence' };
}
