/** Counts what comes in, and says when it is more than anybody needs: a bucket that fills by so many a second. */
export class FloodGuard {
  readonly #capacity: number;
  readonly #perSecond: number;
  #left: number;
  #at = performance.now();

  constructor(capacity: number, perSecond: number) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#left = capacity;
  }

  /** Counts one. @returns whether it was one too many. */
  count(): boolean {
    const now = performance.now();
    this.#left = Math.min(this.#capacity, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    this.#left--;
    return this.#left < 0;
  }
}
