import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type BudgetRow, lockBudgets } from './budgets.ts';
import { databaseNow, isAmong, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** What a call takes; `cost` in billionths of a US dollar. */
export interface Taken {
  tokens: number;
  cost: number;
}

/** A call and the budgets (≥ 1) that it is held on. */
export interface HeldCall {
  id: string;
  owner: string;
  /** Of the budgets. */
  subjects: readonly string[];
}

/**
 * The node of a hold that was taken from its process. It holds nothing any more, but is kept: a process that was only
 * thought dead still has something to count by it, once.
 */
const RELEASED = '';
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Budgets that one run of the sweep looks at. */
const AT_ONCE = 1000;

/**
 * Holds what a call may take at most on all of its budgets, or on none of them.
 * @param lease by which process, and for how many milliseconds without a renewal.
 * @param findFull which of the budgets, as they are now, has no room for it. It may throw.
 * @returns that one; undefined: the call is held.
 */
export async function takeHold(
  db: Kysely<Schema>,
  { id, owner, subjects }: HeldCall,
  { tokens, cost }: Taken,
  lease: { node: string; leaseMs: number },
  findFull: (rows: readonly BudgetRow[]) => BudgetRow | undefined,
): Promise<BudgetRow | undefined> {
  return await db.transaction().execute(async (tx) => {
    const rows = await lockBudgets(tx, owner, subjects);
    const full = findFull(rows);
    // They may all have been removed.
    if (full || rows.length === 0) return full;
    const expires_at = after(tx, lease.leaseMs);
    const holds = rows.map(({ subject }) => ({ id, subject, owner, node: lease.node, tokens, cost, expires_at }));
    await tx.insertInto('budget_holds').values(holds).execute();
    await tx
      .updateTable('budgets')
      .set((is) => ({
        reserved_tokens: is('reserved_tokens', '+', tokens),
        reserved_cost: is('reserved_cost', '+', cost),
        holds: is('holds', '+', 1),
      }))
      .where('owner', '=', owner)
      .where(isAmong(tx, 'subject', subjects))
      .execute();
    return undefined;
  });
}

/**
 * Ends a hold: what was reserved is free again, and what was used counts, in the period that it is now. Once: a second
 * time does nothing, and one that was taken from its process still counts.
 */
export async function settleHold(db: Kysely<Schema>, { id, owner, subjects }: HeldCall, used: Taken): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockBudgets(tx, owner, subjects);
    const ended = await tx
      .deleteFrom('budget_holds')
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where(isAmong(tx, 'subject', subjects))
      .returning(['subject', 'node', 'tokens', 'cost'])
      .execute();
    for (const { subject, node, ...held } of ended) {
      const holds = node === RELEASED ? 0 : 1;
      await changeBudget(tx, owner, subject, { ...held, holds }, used);
    }
  });
}

/** Keeps the holds of a process (≥ 1) for another `leaseMs`, those that it still has. */
export async function renewHolds(
  db: Kysely<Schema>,
  node: string,
  ids: readonly string[],
  leaseMs: number,
): Promise<void> {
  const held = db
    .selectFrom('budget_holds')
    .select(['id', 'subject'])
    .where('node', '=', node)
    .where(isAmong(db, 'id', ids));
  // What is being ended at this moment is not waited for: two that did could wait for each other.
  const mine = isPostgres(db) ? held.forUpdate().skipLocked() : held;
  await db
    .updateTable('budget_holds')
    .set({ expires_at: after(db, leaseMs) })
    .where('node', '=', node)
    .where((is) => is(is.refTuple('id', 'subject'), 'in', mine.$asTuple('id', 'subject')))
    .execute();
}

/** Takes from the processes that have died what they held. @returns how many holds. */
export async function releaseExpiredHolds(db: Kysely<Schema>): Promise<number> {
  const budgets = await db
    .selectFrom('budget_holds')
    .select(['owner', 'subject'])
    .distinct()
    .where('expires_at', '<', databaseNow(db))
    .limit(AT_ONCE)
    .execute();
  let released = 0;
  for (const { owner, subject } of budgets) {
    released += await db.transaction().execute((tx) => releaseHolds(tx, owner, subject));
  }
  return released;
}

async function releaseHolds(tx: Kysely<Schema>, owner: string, subject: string): Promise<number> {
  await lockBudgets(tx, owner, [subject]);
  const query = tx
    .selectFrom('budget_holds')
    .select(['id', 'node', 'tokens', 'cost'])
    .where('owner', '=', owner)
    .where('subject', '=', subject)
    .where('expires_at', '<', databaseNow(tx));
  const expired = await (isPostgres(tx) ? query.forUpdate().skipLocked() : query).execute();
  const of = (rows: typeof expired) =>
    isAmong(
      tx,
      'id',
      rows.map(({ id }) => id),
    );
  const kept = expired.filter(({ node }) => node === RELEASED);
  if (kept.length > 0) {
    await tx
      .deleteFrom('budget_holds')
      .where('owner', '=', owner)
      .where('subject', '=', subject)
      .where(of(kept))
      .execute();
  }
  const held = expired.filter(({ node }) => node !== RELEASED);
  if (held.length === 0) return 0;
  await tx
    .updateTable('budget_holds')
    .set({ node: RELEASED, tokens: 0, cost: 0, expires_at: after(tx, KEPT_MS) })
    .where('owner', '=', owner)
    .where('subject', '=', subject)
    .where(of(held))
    .execute();
  const sum = (field: keyof Taken): number => held.reduce((all, hold) => all + hold[field], 0);
  await changeBudget(tx, owner, subject, { tokens: sum('tokens'), cost: sum('cost'), holds: held.length });
  return held.length;
}

async function changeBudget(
  tx: Kysely<Schema>,
  owner: string,
  subject: string,
  free: Taken & { holds: number },
  used: Taken = { tokens: 0, cost: 0 },
): Promise<void> {
  await tx
    .updateTable('budgets')
    .set((is) => ({
      reserved_tokens: is('reserved_tokens', '-', free.tokens),
      reserved_cost: is('reserved_cost', '-', free.cost),
      holds: is('holds', '-', free.holds),
      used_tokens: is('used_tokens', '+', used.tokens),
      used_cost: is('used_cost', '+', used.cost),
    }))
    .where('owner', '=', owner)
    .where('subject', '=', subject)
    .execute();
}

/** The database's time so many milliseconds from now. */
function after(db: Kysely<Schema>, ms: number): RawBuilder<number> {
  return sql<number>`${databaseNow(db)} + ${sql.lit(ms)}`;
}
