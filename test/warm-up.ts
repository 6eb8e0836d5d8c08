import { globSync, mkdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILE_CACHE } from './compile-cache.ts';
import { cleanUp, start } from './process/program.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * Before any test: starts the program once and ends it in good order, unless that was done since the sources changed.
 * Programs that are killed, as many are in tests, write down nothing of what they have compiled.
 */
export async function setup(): Promise<void> {
  const sources = globSync(['src/**/*.ts', 'package-lock.json'], { cwd: ROOT });
  const newest = Math.max(...sources.map((name) => statSync(join(ROOT, name)).mtimeMs));
  const filled = statSync(COMPILE_CACHE, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (filled >= newest) return;
  const program = start();
  // If it does not start, the tests say so.
  await program.listening.catch(() => undefined);
  program.child.kill('SIGTERM');
  await program.ended;
  await cleanUp();
  mkdirSync(COMPILE_CACHE, { recursive: true });
  utimesSync(COMPILE_CACHE, new Date(), new Date());
}
