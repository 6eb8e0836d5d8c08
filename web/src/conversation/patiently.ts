import { RequestError } from '../../../src/client/client.ts';

/** Answers after which nobody knows whether the request has arrived, or that will pass. */
const PASSING = [0, 502, 503, 504];
/** In milliseconds. */
const PAUSE_MS = 1000;
/** The same while somebody has to log in. */
const LOGIN_PAUSE_MS = 4000;

/** How often, and how long, something is tried. */
export interface Patience {
  signal: AbortSignal;
  /** It was tried before, and nobody knows what came of it. */
  mayHaveArrived?: boolean;
  /** Called when there was no answer and it will be tried again. */
  onLost?: (isLost: true) => void;
}

/**
 * Makes a request that may be repeated until it has an answer that tells whether it was done.
 * @throws RequestError, or why the signal was aborted
 */
export async function patiently<T>(
  request: () => Promise<T>,
  { signal, mayHaveArrived = false, onLost }: Patience,
): Promise<T> {
  for (let isUnclear = mayHaveArrived; ; ) {
    signal.throwIfAborted();
    try {
      return await request();
    } catch (error) {
      if (signal.aborted || !(error instanceof RequestError)) throw error;
      if (isPassing(error)) isUnclear = true;
      else if (!isUnclear || !isBeforeIt(error)) throw error;
      onLost?.(true);
      const ms = Math.max(error.status === 401 ? LOGIN_PAUSE_MS : PAUSE_MS, (error.retryAfter ?? 0) * 1000);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}

/** What is wrong with a provider has such a status too, and does not pass; a 409 with a time is of the first try. */
function isPassing({ status, code, retryAfter }: RequestError): boolean {
  if (status === 409) return retryAfter !== undefined;
  return (
    PASSING.includes(status) &&
    (status === 0 || code === 'unknown' || code === 'shutting_down' || code === 'overloaded')
  );
}

/** Said before the server has looked whether it knows the request: it tells nothing of an earlier try. */
function isBeforeIt({ status, code }: RequestError): boolean {
  return status === 401 || (status === 429 && (code === 'rate_limited' || code === 'unknown'));
}
