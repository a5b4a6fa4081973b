// Compares what was built with budgets.json. A budget that matches no file
// fails too: a renamed chunk must not slip out of its bound. A lazy chunk may
// be named by no page and by no static import, so that nobody loads it at the start.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

const dist = join(import.meta.dirname, 'dist');
const { budgets } = JSON.parse(readFileSync(join(import.meta.dirname, 'budgets.json'), 'utf8'));
const built = readdirSync(dist, { recursive: true });
const loaders = built
  .filter((file) => /\.(html|js)$/.test(file))
  .map((file) => readFileSync(join(dist, file), 'utf8'));

/** Whether a page or a static import loads the file; import(…) does not. */
function eager(file) {
  const name = basename(file).replaceAll('.', '\\.');
  const loads = new RegExp(`(from|import|src=|href=)\\s*["'\`][^"'\`]*${name}`);
  return loaders.some((text) => loads.test(text));
}

/** The sentence that says what is wrong with one budget, or nothing. */
function complaint(budget, files, size) {
  if (files.length === 0) return 'no such file was built';
  if (size > budget.limit) return `${size - budget.limit} bytes over`;
  if (budget.lazy && files.some(eager)) return 'something loads it at the start';
  return undefined;
}

let failed = 0;
for (const budget of budgets) {
  const files = built.filter((file) => new RegExp(budget.files).test(file));
  const size = files.reduce((sum, file) => sum + statSync(join(dist, `${file}.${budget.encoding}`)).size, 0);
  const wrong = complaint(budget, files, size);
  if (wrong) failed++;
  console.log(
    `${budget.name.padEnd(32)} ${String(size).padStart(7)} / ${budget.limit} ${budget.encoding}  ${wrong ?? 'ok'}`,
  );
}
console.log(`${budgets.length - failed} budgets kept, ${failed} broken`);
process.exit(failed === 0 ? 0 : 1);
