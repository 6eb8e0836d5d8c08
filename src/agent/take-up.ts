import { nextPass, runsWithWork } from '../storage/runs.ts';
import type { RunServices } from './context.ts';

/**
 * Sees to it that whatever has something to do is known to the engine: it may have lost it, or never got it, because a
 * process died between the two. @param idleMs for how long nothing must have been written to a run. @returns how many
 *   it had to be told.
 */
export async function takeUpForgotten(runs: RunServices, idleMs: number, limit: number): Promise<number> {
  const before = new Date(Date.now() - idleMs).toISOString();
  const found = await runsWithWork(runs.db, before, limit);
  let forgotten = 0;
  for (const run of found) {
    const job = { owner: run.owner, run: run.id, pass: run.pass };
    if ((await runs.engine.enqueue(job)) === 'pending') continue;
    // That pass is over, and has left something undone.
    const pass = await nextPass(runs.db, run);
    if (pass === undefined) continue;
    await runs.engine.enqueue({ ...job, pass });
    forgotten++;
  }
  return forgotten;
}
