import type { ExceededLimit } from './limits.ts';

/** Why a command is ended from outside; the first reason is what counts. */
export class EndOfCommand {
  hasTimedOut = false;
  exceeded: ExceededLimit | undefined;
  readonly #kill: () => void;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  /** @param kill ends it at once; may be called again and again. */
  constructor(kill: () => void, timeoutMs: number, signal: AbortSignal) {
    this.#kill = kill;
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      this.hasTimedOut = this.exceeded === undefined;
      kill();
    }, timeoutMs);
    signal.addEventListener('abort', kill, { once: true });
    // While it was set up.
    if (signal.aborted) kill();
  }

  /** Ends it for a limit. */
  exceed(limit: ExceededLimit): void {
    if (!this.hasTimedOut) this.exceeded ??= limit;
    this.#kill();
  }

  /** To be called when it has ended. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#kill);
  }
}
