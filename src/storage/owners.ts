import type { Kysely } from 'kysely';
import { hideConversation, removeOrphan } from './orphans.ts';
import type { Schema } from './schema.ts';

/** What an owner has beside conversations, which are removed piece by piece. */
const TABLES = [
  'presets',
  'tasks',
  'tickets',
  'ticket_counters',
  'conversation_counts',
  'idempotency_keys',
  'tool_rules',
  'rule_sets',
  'tool_results',
  'responses',
  'sessions',
  'api_keys',
  'invites',
  'budget_holds',
  'budgets',
] as const;

/** Whoever was let in before may still add something: twice as long as Node gives a request to arrive. */
const LATE_MS = 10 * 60_000;

/**
 * Removes what belongs to accounts that were deleted: at most `limit` (≥ 1) conversations, of those that have no more
 * the rest, and in the end the account. What is left, also by a crash or a late request, is removed the next time.
 */
export async function removeDeletedAccounts(db: Kysely<Schema>, limit: number): Promise<void> {
  const deleted = await db
    .selectFrom('accounts')
    .select(['id', 'owner', 'updated_at'])
    .where('status', '=', 'deleted')
    .execute();
  let left = limit;
  for (const { id, owner, updated_at } of deleted) {
    left -= await removeConversations(db, owner, left);
    if (left === 0) return;
    for (const table of TABLES) await db.deleteFrom(table).where('owner', '=', owner).execute();
    if (Date.parse(updated_at) < Date.now() - LATE_MS) await db.deleteFrom('accounts').where('id', '=', id).execute();
  }
}

async function removeConversations(db: Kysely<Schema>, owner: string, limit: number): Promise<number> {
  const some = await db.selectFrom('conversations').select('id').where('owner', '=', owner).limit(limit).execute();
  for (const { id } of some) {
    const row = await hideConversation(db, owner, id);
    if (row) await removeOrphan(db, row.number);
  }
  return some.length;
}
