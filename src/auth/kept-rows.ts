/** More than these are in use at once nowhere; beyond, all are read anew. */
const MAX_ROWS = 10_000;

/** What was just looked up, by its key: what a request is judged by. */
export class KeptRows<Row extends object> {
  readonly #keptMs: number;
  readonly #rows = new Map<string, { row: Row; at: number }>();
  #version = 0;

  /** @param keptMs for how long a row is taken for what is stored; 0: not at all. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** The row, as it was read within that time, or else as `read` finds it now. */
  async get(key: string, read: () => Promise<Row | undefined>): Promise<Row | undefined> {
    const kept = this.#rows.get(key);
    if (kept && performance.now() - kept.at <= this.#keptMs) return kept.row;
    const [version, at] = [this.#version, performance.now()];
    const row = await read();
    // What was read before a change and arrives after it is not what is stored.
    if (version !== this.#version || this.#keptMs === 0) return row;
    if (this.#rows.size >= MAX_ROWS) this.#rows.clear();
    if (row) this.#rows.set(key, { row, at });
    else this.#rows.delete(key);
    return row;
  }

  /** To be called when what is stored has changed. */
  clear(): void {
    this.#version++;
    this.#rows.clear();
  }
}
