import { pause } from '../../core/pause.ts';
import { type AppError, abortError } from '../../errors.ts';

const MAX_TRIES = 3;
const MAX_WAIT_MS = 30_000;
const FIRST_BACKOFF_MS = 400;

/** One try: what came of it, or why it failed and whether another could help. */
export type Try<T> = { value: T } | { error: AppError; retryable: boolean };

/**
 * Tries up to three times, with growing pauses. Obeys `Retry-After` up to 30 s; a longer one is left to the caller.
 * @param patienceMs the last try begins at most so many milliseconds after the first.
 * @throws AppError the last try's failure, or `cancelled`.
 */
export async function withRetries<T>(
  attempt: () => Promise<Try<T>>,
  signal: AbortSignal,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let tries = 1; ; tries++) {
    const outcome = await attempt();
    if ('value' in outcome) return outcome.value;
    const { error, retryable } = outcome;
    const waitMs = error.retryAfter === undefined ? backoff(tries) : error.retryAfter * 1000;
    const isTooLong = waitMs > MAX_WAIT_MS || performance.now() + waitMs > end;
    if (!retryable || tries >= MAX_TRIES || isTooLong) throw error;
    if (!(await pause(waitMs, signal))) throw abortError(signal);
  }
}

function backoff(tries: number): number {
  return FIRST_BACKOFF_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
}
