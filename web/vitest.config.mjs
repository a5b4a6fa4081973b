// Unit and contract tests of every folder; the browser tests have their own
// configuration in e2e/, because they need the built binary and Chromium.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{protocol,crypto,client,ui,loader,widget,console}/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['ui/catalogues.testing.ts'],
    sequence: { shuffle: true },
  },
});
