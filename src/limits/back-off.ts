import type { Kysely } from 'kysely';
import { clearFailures, countFailure, withdrawFailures } from '../storage/login-failures.ts';
import type { Schema } from '../storage/schema.ts';
import { wrongTries } from './refusal.ts';

/** What is guessed at, and from where. */
export type FailureName = `account:${string}` | `address:${string}`;

/** So many failures in a row cost nothing; after the next one there is a pause of a second, which doubles each time. */
const FREE = 5;
const FIRST_MS = 1000;

/**
 * Anybody can fail at anybody's account, so that its pause must stay one that its owner can sit out: it makes guessing
 * slow (1,440 a day at most), it does not stop it. An address harms itself only, and those who share it.
 */
const LONGEST_ACCOUNT_MS = 60_000;
const LONGEST_ADDRESS_MS = 15 * 60_000;

/**
 * Pauses after wrong logins. Every attempt counts as failed from its beginning until it is told to have succeeded, so
 * that of many at once no more are tried than one after the other. Kept in the database: neither a restart nor another
 * process forgets. A name is forgotten when an attempt succeeds, and a day after the last one that failed.
 */
export class BackOff {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /**
   * Begins an attempt, before the password is looked at. One that is refused is not counted and lengthens no pause.
   * @param names under which it counts (≥ 1, all different).
   * @throws AppError `rate_limited` while one of them has a pause.
   */
  async attempt(names: readonly FailureName[]): Promise<void> {
    const waitMs = await countFailure(this.#db, names, pauseMs);
    if (waitMs > 0) throw wrongTries(waitMs);
  }

  /** Takes an attempt back that was not looked at, or says nothing about these names. */
  async withdrawn(names: readonly FailureName[]): Promise<void> {
    await withdrawFailures(this.#db, names);
  }

  /** Ends an attempt that was right; the names' earlier failures are forgotten too. */
  async succeeded(names: readonly FailureName[]): Promise<void> {
    await clearFailures(this.#db, names);
  }
}

/** For how long a name has a pause after so many failures in a row, in milliseconds. */
export function pauseMs(name: string, failures: number): number {
  if (failures <= FREE) return 0;
  const longest = name.startsWith('account:') ? LONGEST_ACCOUNT_MS : LONGEST_ADDRESS_MS;
  return Math.min(FIRST_MS * 2 ** (failures - FREE - 1), longest);
}
