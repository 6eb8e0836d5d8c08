import { type Kysely, sql } from 'kysely';
import { databaseNow, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** How long after the last failure a name is forgotten. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Thrown out of a transaction to take it back. */
class Blocked extends Error {
  readonly waitMs: number;

  constructor(waitMs: number) {
    super();
    this.waitMs = waitMs;
  }
}

/**
 * Counts a failure under each of these names (≥ 1, all different) or, if one of them is blocked, under none.
 * @param blockMs for how long a name is blocked after so many failures in a row, in milliseconds.
 * @returns 0 if it was counted, else for how long the longest block still lasts, in milliseconds.
 */
export async function countFailure(
  db: Kysely<Schema>,
  names: readonly string[],
  blockMs: (name: string, failures: number) => number,
): Promise<number> {
  try {
    await db.transaction().execute(async (tx) => {
      const rows = await lockFailures(tx, names);
      const waitMs = Math.max(...rows.map((row) => row.blocked_until - row.now));
      if (waitMs > 0) throw new Blocked(waitMs);
      await writeFailures(
        tx,
        rows.map(({ name, failures, last_at, now }) => {
          const count = last_at <= now - KEPT_MS ? 1 : failures + 1;
          const ms = blockMs(name, count);
          // A statement that waited for another one's lock has an earlier time than that one.
          return { name, failures: count, blocked_until: ms > 0 ? now + ms : 0, last_at: now };
        }),
      );
    });
    return 0;
  } catch (error) {
    if (error instanceof Blocked) return error.waitMs;
    throw error;
  }
}

/** Forgets the failures under these names. */
export async function clearFailures(db: Kysely<Schema>, names: readonly string[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // One after the other: in the order in which they are counted, too.
    for (const name of names.toSorted()) await tx.deleteFrom('login_failures').where('name', '=', name).execute();
  });
}

/** Takes one failure back under each of these names, with the block that it has made. */
export async function withdrawFailures(db: Kysely<Schema>, names: readonly string[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const name of names.toSorted()) {
      await tx
        .updateTable('login_failures')
        .set((is) => ({ failures: is('failures', '-', 1), blocked_until: 0 }))
        .where('name', '=', name)
        .execute();
      await tx.deleteFrom('login_failures').where('name', '=', name).where('failures', '<=', 0).execute();
    }
  });
}

/** Removes names a day after their last failure, at most `limit` (≥ 1) of them. @returns how many it removed. */
export async function removeOldFailures(db: Kysely<Schema>, limit: number): Promise<number> {
  const old = db
    .selectFrom('login_failures')
    .select('name')
    .where('last_at', '<=', sql<number>`${databaseNow(db)} - ${sql.lit(KEPT_MS)}`)
    .orderBy('last_at')
    .limit(limit);
  const { numDeletedRows } = await db
    .deleteFrom('login_failures')
    // One that is being counted at this moment is not waited for.
    .where('name', 'in', isPostgres(db) ? old.forUpdate().skipLocked() : old)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Makes the rows that are not there, and locks all of them: whoever comes next waits, and nobody for each other. */
async function lockFailures(tx: Kysely<Schema>, names: readonly string[]) {
  return await tx
    .insertInto('login_failures')
    .values(names.toSorted().map((name) => ({ name, failures: 0, blocked_until: 0, last_at: databaseNow(tx) })))
    .onConflict((conflict) => conflict.column('name').doUpdateSet((set) => ({ name: set.ref('excluded.name') })))
    .returning(['name', 'failures', 'blocked_until', 'last_at', databaseNow(tx).as('now')])
    .execute();
}

async function writeFailures(
  tx: Kysely<Schema>,
  rows: { name: string; failures: number; blocked_until: number; last_at: number }[],
): Promise<void> {
  await tx
    .insertInto('login_failures')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((set) => ({
        failures: set.ref('excluded.failures'),
        blocked_until: set.ref('excluded.blocked_until'),
        last_at: set.ref('excluded.last_at'),
      })),
    )
    .execute();
}
