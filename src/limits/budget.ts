import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { newId } from '../core/ids.ts';
import { pause } from '../core/pause.ts';
import { AppError } from '../errors.ts';
import { type HeldCall, renewHolds, settleHold, type Taken, takeHold } from '../storage/budget-holds.ts';
import { readBudgets } from '../storage/budgets.ts';
import type { Schema } from '../storage/schema.ts';
import { BudgetQueue, type Outcome } from './budget-queue.ts';
import { type Estimate, findFull } from './budget-rule.ts';

/** Times in milliseconds. */
export interface BudgetsOptions {
  /** How long a call waits for others that have reserved the rest of a budget. */
  waitMs?: number;
  /** How long a process that has died keeps what it reserved; a living one renews it three times as often. */
  leaseMs?: number;
}

/** What a call under way has reserved. One of the two must be called when it is over; a second call does nothing. */
export interface Hold {
  /** Counts what the call has used. Never throws: what the database refuses now is tried again in the background. */
  settle(used: Taken): Promise<void>;
  /** The call has used nothing. */
  release(): Promise<void>;
}

/** Whatever somebody's calls count against. */
export interface Allowance {
  /** As `Budgets.reserve`. */
  reserve(estimate: Estimate, signal: AbortSignal): Promise<Hold | undefined>;
}

const WAIT_MS = 60_000;
const LEASE_MS = 15_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 8000;
/** Sums of a thousand such are still exact. */
const MOST = 2 ** 43;
const NOTHING: Taken = { tokens: 0, cost: 0 };

/**
 * The budgets of keys and accounts, as this process uses them: before a call what it may take at most is reserved,
 * afterwards what it took is counted. What is reserved has a lease, so that a process that dies keeps nothing.
 */
export class Budgets {
  readonly #db: Kysely<Schema>;
  readonly #log: Logger;
  readonly #leaseMs: number;
  readonly #node = newId('node');
  readonly #queue: BudgetQueue;
  readonly #held = new Set<string>();
  readonly #settling = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #renewal: NodeJS.Timeout | undefined;

  constructor(db: Kysely<Schema>, log: Logger, { waitMs = WAIT_MS, leaseMs = LEASE_MS }: BudgetsOptions = {}) {
    this.#db = db;
    this.#log = log;
    this.#leaseMs = leaseMs;
    this.#queue = new BudgetQueue(waitMs);
  }

  /** What calls of a caller count against: the budgets of these keys and accounts. Undefined for none. */
  of(owner: string, subjects: readonly string[]): Allowance | undefined {
    if (subjects.length === 0) return undefined;
    return { reserve: (estimate, signal) => this.reserve(subjects, owner, estimate, signal) };
  }

  /**
   * Reserves what a call may take on each of the budgets that these keys and accounts have, or on none; waits for calls
   * under way where they have reserved what it would need. Undefined if there is no budget.
   * @throws AppError `budget_exceeded`, or why the signal was aborted.
   */
  async reserve(
    subjects: readonly string[],
    owner: string,
    estimate: Estimate,
    signal: AbortSignal,
  ): Promise<Hold | undefined> {
    if (subjects.length === 0) return undefined;
    const attempt = () => this.#attempt(subjects, owner, estimate);
    return await this.#queue.enter(subjects, attempt, signal, async (hold) => await hold?.release());
  }

  /** Stops waiting, and waits until all that was used is counted. To be called when no call is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.stop(new AppError('shutting_down', 'The server is stopping; try again in a moment', { retryAfter: 5 }));
    while (this.#settling.size > 0) await Promise.all(this.#settling);
    clearInterval(this.#renewal);
  }

  async #attempt(subjects: readonly string[], owner: string, estimate: Estimate): Promise<Outcome<Hold | undefined>> {
    // Most of those who are refused or have to wait are told without a lock.
    const rows = await readBudgets(this.#db, owner, subjects);
    if (rows.length === 0) return { value: undefined };
    const call = { id: newId('hold'), owner, subjects: rows.map(({ subject }) => subject) };
    const most = { tokens: Math.min(estimate.tokens, MOST), cost: Math.min(estimate.cost ?? 0, MOST) };
    const lease = { node: this.#node, leaseMs: this.#leaseMs };
    const full =
      findFull(rows, estimate) ?? (await takeHold(this.#db, call, most, lease, (locked) => findFull(locked, estimate)));
    return full ? { full } : { value: this.#hold(call) };
  }

  #hold(call: HeldCall): Hold {
    this.#held.add(call.id);
    this.#renewal ??= setInterval(() => this.#renew(), this.#leaseMs / 3).unref();
    let ending: Promise<void> | undefined;
    const end = (used: Taken): Promise<void> => {
      ending ??= this.#track(this.#end(call, used));
      return ending;
    };
    return { settle: end, release: () => end(NOTHING) };
  }

  /** The caller waits for the first try only: an answer is not held up by a database that is out of order. */
  async #end(call: HeldCall, used: Taken): Promise<void> {
    if (!(await this.#tryToEnd(call, used))) void this.#track(this.#insist(call, used));
  }

  async #tryToEnd(call: HeldCall, used: Taken): Promise<boolean> {
    try {
      await settleHold(this.#db, call, used);
    } catch (error) {
      this.#log.error({ err: error, hold: call.id, used }, 'what a call has used could not be counted');
      return false;
    }
    this.#held.delete(call.id);
    this.#queue.wake(call.subjects);
    return true;
  }

  async #insist(call: HeldCall, used: Taken): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const isLast = !(await pause(pauseMs, this.#stopping.signal));
      if ((await this.#tryToEnd(call, used)) || isLast) return;
    }
  }

  #track(work: Promise<void>): Promise<void> {
    this.#settling.add(work);
    return work.finally(() => this.#settling.delete(work));
  }

  #renew(): void {
    if (this.#held.size === 0) {
      clearInterval(this.#renewal);
      this.#renewal = undefined;
      return;
    }
    renewHolds(this.#db, this.#node, [...this.#held], this.#leaseMs).catch((error: unknown) =>
      this.#log.error({ err: error }, 'what calls have reserved could not be renewed'),
    );
  }
}
