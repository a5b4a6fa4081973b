// Browser tests: each starts the binary that make built (or ALDABA_BIN) and
// drives Debian's Chromium. One file at a time: they share two cores.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores that others use as well.
    expect: { poll: { timeout: 10_000 } },
  },
});
