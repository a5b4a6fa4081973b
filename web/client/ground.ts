// What the visitor's chat and the agent's desk both stand on: the server, the
// vault opened for its organisation, and trust that is fresh.
import type { Kept, Pin, Vault } from '@aldaba/crypto';
import { type Api, api, type Bytes, type Site } from './api.ts';
import { codeOf, passing } from './problem.ts';

/** Milliseconds between two looks at policy and status. */
const trustAge = 600_000;

export interface Ground {
  readonly api: Api;
  readonly vault: Vault;
  /** The vault for the site's organisation and its trust; the vault is opened once, whatever happens after. */
  start(pin: (site: Site) => Pin): Promise<Kept>;
  /** Fetches policy, certificates and status and lets the vault verify them. */
  trust(): Promise<void>;
  /** Does the act; when it is refused because policy or status are old, once more with new ones. */
  trusted<T>(act: () => Promise<T>): Promise<T>;
}

/** `speaker` names the visitor's conversation for whom a session is made, or nothing for the device. */
export function ground(
  vault: Vault,
  base: string,
  speaker: () => Bytes | undefined,
  report: (error: unknown) => void,
): Ground {
  const requests = api(base, (challenge) => trusted(() => vault.proof(challenge, speaker())));
  let kept: Promise<Kept> | undefined;
  let trusting: Promise<void> | undefined;

  const trust = () => {
    trusting ??= requests
      .trust()
      .then((objects) => vault.trust(objects))
      .finally(() => {
        trusting = undefined;
      });
    return trusting;
  };

  async function trusted<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (codeOf(error) !== 'stale_status' && codeOf(error) !== 'policy_rollback') throw error;
      await trust();
      return act();
    }
  }

  return {
    api: requests,
    vault,
    trust,
    trusted,
    async start(pin) {
      const site = kept ? undefined : await requests.site();
      if (site) {
        kept ??= vault.open(pin(site)).then(
          (found) => {
            // A look that fails for want of a network is repeated by the next one.
            setInterval(() => trust().catch((error) => passing(error) || report(error)), trustAge);
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
