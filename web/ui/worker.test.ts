import { expect, test } from 'vitest';
import { trustedAddress } from './worker.ts';

test('the address goes through the one policy, which refuses any other', () => {
  const policies: string[] = [];
  let create = (url: string) => url;
  const trusted = trustedAddress('/assets/worker.js', {
    trustedTypes: {
      createPolicy(name, { createScriptURL }) {
        policies.push(name);
        create = createScriptURL;
        return { createScriptURL: (url) => `trusted ${createScriptURL(url)}` };
      },
    },
  });
  expect(policies).toEqual(['aldaba-worker']);
  expect(trusted).toBe('trusted /assets/worker.js');
  expect(() => create('https://elsewhere.example/worker.js')).toThrow(TypeError);
});

test('without Trusted Types it stays what it is', () => {
  expect(trustedAddress('/assets/worker.js', {})).toBe('/assets/worker.js');
});
