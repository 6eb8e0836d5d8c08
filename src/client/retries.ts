import { pause } from '../core/pause.ts';
import { RequestError } from './client.ts';

/** Statuses after which the same request may well succeed: no answer, too many requests, not now. */
const PASSING = [0, 429, 503];
/** The first pause, in milliseconds; each further one is twice as long. */
const FIRST_PAUSE_MS = 250;
/** Who is told to wait longer than this many seconds is told of the refusal instead. */
const LONGEST_WAIT = 60;

/**
 * Does something that may be done again until it succeeds, `retries` times more at most. It waits as long as the
 * server says, else 0.25 s, 0.5 s, 1 s …
 * @throws RequestError the last one; or the first that does not pass, or that asks for more than a minute.
 */
export async function withRetries<T>(
  retries: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const never = new AbortController().signal;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures >= retries || !(error instanceof RequestError) || !isPassing(error)) throw error;
      await pause(Math.max(FIRST_PAUSE_MS * 2 ** failures, (error.retryAfter ?? 0) * 1000), signal ?? never);
      signal?.throwIfAborted();
    }
  }
}

function isPassing({ status, code, retryAfter }: RequestError): boolean {
  if ((retryAfter ?? 0) > LONGEST_WAIT) return false;
  // The first request with the same key is still being done.
  if (status === 409) return code === 'conflict' && retryAfter !== undefined;
  return PASSING.includes(status);
}
