/** A lock with one holder. Whoever asks first gets it first: it is handed over, so a newcomer cannot slip in between. */
export class Mutex {
  readonly #waiting: (() => void)[] = [];
  #held = false;

  /** Resolves when the caller holds the lock; it must call `unlock` once. */
  lock(): Promise<void> {
    if (this.#held) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#held = true;
    return Promise.resolve();
  }

  /** Gives the lock to the one that has waited longest. */
  unlock(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next();
  }
}
