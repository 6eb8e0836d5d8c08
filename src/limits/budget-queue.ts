import { type AppError, abortError } from '../errors.ts';
import type { BudgetRow } from '../storage/budgets.ts';
import { stillFull } from './budget-rule.ts';

const FIRST_POLL_MS = 20;
const LONGEST_POLL_MS = 500;

/** What a try comes to: what was wanted, or the budget that it has to wait for. */
export type Outcome<T> = { value: T } | { full: BudgetRow };

/** Whoever wants something that a budget has no room for now. */
interface Waiter {
  full: BudgetRow;
  /** Tries again. True if it does not wait for the same budget any more. */
  retry(): Promise<boolean>;
  giveUp(error: AppError): void;
}

/**
 * Waits for room in budgets. Within the process whoever comes first is first, at each budget by itself: a call that
 * waits for its key's budget keeps nobody from that of the account. What other processes free is noticed by looking.
 */
export class BudgetQueue {
  readonly #waitMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();
  /** Budgets whose line is being looked at, and whether it has to be once more. */
  readonly #looking = new Map<string, boolean>();
  #poll: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_POLL_MS;

  /** @param waitMs the longest wait, in milliseconds. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /**
   * Tries, at once if nobody waits for one of these budgets, and else in line.
   * @param undo what to do with a value that nobody waits for any more.
   * @throws AppError `budget_exceeded` after the longest wait, why the signal was aborted, or what `attempt` throws.
   */
  async enter<T>(
    subjects: readonly string[],
    attempt: () => Promise<Outcome<T>>,
    signal: AbortSignal,
    undo: (value: T) => Promise<void>,
  ): Promise<T> {
    if (signal.aborted) throw abortError(signal);
    const ahead = this.#find(({ full }) => subjects.includes(full.subject));
    const outcome = ahead ? { full: ahead.full } : await attempt();
    if ('value' in outcome) return outcome.value;
    return await this.#wait(outcome.full, attempt, signal, undo);
  }

  /** Something has changed at these budgets. */
  wake(subjects: Iterable<string>): void {
    for (const subject of subjects) void this.#look(subject);
  }

  /** Sends away everybody who waits. */
  stop(error: AppError): void {
    for (const waiter of this.#waiting) waiter.giveUp(error);
  }

  #wait<T>(
    full: BudgetRow,
    attempt: () => Promise<Outcome<T>>,
    signal: AbortSignal,
    undo: (value: T) => Promise<void>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): boolean => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        return this.#waiting.delete(waiter);
      };
      const giveUp = (error: unknown): void => {
        if (leave()) reject(error);
      };
      const abort = (): void => giveUp(abortError(signal));
      const retry = async (): Promise<boolean> => {
        try {
          const outcome = await attempt();
          if ('full' in outcome) {
            const isSame = outcome.full.subject === waiter.full.subject;
            waiter.full = outcome.full;
            return !isSame;
          }
          if (leave()) resolve(outcome.value);
          else await undo(outcome.value);
        } catch (error) {
          giveUp(error);
        }
        return true;
      };
      const waiter: Waiter = { full, retry, giveUp };
      const timer = setTimeout(() => giveUp(stillFull(waiter.full)), this.#waitMs);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) return reject(abortError(signal));
      if (this.#waiting.size === 0) this.#pauseMs = FIRST_POLL_MS;
      this.#waiting.add(waiter);
      this.#schedule();
    });
  }

  /** Lets those who wait for a budget try, one after the other, until one has to go on waiting. */
  async #look(subject: string): Promise<void> {
    const isLooking = this.#looking.has(subject);
    this.#looking.set(subject, isLooking);
    if (isLooking) return;
    do {
      this.#looking.set(subject, false);
      for (;;) {
        const first = this.#find(({ full }) => full.subject === subject);
        if (!first || !(await first.retry())) break;
      }
    } while (this.#looking.get(subject));
    this.#looking.delete(subject);
  }

  #find(is: (waiter: Waiter) => boolean): Waiter | undefined {
    for (const waiter of this.#waiting) if (is(waiter)) return waiter;
    return undefined;
  }

  #schedule(): void {
    if (this.#poll !== undefined || this.#waiting.size === 0) return;
    this.#poll = setTimeout(() => {
      this.#poll = undefined;
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_POLL_MS);
      this.wake(new Set([...this.#waiting].map(({ full }) => full.subject)));
      this.#schedule();
    }, this.#pauseMs);
  }
}
