import type { RunServices } from './context.ts';
import type { Job } from './engine/engine.ts';

/**
 * Has a run taken up, as soon as what the caller has to say first is on its way: its first events, an answer. What the
 * engine refuses now, `takeUpForgotten` tells it again.
 */
export function enqueueSoon(runs: RunServices, job: Job): void {
  setImmediate(() => {
    runs.engine.enqueue(job).catch((error: unknown) => {
      runs.log.error({ err: error, run: job.run }, 'a run could not be handed to the engine; it will be tried again');
    });
  });
}
