import { pause } from '../core/pause.ts';
import type { Waker } from '../storage/waker.ts';
import type { RunServices } from './context.ts';
import { EventLog } from './event-log.ts';
import { carryOn } from './pass.ts';

/** How long an ended run's deltas stay as they came: for watchers who come back. */
const FOLD_AFTER_MS = 3_600_000;
/** How long an interruption may take to be noticed. */
const GRACE_MS = 2000;

/** What runs are made of. */
export interface RunFoundation
  extends Omit<RunServices, 'events' | 'foldAfterMs' | 'stopping' | 'interrupting'>,
    Partial<Pick<RunServices, 'foldAfterMs'>> {
  waker: Waker;
  /** When the tools are there, so that no run is taken up without them; never rejects. */
  ready: Promise<void>;
}

/**
 * Begins to carry runs on, those that a process left behind too.
 * @returns what the verbs work with, and how to stop: a run that is in the middle of a step may end it within `ms`, and
 *   goes on elsewhere, or after the next start.
 */
export function openRuns({ waker, ready, ...rest }: RunFoundation): {
  runs: RunServices;
  stop(ms: number): Promise<void>;
} {
  const stopping = new AbortController();
  const interrupting = new AbortController();
  const events = new EventLog(rest.db, waker, rest.log);
  const runs: RunServices = {
    foldAfterMs: FOLD_AFTER_MS,
    ...rest,
    events,
    stopping: stopping.signal,
    interrupting: interrupting.signal,
  };
  runs.engine.start(async (job) => {
    await ready;
    await carryOn(runs, job);
  });
  const stop = async (ms: number): Promise<void> => {
    stopping.abort();
    const isOver = new AbortController();
    const stopped = runs.engine.stop().finally(() => isOver.abort());
    if (await pause(ms, isOver.signal)) interrupting.abort();
    await Promise.race([stopped, pause(GRACE_MS, isOver.signal)]);
    await events.stop();
  };
  let ending: Promise<void> | undefined;
  return {
    runs,
    stop: (ms) => {
      ending ??= stop(ms);
      return ending;
    },
  };
}
