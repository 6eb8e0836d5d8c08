// Loaded before the program (`--import`): ends it with SIGKILL exactly before the KILL_AT-th thing that it does to a key
// file, or to the folder of the key files.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

const AT = Number(process.env.KILL_AT);

/** Open descriptors of what is watched. */
const watched = new Set<unknown>();
let passed = 0;

function isWatched(target: unknown): boolean {
  if (typeof target === 'number') return watched.has(target);
  return target === process.env.PROFCLAW_HOME || basename(String(target)).startsWith('secret.key');
}

for (const name of ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync', 'linkSync'] as const) {
  const original = fs[name] as (...given: unknown[]) => unknown;
  const replaced = (...given: unknown[]): unknown => {
    const counts = isWatched(given[0]);
    if (counts && ++passed === AT) process.kill(process.pid, 'SIGKILL');
    const result = original(...given);
    if (counts && name === 'openSync') watched.add(result);
    return result;
  };
  Object.assign(fs, { [name]: replaced });
}
const { closeSync } = fs;
Object.assign(fs, {
  closeSync: (descriptor: number) => {
    watched.delete(descriptor);
    closeSync(descriptor);
  },
});
syncBuiltinESMExports();
