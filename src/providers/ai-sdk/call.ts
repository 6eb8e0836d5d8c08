import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError, abortError } from '../../errors.ts';
import type { Timeouts } from '../transport/upstream.ts';

/**
 * The clock of one call of a package: its signal ends when the caller leaves or the provider is silent for too long.
 * Nobody knows whether a package heeds the signal, so whoever waits is let go at once.
 */
export class SdkClock {
  /** For the package. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #provider: string;
  readonly #timeouts: Timeouts;
  readonly #onAbort = (): void => this.#controller.abort(abortError(this.#caller));
  #heard = false;

  constructor(provider: string, timeouts: Timeouts, caller: AbortSignal) {
    this.#provider = provider;
    this.#timeouts = timeouts;
    this.#caller = caller;
    this.signal = this.#controller.signal;
    if (caller.aborted) this.#onAbort();
    else caller.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Something of the answer is here: from now on, the limit is that for silence in the middle. */
  heard(): void {
    this.#heard = true;
  }

  /** Waits for the package, within the limit. @throws AppError `provider_timeout` or `cancelled`; what it throws. */
  async wait<T>(promise: PromiseLike<T>): Promise<T> {
    const { signal } = this;
    const { connect, firstByte, idle } = this.#timeouts;
    const ms = this.#heard ? idle : connect + firstByte;
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    const timer = setTimeout(() => this.#controller.abort(this.#silence(ms)), ms);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([promise, aborted.promise]);
    } catch (error) {
      // A package that heeds the signal says that it was aborted; the reason says why.
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The call is over, well or not; a package that is still at work for it is told to stop. */
  release(): void {
    this.#caller.removeEventListener('abort', this.#onAbort);
    this.#controller.abort(new AppError('cancelled', 'The call is over'));
  }

  #silence(ms: number): AppError {
    const what = this.#heard ? `sent nothing for ${ms / 1000} s in the middle of an answer` : 'did not begin to answer';
    const limit = this.#heard ? '' : ` within ${ms / 1000} s`;
    return new AppError('provider_timeout', `${this.#provider} ${what}${limit}`);
  }
}

const MAX_BATCH = 1000;

/**
 * The parts of a stream in batches: those that come in one turn of the event loop belong together. Reads one part
 * ahead at most, so a slow reader holds the provider back. Leaving early cancels the stream.
 * @throws what the stream or the clock throws, after all that came before it.
 */
export async function* inBatches(stream: ReadableStream<unknown>, clock: SdkClock): AsyncGenerator<unknown[]> {
  const reader = stream.getReader();
  const read = (): ReturnType<typeof reader.read> => {
    const next = reader.read();
    // It may fail while nobody is waiting yet; who waits for it is told all the same.
    next.catch(() => undefined);
    return next;
  };
  try {
    let next = read();
    for (;;) {
      const first = await clock.wait(next);
      if (first.done) return;
      const batch = [first.value];
      const turn = nextTurn(undefined);
      next = read();
      while (batch.length < MAX_BATCH) {
        const more = await Promise.race([next, turn]).catch(() => undefined);
        if (!more || more.done) break;
        batch.push(more.value);
        next = read();
      }
      yield batch;
    }
  } finally {
    // Not waited for: a package may never answer it.
    reader.cancel().catch(() => undefined);
  }
}
