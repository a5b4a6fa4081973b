// Builds the browser applications into dist/, ready to be embedded: bundles,
// their .br and .gz twins, and MANIFEST. Two builds of the same sources are
// the same bytes wherever and whenever they run (tools/repro proves it), so
// nothing here may read the clock, the environment or a path outside web/.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { shownBy } from './catalogue.mjs';

const web = import.meta.dirname;
const dist = join(web, 'dist');

/** The applications and the JSX runtime of each. */
const apps = { widget: 'preact', console: 'react' };

/** What the group of the crypto chunk matches. */
const crypto = join(web, 'crypto', '/');

const compressible = /\.(js|css|html|json|svg|txt|webmanifest)$/;

/** Leaves out of the catalogues what an application does not show. */
const catalogues = (name) => ({
  name: 'catalogues',
  enforce: 'pre',
  transform: (text, id) =>
    /\/ui\/\w+\.json$/.test(id) ? JSON.stringify(shownBy(name, JSON.parse(text))) : undefined,
});

/** One application as Vite sees it. */
function viteConfig(name) {
  return {
    root: join(web, name),
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    // Relative, so that the same bundle serves under any path of its host; the
    // console has its host for itself and addresses of its own.
    base: name === 'console' ? '/' : './',
    // The server puts a value of its own here for each answer.
    html: { cspNonce: 'ALDABA-NONCE' },
    plugins: [catalogues(name)],
    oxc: { jsx: { runtime: 'automatic', importSource: apps[name] } },
    worker: { format: 'es' },
    build: {
      outDir: join(dist, name),
      emptyOutDir: false,
      target: 'es2023',
      // The polyfill and data: URLs would need holes in the content security policy.
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: {
        // The facade stands in a chunk of its own so that its size has a budget.
        output: { codeSplitting: { groups: [{ name: 'crypto', test: (id) => id.startsWith(crypto) }] } },
      },
    },
  };
}

/**
 * The loader: one classic script, which a page can pin by its hash. Target: what
 * engines with the needed cryptography know.
 */
const loaderConfig = {
  root: join(web, 'loader'),
  configFile: false,
  envDir: false,
  logLevel: 'warn',
  build: {
    outDir: join(dist, 'loader'),
    emptyOutDir: false,
    target: 'es2022',
    lib: { entry: 'loader.ts', formats: ['iife'], name: 'loader', fileName: () => 'v1.js' },
    rolldownOptions: { output: { strict: true } },
  },
};

/** The name under which a loader stays for ever: its SHA-384, as text that an address takes. */
const loaderName = (bytes) => `${createHash('sha384').update(bytes).digest('base64url')}.js`;

/** Today's loader under its own name, and every one that was released: pages have pinned them. */
function keepLoaders() {
  const released = join(web, 'loader', 'released');
  const today = join(dist, 'loader', 'v1.js');
  const kept = readdirSync(released).filter((file) => file.endsWith('.js'));
  for (const file of [...kept.map((name) => join(released, name)), today]) {
    const bytes = readFileSync(file);
    const name = loaderName(bytes);
    if (file !== today && basename(file) !== name)
      throw new Error(`${file} was changed after its release: its content belongs to ${name}`);
    writeFileSync(join(dist, 'loader', name), bytes);
  }
}

/** Every file under dist, by its path there, in one order on every machine. */
function files() {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.gitkeep')
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)))
    .sort();
}

function compress(file) {
  const bytes = readFileSync(join(dist, file));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(join(dist, `${file}.br`), brotliCompressSync(bytes, { params }));
  writeFileSync(join(dist, `${file}.gz`), gzipSync(bytes, { level: 9 }));
}

function manifestLine(file) {
  const bytes = readFileSync(join(dist, file));
  return `${file} ${bytes.length} sha384-${createHash('sha384').update(bytes).digest('base64')}\n`;
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
writeFileSync(join(dist, '.gitkeep'), '');
for (const name of Object.keys(apps)) await build(viteConfig(name));
await build(loaderConfig);
keepLoaders();
for (const file of files().filter((path) => compressible.test(path))) compress(file);
writeFileSync(join(dist, 'MANIFEST'), files().map(manifestLine).join(''));
