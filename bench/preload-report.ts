import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 10_000;

/**
 * Has a server say what a file that was loaded before it has noted: it writes it to `file` on SIGUSR2, as JSON.
 * @throws Error if it does not within 10 s.
 */
export async function askPreload<T>(pid: number, file: string): Promise<T> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + WITHIN_MS;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error(`the process ${pid} does not write ${file}`);
    await sleep(2);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
