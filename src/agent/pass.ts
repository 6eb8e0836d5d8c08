import { AppError, toAppError } from '../errors.ts';
import { takeRun } from '../storage/runs.ts';
import { withTurn } from '../storage/turns.ts';
import type { RunServices } from './context.ts';
import { type EarlyEnd, endEarly } from './end-early.ts';
import type { Job } from './engine/engine.ts';
import { runLoop } from './loop.ts';
import { Lost, OpenRun, RunTimeout } from './open-run.ts';
import { RunFailure } from './run-failure.ts';
import { HandOver, RunWork } from './run-work.ts';

/** How often a run is taken up without getting any further, before it is thought to be what kills its processes. */
const MOST_DEATHS = 20;
/** How often it is, if what fails is an error of ours or of the database's. */
const MOST_ERRORS = 5;
const DIED_AGAIN = `The run was stopped: its server has died ${MOST_DEATHS} times in the middle of the same step`;

/**
 * Takes a run up where it stands, and carries it on until it ends or waits for a person.
 * @throws HandOver, or what the database has against it: then the job is to be tried again.
 */
export async function carryOn(services: RunServices, job: Job): Promise<void> {
  const row = await takeRun(services.db, job.owner, job.run, job.pass);
  if (!row) return;
  const run = new OpenRun(services, row);
  const stop = (): void => run.abort(new HandOver());
  services.interrupting.addEventListener('abort', stop, { once: true });
  try {
    if (services.interrupting.aborted) stop();
    if (row.tries > 1)
      services.log.warn({ run: row.id, tries: row.tries }, 'a run is taken up in the middle of a step');
    if (row.tries > MOST_DEATHS) throw new RunFailure('INTERRUPTED', DIED_AGAIN);
    await runLoop(await RunWork.load(run));
  } catch (error) {
    const reason = run.reasonFor(error);
    if (reason instanceof Lost) return;
    if (reason instanceof HandOver) throw reason;
    // What nobody has foreseen may be the database's: then the job is tried again, but not for ever.
    if (!isMeant(reason) && row.tries < MOST_ERRORS) throw reason;
    await fail(run, reason).catch((failure: unknown) => {
      if (!(failure instanceof Lost)) throw failure;
    });
  } finally {
    services.interrupting.removeEventListener('abort', stop);
    run.close();
  }
}

function isMeant(reason: unknown): boolean {
  return reason instanceof AppError || reason instanceof RunFailure || reason instanceof RunTimeout;
}

async function fail(run: OpenRun, reason: unknown): Promise<void> {
  const { services, held, writer } = run;
  const end = { status: 'failed' as const, by: '', foldAfterMs: services.foldAfterMs, ...describe(run, reason) };
  const pending = await services.events.take(writer);
  const done = await withTurn(services.db, held, true, (tx, row) =>
    endEarly(tx, row, run.row, { fence: writer.fence, pending }, end),
  );
  if (done) services.events.publish(held.id, done.value);
}

function describe(
  run: OpenRun,
  reason: unknown,
): Pick<EarlyEnd, 'code' | 'message' | 'details' | 'retryAfter' | 'keepsPartial'> {
  if (reason instanceof RunTimeout) {
    const minutes = Math.round(run.services.runTimeoutMs / 6000) / 10;
    const message = `The run was stopped: it has run for ${minutes} minutes, and may no longer (PROFCLAW_RUN_TIMEOUT)`;
    return { code: 'TIMEOUT', message, keepsPartial: true };
  }
  if (reason instanceof RunFailure) return { code: reason.code, message: reason.message, keepsPartial: true };
  const error = toAppError(reason);
  if (error.code === 'internal') run.services.log.error({ err: reason, run: run.held.id }, 'a run failed');
  const code = error.code === 'budget_exceeded' ? 'BUDGET_EXCEEDED' : error.code;
  const message =
    error.code === 'internal'
      ? 'Something went wrong inside the server; its log has the details under the run’s id'
      : error.message;
  const { details, retryAfter } = error;
  return { code, message, details, retryAfter, keepsPartial: false };
}
