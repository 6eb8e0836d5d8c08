import type { Kysely, Selectable } from 'kysely';
import { toDollars, toNanoDollars } from '../core/money.ts';
import type { AccessSchema, BudgetPeriod } from './access-schema.ts';
import { periodAt } from './budget-period.ts';
import { databaseNow, isAmong, isPostgres } from './dialect.ts';
import type { Schema } from './schema.ts';

/** Bounds of what may be used in a period: tokens, US dollars, or both. */
export interface BudgetInput {
  tokens?: number | null | undefined;
  usd?: number | null | undefined;
  period: BudgetPeriod;
}

/** A budget as it is shown. */
export interface BudgetView {
  tokens: number | null;
  usd: number | null;
  period: BudgetPeriod;
  usedTokens: number;
  usedUsd: number;
  /** When it begins anew, ISO-8601 UTC; null: never. */
  resetsAt: string | null;
}

/** A budget as it is at the time `now`, by the database's clock, in milliseconds. */
export type BudgetRow = Selectable<AccessSchema['budgets']> & { now: number };

/**
 * Sets the budget of a key or an account, or removes it (null). What was used in the period stays used, also where
 * the period becomes another. Must run in a transaction.
 */
export async function setBudget(
  tx: Kysely<Schema>,
  owner: string,
  subject: string,
  budget: BudgetInput | null,
): Promise<void> {
  if (!budget) return await deleteBudget(tx, owner, subject);
  const { period } = budget;
  const bounds = {
    tokens: budget.tokens ?? null,
    cost: typeof budget.usd === 'number' ? toNanoDollars(budget.usd) : null,
  };
  await tx
    .insertInto('budgets')
    .values({ subject, owner, period, ...bounds, period_start: '' })
    .onConflict((conflict) => conflict.column('subject').doNothing())
    .execute();
  const [row] = await lockBudgets(tx, owner, [subject]);
  if (!row) throw new Error(`the budget of ${subject} is somebody else's`);
  await tx
    .updateTable('budgets')
    .set({ period, ...bounds, period_start: periodAt(period, row.now).start })
    .where('owner', '=', owner)
    .where('subject', '=', subject)
    .execute();
}

/** Removes a budget with the holds on it: calls under way are not counted any more. Must run in a transaction. */
export async function deleteBudget(tx: Kysely<Schema>, owner: string, subject: string): Promise<void> {
  for (const table of ['budgets', 'budget_holds'] as const) {
    await tx.deleteFrom(table).where('owner', '=', owner).where('subject', '=', subject).execute();
  }
}

/** The budgets of those of an owner's keys and accounts that have one. */
export async function getBudgets(
  db: Kysely<Schema>,
  owner: string,
  subjects: readonly string[],
): Promise<Map<string, BudgetView>> {
  return new Map((await readBudgets(db, owner, subjects)).map((row) => [row.subject, toView(row)]));
}

/** The budget of a key or an account, undefined if it has none. */
export async function getBudget(db: Kysely<Schema>, owner: string, subject: string): Promise<BudgetView | undefined> {
  return (await getBudgets(db, owner, [subject])).get(subject);
}

/** The budgets of these subjects as they are now, in order. */
export async function readBudgets(
  db: Kysely<Schema>,
  owner: string,
  subjects: readonly string[],
): Promise<BudgetRow[]> {
  if (subjects.length === 0) return [];
  return (await select(db, owner, subjects).execute()).map(current);
}

/** The same, for nobody else to change until the transaction ends; where a period has begun, that is written. */
export async function lockBudgets(
  tx: Kysely<Schema>,
  owner: string,
  subjects: readonly string[],
): Promise<BudgetRow[]> {
  const query = select(tx, owner, subjects);
  // In the order of subjects, so that two transactions never wait for each other.
  const stored = await (isPostgres(tx) ? query.forUpdate() : query).execute();
  const rows = stored.map(current);
  for (const [index, { subject, period_start, used_tokens, used_cost }] of rows.entries()) {
    if (period_start === stored[index]?.period_start) continue;
    await tx
      .updateTable('budgets')
      .set({ period_start, used_tokens, used_cost })
      .where('owner', '=', owner)
      .where('subject', '=', subject)
      .execute();
  }
  return rows;
}

function select(db: Kysely<Schema>, owner: string, subjects: readonly string[]) {
  return db
    .selectFrom('budgets')
    .selectAll()
    .select(databaseNow(db).as('now'))
    .where('owner', '=', owner)
    .where(isAmong(db, 'subject', subjects))
    .orderBy('subject');
}

/** In a new period nothing is used yet. Never back to an earlier one: whoever waited for the row has an older clock. */
function current(row: BudgetRow): BudgetRow {
  const { start } = periodAt(row.period, row.now);
  if (start <= row.period_start) return row;
  return { ...row, period_start: start, used_tokens: 0, used_cost: 0 };
}

function toView({ tokens, cost, period, used_tokens, used_cost, now }: BudgetRow): BudgetView {
  return {
    tokens,
    usd: cost === null ? null : toDollars(cost),
    period,
    usedTokens: used_tokens,
    usedUsd: toDollars(used_cost),
    resetsAt: periodAt(period, now).end,
  };
}
