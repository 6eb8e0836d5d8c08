/** How long the holders may keep the event loop busy one after the other, in milliseconds. */
const MOST_AT_ONCE_MS = 5;

/**
 * A lock with one holder. Whoever asks first gets it first: it is handed over, so a newcomer cannot slip in between.
 * Holders whose work never waits for anything (SQLite's) could keep the event loop as long as more of them come; now
 * and then the next one therefore has to wait until the loop has come round.
 */
export class Mutex {
  readonly #waiting: (() => void)[] = [];
  #held = false;
  /** When the event loop last came round and the lock was asked for. */
  #busySince: number | undefined;

  /** Resolves when the caller holds the lock; it must call `unlock` once. */
  lock(): Promise<void> {
    if (this.#held) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#held = true;
    if (this.#mayGoOn()) return Promise.resolve();
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Gives the lock to the one that has waited longest. */
  unlock(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else if (this.#mayGoOn()) next();
    else setImmediate(next);
  }

  #mayGoOn(): boolean {
    if (this.#busySince !== undefined) return performance.now() - this.#busySince < MOST_AT_ONCE_MS;
    this.#busySince = performance.now();
    setImmediate(() => {
      this.#busySince = undefined;
    });
    return true;
  }
}
