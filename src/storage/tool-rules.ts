import type { Insertable, Kysely, Selectable } from 'kysely';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** A stored answer to approvals of one exact call. */
export type ToolRuleRow = Selectable<Schema['tool_rules']>;

/** Stores a rule, if there is none of this kind yet. */
export async function insertToolRule(
  tx: Kysely<Schema>,
  rule: Omit<Insertable<Schema['tool_rules']>, 'created_at'>,
): Promise<void> {
  await tx
    .insertInto('tool_rules')
    .values({ ...rule, created_at: timestamp() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What the owner's rules say of a call in a conversation; `deny` wins. Undefined if none is about it. */
export async function ruleFor(
  db: Kysely<Schema>,
  call: Pick<ToolRuleRow, 'owner' | 'conversation' | 'tool' | 'arguments_hash'>,
): Promise<ToolRuleRow['action'] | undefined> {
  const rows = await db
    .selectFrom('tool_rules')
    .select('action')
    .where('owner', '=', call.owner)
    .where('tool', '=', call.tool)
    .where('arguments_hash', '=', call.arguments_hash)
    .where('conversation', 'in', [0, call.conversation])
    .execute();
  return rows.find(({ action }) => action === 'deny')?.action ?? rows[0]?.action;
}

/** The owner's newest rules; `before`: those made before the one of this id. */
export async function listToolRules(
  db: Kysely<Schema>,
  owner: string,
  before: string | undefined,
  limit: number,
): Promise<ToolRuleRow[]> {
  if (before !== undefined && !isStorable(before)) return [];
  const query = db.selectFrom('tool_rules').selectAll().where('owner', '=', owner);
  const part = before === undefined ? query : query.where('id', '<', before);
  return await part.orderBy('id', 'desc').limit(limit).execute();
}

/** Deletes a rule; false if the owner has none of this id. */
export async function deleteToolRule(db: Kysely<Schema>, owner: string, id: string): Promise<boolean> {
  if (!isStorable(id)) return false;
  const { numDeletedRows } = await db
    .deleteFrom('tool_rules')
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
