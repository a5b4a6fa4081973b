/** Whether the server answers, and with which version. */
export type Health =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly version: string }
  | { readonly state: 'unreachable' };

/** How long a person waits before being told, in milliseconds. */
const patience = 8000;

/** Asks once. Anything but the documented answer counts as unreachable. */
export async function checkHealth(ask: typeof fetch): Promise<Health> {
  try {
    const answer = await ask('/v1/health', { cache: 'no-store', signal: AbortSignal.timeout(patience) });
    const body: unknown = answer.ok ? await answer.json() : undefined;
    if (typeof body === 'object' && body && 'version' in body && typeof body.version === 'string') {
      return { state: 'ready', version: body.version };
    }
  } catch {
    // No network, no JSON, too late: the same to the person who waits.
  }
  return { state: 'unreachable' };
}
