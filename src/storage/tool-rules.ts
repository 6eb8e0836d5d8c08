import type { Insertable, Kysely, Selectable } from 'kysely';
import { hashOf } from '../core/canonical.ts';
import type { JsonObject } from '../core/json.ts';
import { timestamp } from './rows.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** A stored answer to the question whether calls may be carried out. */
export type ToolRuleRow = Selectable<Schema['tool_rules']>;

/** A rule that is to be stored. */
export interface NewToolRule
  extends Pick<
    Insertable<Schema['tool_rules']>,
    'id' | 'owner' | 'conversation' | 'conversation_id' | 'tool' | 'action'
  > {
  match: JsonObject;
  /** Milliseconds since 1970; null: never. */
  expires_at: number | null;
}

/**
 * Stores a rule; one that says the same of the same calls takes its new end. To be called in a transaction.
 * @returns the rule as it is then, which may have another id.
 */
export async function insertToolRule(tx: Kysely<Schema>, { match, ...rule }: NewToolRule): Promise<ToolRuleRow> {
  await changeRuleSet(tx, rule.owner);
  return await tx
    .insertInto('tool_rules')
    .values({ ...rule, match: JSON.stringify(match), match_hash: hashOf(match), created_at: timestamp() })
    .onConflict((conflict) =>
      conflict
        .columns(['owner', 'tool', 'match_hash', 'conversation', 'action'])
        .doUpdateSet({ expires_at: rule.expires_at }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** All rules of an owner, the oldest first. */
export async function readToolRules(db: Kysely<Schema>, owner: string): Promise<ToolRuleRow[]> {
  return await db.selectFrom('tool_rules').selectAll().where('owner', '=', owner).orderBy('id').execute();
}

/** Another one than before: the owner's rules have changed. */
export async function ruleSetVersion(db: Kysely<Schema>, owner: string): Promise<number> {
  const row = await db.selectFrom('rule_sets').select('version').where('owner', '=', owner).executeTakeFirst();
  return row?.version ?? 0;
}

/** How many rules an owner has, without those that have expired at a time. */
export async function countToolRules(db: Kysely<Schema>, owner: string, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('tool_rules')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner', '=', owner)
    .where(({ or, eb }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow();
  return Number(count);
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

/** Notes that a rule has decided on a call. */
export async function noteRuleUse(db: Kysely<Schema>, owner: string, id: string): Promise<void> {
  await db
    .updateTable('tool_rules')
    .set(({ eb }) => ({ used_count: eb('used_count', '+', 1) }))
    .where('owner', '=', owner)
    .where('id', '=', id)
    .execute();
}

/** Deletes a rule; false if the owner has none of this id. */
export async function deleteToolRule(db: Kysely<Schema>, owner: string, id: string): Promise<boolean> {
  if (!isStorable(id)) return false;
  return await db.transaction().execute(async (tx) => {
    await changeRuleSet(tx, owner);
    const { numDeletedRows } = await tx
      .deleteFrom('tool_rules')
      .where('owner', '=', owner)
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  });
}

/** First of all, so that changes of one owner's rules come one after the other. */
async function changeRuleSet(tx: Kysely<Schema>, owner: string): Promise<void> {
  await tx
    .insertInto('rule_sets')
    .values({ owner, version: 1 })
    .onConflict((conflict) =>
      conflict.column('owner').doUpdateSet(({ eb, ref }) => ({ version: eb(ref('rule_sets.version'), '+', 1) })),
    )
    .execute();
}
