import { AppError } from '../errors.ts';

/** One running request, from its head to its end. */
export interface RunningRequest {
  /** Aborted when the caller leaves before the end, or when the server cannot wait any longer. */
  signal: AbortSignal;
  throwIfStopping(): void;
  /** @param finished whether the whole answer was sent. */
  end(finished: boolean): void;
}

/** Knows which requests are running, so that the server can stop without breaking them off. */
export class RunningRequests {
  readonly #controllers = new Set<AbortController>();
  #stopping = false;
  #onIdle: (() => void) | undefined;

  /** Notes the beginning of a request. */
  begin(): RunningRequest {
    const controller = new AbortController();
    this.#controllers.add(controller);
    return {
      signal: controller.signal,
      throwIfStopping: () => {
        if (this.#stopping)
          throw new AppError('shutting_down', 'The server is stopping; try again in a moment', { retryAfter: 5 });
      },
      end: (finished) => {
        if (!finished) controller.abort();
        this.#controllers.delete(controller);
        if (this.#controllers.size === 0) this.#onIdle?.();
      },
    };
  }

  /** Admits nothing new, waits up to `ms` for what is running, then aborts it and waits a moment for its end. */
  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    await this.#idle(ms);
    const error = new AppError('shutting_down', 'The server had to stop before the answer was complete');
    for (const controller of this.#controllers) controller.abort(error);
    await this.#idle(1000);
  }

  #idle(ms: number): Promise<void> {
    if (this.#controllers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
