import type { Kysely } from 'kysely';
import type { ConversationContext } from '../conversations/context.ts';
import { insistently } from '../conversations/insistently.ts';
import type { OpenTurn } from '../conversations/turns.ts';
import { newId } from '../core/ids.ts';
import { AppError, abortError } from '../errors.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import { appendEvents, HappenedBefore, type NewEvent, seqOfKey } from '../storage/run-events.ts';
import { type RunChange, type RunRow, writeRun } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import { type HeldTurn, withTurn } from '../storage/turns.ts';
import type { RunServices } from './context.ts';
import type { Writer } from './event-log.ts';
import { type RunSettings, settingsOf } from './settings.ts';

/** The run is somebody else's now, or has ended: nothing can be written to it any more. */
export class Lost extends Error {
  override name = 'Lost';
}

/** There is a message for the model, so the run does not end yet. */
export class Steered extends Error {
  override name = 'Steered';
}

/** What a transaction of a run adds. */
export interface Written<T> {
  events: readonly NewEvent[];
  change?: RunChange;
  value: T;
}

/** It has run for as long as it may. */
export class RunTimeout extends Error {
  override name = 'RunTimeout';
}

/** A run that this process has taken: with its fence, so that whoever takes it next shuts this one out. */
export class OpenRun implements OpenTurn {
  readonly services: RunServices;
  readonly settings: RunSettings;
  readonly context: ConversationContext;
  readonly held: HeldTurn;
  readonly writer: Writer;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #row: RunRow;
  #since = performance.now();

  /** @param row as it was taken. */
  constructor(services: RunServices, row: RunRow) {
    const { id, owner, conversation, fence } = row;
    this.services = services;
    this.settings = settingsOf(row);
    this.context = { ...services, owner, budget: services.budgets.of(owner, this.settings.budgets), newId };
    this.held = { owner, conversation, id };
    this.writer = { run: id, owner, fence };
    this.#row = row;
    services.events.open(this.writer, () => this.#controller.abort(new Lost()));
    const left = Math.max(0, services.runTimeoutMs - row.active_ms);
    this.#timer = setTimeout(() => this.#controller.abort(new RunTimeout()), left);
  }

  /** As it was last read or written. */
  get row(): RunRow {
    return this.#row;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops what is under way. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Lets go of the run, which goes on being what the table says. */
  close(): void {
    clearTimeout(this.#timer);
    this.services.events.close(this.writer);
  }

  /** @throws what the run was stopped for. */
  throwIfStopped(): void {
    if (this.signal.aborted) throw this.signal.reason;
  }

  /** Has a delta stored, and sent to whoever watches. */
  emit(type: string, data: NewEvent['data']): void {
    if (!this.signal.aborted) this.services.events.push(this.writer, { type, data });
  }

  async write<T>(work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<T>): Promise<T> {
    return await this.record(async (tx, row) => ({ events: [], value: await work(tx, row) }));
  }

  /**
   * Writes to the run, its conversation and its log, all or nothing, after what was emitted before.
   * @param ends gives the conversation's turn back.
   * @throws Lost
   */
  async record<T>(work: (tx: Kysely<Schema>, row: ConversationRow) => Promise<Written<T>>, ends = false): Promise<T> {
    const { db, events } = this.services;
    const pending = await events.take(this.writer);
    const { run, owner, fence } = this.writer;
    // Made once, for every try.
    const batch = newId('batch');
    const now = performance.now();
    const active = this.#row.active_ms + Math.round(now - this.#since);
    try {
      const done = await insistently(
        () =>
          withTurn(db, this.held, ends, async (tx, conversation) => {
            const { events: own, change, value } = await work(tx, conversation);
            const all = once([...pending, ...own], batch);
            const stored = all.length > 0 ? (await appendEvents(tx, [{ ...this.writer, events: all }])).get(run) : [];
            const row = await writeRun(tx, { owner, id: run, fence }, { active_ms: active, ...change });
            if (!stored || !row) throw new Lost();
            return { value, stored, row };
          }),
        isFinal,
      );
      if (!done) throw new Lost();
      const { value, stored, row } = done.value;
      this.#row = row;
      this.#since = now;
      if (stored.length > 0) events.publish(run, stored);
      return value;
    } catch (error) {
      throw error instanceof HappenedBefore ? new Lost() : error;
    }
  }

  /** Is the event in the log already? */
  async hasHappened({ key }: NewEvent): Promise<boolean> {
    const { owner, id } = this.#row;
    return key !== undefined && (await seqOfKey(this.services.db, owner, id, key)) !== undefined;
  }

  /** Why it was stopped, as an error of the loop: a provider's answer that was broken off says only that it was. */
  reasonFor(error: unknown): unknown {
    if (!this.signal.aborted) return error;
    const { reason } = this.signal;
    return reason instanceof AppError ? abortError(this.signal) : reason;
  }
}

/**
 * The same events, of which one can happen only once: a commit whose answer got lost is not done again.
 */
function once(events: NewEvent[], key: string): NewEvent[] {
  const [first, ...rest] = events;
  if (!first || events.some(({ key }) => key !== undefined)) return events;
  return [{ ...first, key }, ...rest];
}

function isFinal(error: unknown): boolean {
  return error instanceof Lost || error instanceof HappenedBefore || error instanceof Steered;
}
