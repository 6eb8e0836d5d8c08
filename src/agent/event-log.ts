import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { newId } from '../core/ids.ts';
import { pause } from '../core/pause.ts';
import { appendEvents, HappenedBefore, type NewEvent, readHeads, type StoredEvent } from '../storage/run-events.ts';
import type { Schema } from '../storage/schema.ts';
import { EVERYTHING, type Waker } from '../storage/waker.ts';
import { addDelta } from './deltas.ts';
import { Tail } from './tail.ts';

/** Who writes to a run's log. */
export interface Writer {
  run: string;
  owner: string;
  fence: number;
}

/** What a writer has not stored yet. */
interface Pending extends Writer {
  events: NewEvent[];
  /** Characters. */
  size: number;
}

/** Deltas are stored so often at most; what came in between goes in one row. */
const BATCH_MS = 40;
const RETRY_MS = 250;
/** How long a database that refuses is tried again. */
const PATIENCE_MS = 20_000;
/** Other nodes' news that got lost are found so late at most. */
const POLL_MS = 1000;
/** Characters of one run that wait to be stored at most, before its model has to wait. */
const MOST_PENDING = 256 * 1024;
const NEVER = new AbortController().signal;

/**
 * The logs of runs, as this node writes and reads them. Deltas of all runs are stored together, in batches; watchers on
 * this node get from memory what was stored a moment ago, those on others are woken and read the table.
 */
export class EventLog {
  readonly #db: Kysely<Schema>;
  readonly #waker: Waker;
  readonly #log: Logger;
  readonly #pending = new Map<string, Pending>();
  readonly #tails = new Map<string, Tail>();
  /** Those that this node is at work on, and what to call when they are lost. */
  readonly #writers = new Map<string, { writer: Writer; lost: () => void }>();
  readonly #unsubscribe: () => void;
  #flushing: Promise<void> | undefined;
  #storing: Promise<void> | undefined;
  #lastFlush = Number.NEGATIVE_INFINITY;
  #isWaking = false;
  #poll: NodeJS.Timeout | undefined;

  constructor(db: Kysely<Schema>, waker: Waker, log: Logger) {
    this.#db = db;
    this.#waker = waker;
    this.#log = log;
    this.#unsubscribe = waker.subscribe((topic) => this.#heard(topic));
  }

  /** Notes that this node works on a run. @param lost is called when somebody else has taken or ended it. */
  open(writer: Writer, lost: () => void): void {
    const before = this.#writers.get(writer.run);
    this.#writers.set(writer.run, { writer, lost });
    before?.lost();
    this.#watchHeads();
  }

  /** The work is over; what was not stored of it is dropped. */
  close({ run, fence }: Writer): void {
    if (this.#writers.get(run)?.writer.fence !== fence) return;
    this.#writers.delete(run);
    this.#pending.delete(run);
  }

  /** Has a delta stored soon. */
  push(writer: Writer, event: NewEvent): void {
    let pending = this.#pending.get(writer.run);
    if (pending?.fence !== writer.fence) {
      pending = { ...writer, events: [], size: 0 };
      this.#pending.set(writer.run, pending);
    }
    pending.size += addDelta(pending.events, event);
    this.#flushing ??= this.#flush();
  }

  /** Waits as long as too much of a run waits to be stored. */
  async room({ run }: Writer): Promise<void> {
    while ((this.#pending.get(run)?.size ?? 0) > MOST_PENDING) await this.#flushing;
  }

  /** Takes what was pushed and not stored yet out, so that it can be stored with what comes after it. */
  async take({ run, fence }: Writer): Promise<NewEvent[]> {
    // What is being stored comes first.
    while (this.#storing !== undefined) await this.#storing;
    const pending = this.#pending.get(run);
    if (pending?.fence !== fence) return [];
    this.#pending.delete(run);
    return pending.events;
  }

  /** Tells watchers of events that were stored, after the commit. */
  publish(run: string, events: readonly StoredEvent[]): void {
    this.#tails.get(run)?.add(events);
    this.#isWaking = true;
    this.#waker.wake(run);
    this.#isWaking = false;
  }

  /** Stops work on a run that this node has just ended or taken from itself. */
  lose(run: string): void {
    const open = this.#writers.get(run);
    if (!open) return;
    this.#writers.delete(run);
    this.#pending.delete(run);
    open.lost();
  }

  /** What is new in a run, for one watcher; `leave` must be called. */
  watch(run: string): Tail {
    let tail = this.#tails.get(run);
    if (!tail) {
      tail = new Tail(() => this.#tails.delete(run));
      this.#tails.set(run, tail);
    }
    tail.enter();
    this.#watchHeads();
    return tail;
  }

  /** Waits for what is being stored; nothing must be pushed any more. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    clearTimeout(this.#poll);
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.#pending.size > 0) {
      const early = this.#lastFlush + BATCH_MS - performance.now();
      if (early > 0) await pause(early, NEVER);
      this.#lastFlush = performance.now();
      const batch = [...this.#pending.values()];
      this.#pending.clear();
      this.#storing = this.#store(batch);
      await this.#storing;
      this.#storing = undefined;
    }
    this.#flushing = undefined;
  }

  async #store(batch: readonly Pending[]): Promise<void> {
    // A commit whose answer got lost must not be done again: one event of each run can happen only once.
    for (const { events } of batch) if (events[0]) events[0].key = newId('batch');
    const open = (): Pending[] => batch.filter(({ run, fence }) => this.#writers.get(run)?.writer.fence === fence);
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const writers = open();
      if (writers.length === 0) return;
      try {
        const stored = await this.#db.transaction().execute((tx) => appendEvents(tx, writers));
        for (const { run } of writers) {
          const events = stored.get(run);
          if (events) this.publish(run, events);
          else this.lose(run);
        }
        return;
      } catch (error) {
        if (error instanceof HappenedBefore) return this.#heard(EVERYTHING);
        this.#log.error({ err: error, runs: writers.length }, 'deltas could not be stored');
        // Whoever finds the database well again takes them up.
        if (performance.now() > deadline) for (const { run } of writers) this.lose(run);
        await pause(RETRY_MS, NEVER);
      }
    }
  }

  #heard(topic: string): void {
    if (this.#isWaking) return;
    if (topic === EVERYTHING) void this.#look([...this.#tails.keys(), ...this.#writers.keys()]);
    else {
      this.#tails.get(topic)?.poke();
      if (this.#writers.has(topic)) void this.#look([topic]);
    }
  }

  #watchHeads(): void {
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      const runs = [...new Set([...this.#tails.keys(), ...this.#writers.keys()])];
      if (runs.length > 0) void this.#look(runs).finally(() => this.#watchHeads());
    }, POLL_MS).unref();
  }

  /** Looks whether somebody else has written to these runs, taken them, or removed them. */
  async #look(runs: readonly string[]): Promise<void> {
    try {
      const fences = new Map(runs.map((run) => [run, this.#writers.get(run)?.writer.fence]));
      const heads = new Map((await readHeads(this.#db, runs)).map((head) => [head.id, head]));
      for (const run of runs) {
        const head = heads.get(run);
        const fence = fences.get(run);
        if (fence !== undefined && head?.fence !== fence && this.#writers.get(run)?.writer.fence === fence)
          this.lose(run);
        this.#tails.get(run)?.hear(head?.last_seq);
      }
    } catch (error) {
      this.#log.error({ err: error }, 'the logs of runs could not be looked at');
    }
  }
}
