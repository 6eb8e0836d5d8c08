import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = 'test/chaos/node.ts';
const COPIED = ['src', 'package.json', PROGRAM, 'test/chaos/tools.ts', 'test/chaos/effects.ts', 'test/chaos/orders.ts'];

/** A place in the sources that is to be broken. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

/** Without the fence: whoever has lost a run can write to it all the same. */
export const WITHOUT_FENCE: readonly Change[] = [
  {
    file: 'src/storage/run-events.ts',
    from: '(given.fence is null or runs.fence = given.fence)',
    to: '(given.fence is null or given.fence is not null)',
  },
  {
    file: 'src/storage/runs.ts',
    from: "(fence === undefined ? query : query.where('fence', '=', fence))",
    to: '(fence === undefined ? query : query)',
  },
];

/** Without the keys: what can happen only once can happen twice. */
export const WITHOUT_KEYS: readonly Change[] = [
  {
    file: 'src/storage/migrations/0004_runs.ts',
    from: 'create unique index run_events_once',
    to: 'create index run_events_once',
  },
];

/** Without care for calls that may have been carried out: the tool says that they may be repeated. */
export const WITHOUT_CARE: readonly Change[] = [
  { file: 'test/chaos/tools.ts', from: "effect: 'unsafe'", to: "effect: 'read'" },
];

/**
 * Copies the sources and breaks the copy.
 * @returns the program of its nodes, and how to remove it.
 * @throws Error if a place is not found any more.
 */
export function sabotage(changes: readonly Change[]): { program: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-sabotage-'));
  for (const path of COPIED) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, from, to } of changes) {
    const text = readFileSync(join(folder, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not have ${JSON.stringify(from)} once`);
    writeFileSync(join(folder, file), text.replace(from, to));
  }
  return { program: join(folder, PROGRAM), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
