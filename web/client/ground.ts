// What the visitor's chat and the agent's desk both stand on: the server, the
// vault opened for its organisation, and trust that is fresh.
import type { Kept, Pin, Vault } from '@aldaba/crypto';
import { type Api, api, type Bytes, type Site } from './api.ts';
import { codeOf, passing, problemOf } from './problem.ts';

/** Milliseconds between two looks at policy, status and the device's keys. */
const trustAge = 600_000;
/** Milliseconds at least between two looks at the device's keys that a refusal asks for. */
const curePause = 2_000;
/** Rules that refuse a device whose certificate or department's keys have been replaced. */
const outdated = ['W1', 'K11', 'K12', 'K14'];

export interface Ground {
  readonly api: Api;
  readonly vault: Vault;
  /** The vault for the site's organisation and its trust; the vault is opened once, whatever happens after. */
  start(pin: (site: Site) => Pin, site?: string): Promise<Kept>;
  /** What is kept by now, after a start: another window may have begun a conversation since. */
  look(): Promise<Kept>;
  /** Fetches policy, certificates and status and lets the vault verify them. */
  trust(): Promise<void>;
  /** Does the act; when it is refused because policy, status or the device's keys are old, once more with new ones. */
  trusted<T>(act: () => Promise<T>): Promise<T>;
  /** After a refusal by a rule: fetches what would cure it; false when nothing would, or it was fetched just now. */
  cure(rule: string): Promise<boolean>;
  /** Fetches the device's newer certificate and keys; nothing while that is under way. */
  renew(): Promise<void>;
}

/**
 * `speaker` names the visitor's conversation for whom a session is made, or
 * nothing for the device; `renewal` brings a device newer keys.
 */
export function ground(
  vault: Vault,
  base: string,
  speaker: () => Bytes | undefined,
  report: (error: unknown) => void,
  renewal?: () => Promise<void>,
): Ground {
  // A proof waits for no cure, because a cure may need a session.
  const requests = api(base, (challenge) => lively(() => vault.proof(challenge, speaker())), cure, speaker);
  let kept: Promise<Kept> | undefined;
  let opened: Pin | undefined;
  let trusting: Promise<void> | undefined;
  let renewing = false;
  let curedAt = Number.NEGATIVE_INFINITY;
  // What fails for want of a network is repeated by the next look.
  const mention = (error: unknown) => {
    if (!passing(error)) report(error);
  };

  const trust = () => {
    trusting ??= requests
      .trust()
      .then((objects) => vault.trust(objects))
      .finally(() => {
        trusting = undefined;
      });
    return trusting;
  };

  async function renew(): Promise<void> {
    if (renewing || !renewal) return;
    renewing = true;
    try {
      await renewal();
    } finally {
      renewing = false;
    }
  }

  async function cure(rule: string): Promise<boolean> {
    if (!renewal || renewing || !outdated.includes(rule)) return false;
    if (Date.now() - curedAt < curePause) return false;
    curedAt = Date.now();
    try {
      await trust();
      await renew();
      return true;
    } catch (error) {
      mention(error);
      return false;
    }
  }

  async function lively<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== 'stale_status' && codeOf(error) !== 'policy_rollback') throw error;
      await trust();
      return act();
    }
  }

  async function trusted<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await lively(act);
    } catch (error) {
      if (!(await cure(problemOf(error).rule ?? ''))) throw error;
      return act();
    }
  }

  return {
    api: requests,
    vault,
    trust,
    trusted,
    cure,
    renew,
    async look() {
      const found = opened ? await vault.open(opened) : await kept;
      await trust();
      return found as Kept;
    },
    async start(pin, name) {
      const site = kept ? undefined : await requests.site(name);
      if (site) {
        opened = pin(site);
        kept ??= vault.open(opened).then(
          (found) => {
            setInterval(() => trust().then(renew).catch(mention), trustAge);
            return found;
          },
          (error) => {
            kept = undefined;
            throw error;
          },
        );
      }
      const found = await kept;
      await trust();
      return found as Kept;
    },
  };
}
