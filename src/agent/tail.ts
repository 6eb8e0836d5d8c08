import type { StoredEvent } from '../storage/run-events.ts';

/** Events that are kept for watchers who are a little behind. */
const MOST_KEPT = 50;

/** The end of a run's log as this node knows it, and who waits for it to grow. */
export class Tail {
  readonly #onEmpty: () => void;
  readonly #waiting = new Set<() => void>();
  /** Without a gap. */
  #recent: StoredEvent[] = [];
  #watchers = 0;
  #lastSeq = 0;
  #version = 0;
  #pokes = 0;
  #isGone = false;

  /** @param onEmpty is called when the last watcher has left. */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  enter(): void {
    this.#watchers++;
  }

  leave(): void {
    if (--this.#watchers === 0) this.#onEmpty();
  }

  /** Changes whenever there may be news. */
  get version(): number {
    return this.#version;
  }

  /** Changes whenever there may be news that only the table has. */
  get pokes(): number {
    return this.#pokes;
  }

  /** The run was removed. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Events that this node has stored. */
  add(events: readonly StoredEvent[]): void {
    const [first] = events;
    if (!first) return;
    const next = (this.#recent.at(-1)?.seq ?? first.seq - 1) + 1;
    // Two transactions may be published in the other order; then the table has to be read.
    if (first.seq !== next) this.#recent = [];
    this.#recent.push(...events);
    if (this.#recent.length > 2 * MOST_KEPT) this.#recent.splice(0, this.#recent.length - MOST_KEPT);
    this.#lastSeq = Math.max(this.#lastSeq, this.#recent.at(-1)?.seq ?? 0);
    this.#wake();
  }

  /** There may be news in the table. */
  poke(): void {
    this.#pokes++;
    this.#wake();
  }

  /** The log ends with this event; undefined: the run is gone. */
  hear(lastSeq: number | undefined): void {
    this.#isGone = lastSeq === undefined;
    if (lastSeq !== undefined && lastSeq <= this.#lastSeq) return;
    this.#lastSeq = lastSeq ?? this.#lastSeq;
    this.poke();
  }

  /** What comes after an event, if it is kept here. */
  after(seq: number): StoredEvent[] | undefined {
    const [first] = this.#recent;
    if (!first || first.seq > seq + 1 || (this.#recent.at(-1)?.seq ?? 0) <= seq) return undefined;
    return this.#recent.slice(seq + 1 - first.seq);
  }

  /** Does nothing that this node knows of come after an event? */
  isLast(seq: number): boolean {
    return seq >= this.#lastSeq;
  }

  /** Waits until there may be news since `version`. False after `ms`, or at once when the signal is aborted. */
  changed(version: number, ms: number, signal: AbortSignal): Promise<boolean> {
    if (version !== this.#version) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isChanged: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(wake);
        resolve(isChanged);
      };
      const wake = (): void => end(true);
      const abort = (): void => end(false);
      const timer = setTimeout(abort, ms);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    this.#version++;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
