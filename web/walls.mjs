// Proves that the walls between the folders stand: tsc must refuse a file that
// imports a folder its own does not reference, by name or by path, and one
// that asks for the page where there is none. It works on a copy of the
// configuration with sources of its own, so that it can test any folder today.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const web = import.meta.dirname;
const tsc = join(web, 'node_modules', '.bin', 'tsc');

/** What each folder may import of ours; the tsconfig references must say the same. */
const neighbours = {
  protocol: [],
  crypto: ['protocol'],
  client: ['protocol', 'crypto'],
  ui: ['protocol'],
  loader: ['protocol'],
  widget: ['protocol', 'crypto', 'client', 'ui'],
  console: ['protocol', 'crypto', 'client', 'ui'],
};
const folders = Object.keys(neighbours);
const withoutPage = ['protocol', 'crypto', 'client'];

const copy = mkdtempSync(join(tmpdir(), 'aldaba-walls-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));

for (const file of ['package.json', 'tsconfig.base.json']) cpSync(join(web, file), join(copy, file));
mkdirSync(join(copy, 'node_modules'));
symlinkSync(join(web, 'node_modules', 'vite'), join(copy, 'node_modules', 'vite'));
mkdirSync(join(copy, 'node_modules', '@aldaba'));
for (const folder of folders) {
  mkdirSync(join(copy, folder));
  for (const file of ['package.json', 'tsconfig.json'])
    cpSync(join(web, folder, file), join(copy, folder, file));
  symlinkSync(join(copy, folder), join(copy, 'node_modules', '@aldaba', folder));
  const main = JSON.parse(readFileSync(join(copy, folder, 'package.json'), 'utf8')).main ?? `./${folder}.ts`;
  writeFileSync(join(copy, folder, main), 'export const here: number = 1;\n');
}

/** Whether tsc accepts the folder with one more file in it. */
function accepts(folder, source) {
  const probe = join(copy, folder, 'probe.ts');
  writeFileSync(probe, source);
  const { status } = spawnSync(tsc, ['-b', join(copy, folder)], { encoding: 'utf8' });
  rmSync(probe);
  return status === 0;
}

const wrong = [];
function expectThat(folder, source, wanted) {
  if (accepts(folder, source) !== wanted)
    wrong.push(`${folder} ${wanted ? 'refuses' : 'accepts'}: ${source.trim()}`);
}

let probes = 0;
for (const from of folders) {
  for (const to of folders.filter((folder) => folder !== from)) {
    const allowed = neighbours[from].includes(to);
    const main = JSON.parse(readFileSync(join(copy, to, 'package.json'), 'utf8')).main ?? `./${to}.ts`;
    expectThat(from, `export { here } from '../${to}/${main.slice(2)}';\n`, allowed);
    probes++;
    if (to === 'widget' || to === 'console') continue; // they have no entry of that kind
    expectThat(from, `export { here } from '@aldaba/${to}';\n`, allowed);
    probes++;
  }
  expectThat(from, 'export const title: string = document.title;\n', !withoutPage.includes(from));
  expectThat(from, 'export const kept: number = localStorage.length;\n', !withoutPage.includes(from));
  probes += 2;
}
for (const line of wrong) console.error(line);
console.log(`${probes - wrong.length} of ${probes} walls stand`);
process.exit(wrong.length === 0 ? 0 : 1);
