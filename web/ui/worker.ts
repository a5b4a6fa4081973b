interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** A page as far as it has Trusted Types; the compiler's own list of a page's names lacks them. */
interface Page {
  readonly location?: unknown;
  readonly trustedTypes?: TrustedTypes;
}

/**
 * The address of our worker as the page's content security policy lets it
 * pass: by the one Trusted Types policy that it allows, which knows no other
 * address. Call it once; where there are no Trusted Types it gives the address back.
 */
export function trustedAddress(address: string, page: Page): string {
  const policy = page.trustedTypes?.createPolicy('aldaba-worker', {
    createScriptURL(asked) {
      if (asked !== address) throw new TypeError('not the address of our worker');
      return asked;
    },
  });
  return policy?.createScriptURL(address) ?? address;
}
