import { type Insertable, type Kysely, type Selectable, sql, type UpdateObject } from 'kysely';
import { databaseNow, isPostgres } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { RunStatus } from './run-schema.ts';
import type { Schema } from './schema.ts';
import { isStorable } from './text.ts';

/** A run's row. */
export type RunRow = Selectable<Schema['runs']>;

/** What changes of a run. */
export type RunChange = UpdateObject<Schema, 'runs'>;

/** What begins a run. */
export type NewRun = Pick<
  Insertable<Schema['runs']>,
  'id' | 'owner' | 'conversation' | 'conversation_id' | 'kind' | 'first_seq' | 'settings'
>;

/** Those that have not ended. */
const ACTIVE: readonly RunStatus[] = ['queued', 'running', 'waiting_approval'];

/** Has it not ended? */
export function isActive(status: RunStatus): boolean {
  return ACTIVE.includes(status);
}

/** Stores a run that waits to be taken up. */
export async function insertRun(tx: Kysely<Schema>, run: NewRun): Promise<RunRow> {
  const now = timestamp();
  return await tx
    .insertInto('runs')
    .values({ ...run, status: 'queued', created_at: now, updated_at: now })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The owner's run of that id, undefined if there is none. */
export async function getRun(db: Kysely<Schema>, owner: string, id: string): Promise<RunRow | undefined> {
  if (!isStorable(id)) return undefined;
  return await db.selectFrom('runs').selectAll().where('owner', '=', owner).where('id', '=', id).executeTakeFirst();
}

/** The same, locked until the transaction ends; the conversation must have been locked before. */
export async function lockRun(tx: Kysely<Schema>, owner: string, id: string): Promise<RunRow | undefined> {
  const query = tx.selectFrom('runs').selectAll().where('owner', '=', owner).where('id', '=', id);
  return await (isPostgres(tx) ? query.forUpdate() : query).executeTakeFirst();
}

/**
 * Takes a run that has something to do: whoever had it before cannot write to it any more.
 * @param pass which one it is taken for.
 * @returns undefined if there is nothing to do: it has ended, waits for a person, is gone, or has had another pass since.
 */
export async function takeRun(
  db: Kysely<Schema>,
  owner: string,
  id: string,
  pass: number,
): Promise<RunRow | undefined> {
  return await db
    .updateTable('runs')
    .set((set) => ({
      fence: set('fence', '+', 1),
      attempts: set('attempts', '+', 1),
      tries: set('tries', '+', 1),
      status: 'running',
      updated_at: timestamp(),
    }))
    .where('owner', '=', owner)
    .where('id', '=', id)
    .where('pass', '=', pass)
    .where('status', 'in', ['queued', 'running'])
    .returningAll()
    .executeTakeFirst();
}

/**
 * Changes a run that has not ended. @param fence what the writer has taken; undefined for whoever is not at work on it.
 * @returns the row as it is then; undefined if it has ended, is gone, or was taken by somebody else.
 */
export async function writeRun(
  tx: Kysely<Schema>,
  { owner, id, fence }: { owner: string; id: string; fence?: number | undefined },
  change: RunChange,
): Promise<RunRow | undefined> {
  const query = tx
    .updateTable('runs')
    .set({ ...change, updated_at: timestamp() })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .where('status', 'in', ACTIVE);
  return await (fence === undefined ? query : query.where('fence', '=', fence)).returningAll().executeTakeFirst();
}

/** What a list of runs is narrowed to. `before`: those made before the run of this id. */
export interface RunFilter {
  conversationId?: string | undefined;
  status?: RunStatus | undefined;
  before?: string | undefined;
}

/** The owner's newest runs. */
export async function listRuns(
  db: Kysely<Schema>,
  owner: string,
  { conversationId, status, before }: RunFilter,
  limit: number,
): Promise<RunRow[]> {
  if (![conversationId, before].every((text) => text === undefined || isStorable(text))) return [];
  let query = db.selectFrom('runs').selectAll().where('owner', '=', owner);
  if (conversationId !== undefined) {
    query = query.where('conversation', '=', ({ selectFrom }) =>
      selectFrom('conversations').select('number').where('owner', '=', owner).where('id', '=', conversationId),
    );
  }
  if (status !== undefined) query = query.where('status', '=', status);
  if (before !== undefined) query = query.where('id', '<', before);
  return await query.orderBy('id', 'desc').limit(limit).execute();
}

/** The run that a conversation is busy with, if it is one. */
export async function activeRun(db: Kysely<Schema>, owner: string, conversation: number): Promise<RunRow | undefined> {
  return await db
    .selectFrom('runs')
    .selectAll()
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('status', 'in', ACTIVE)
    .executeTakeFirst();
}

/** The run that waits for a person in a conversation, if there is one. */
export async function waitingRun(
  db: Kysely<Schema>,
  owner: string,
  conversationId: string,
): Promise<string | undefined> {
  const [row] = await listRuns(db, owner, { conversationId, status: 'waiting_approval' }, 1);
  return row?.id;
}

/** Runs of everybody that had something to do before `before` (ISO-8601); what is done for them is recorded elsewhere. */
export async function runsWithWork(
  db: Kysely<Schema>,
  before: string,
  limit: number,
): Promise<Pick<RunRow, 'owner' | 'id' | 'pass'>[]> {
  return await db
    .selectFrom('runs')
    .select(['owner', 'id', 'pass'])
    // SQLite knows its partial index by these very words.
    .where(sql<boolean>`status in ('queued', 'running')`)
    .where('updated_at', '<', before)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
}

/** Gives a run another pass, unless it has got one meanwhile. @returns the new one. */
export async function nextPass(
  db: Kysely<Schema>,
  { owner, id, pass }: Pick<RunRow, 'owner' | 'id' | 'pass'>,
): Promise<number | undefined> {
  const row = await db
    .updateTable('runs')
    .set({ pass: pass + 1, updated_at: timestamp() })
    .where('owner', '=', owner)
    .where('id', '=', id)
    .where('pass', '=', pass)
    .where('status', 'in', ['queued', 'running'])
    .returning('pass')
    .executeTakeFirst();
  return row?.pass;
}

/** Ended runs of everybody whose deltas may be folded by now. */
export async function runsToFold(db: Kysely<Schema>, limit: number): Promise<Pick<RunRow, 'owner' | 'id'>[]> {
  return await db
    .selectFrom('runs')
    .select(['owner', 'id'])
    .where('fold_at', 'is not', null)
    .where('fold_at', '<', databaseNow(db))
    .orderBy('fold_at')
    .limit(limit)
    .execute();
}

/** The deltas of a run are folded. */
export async function markFolded(db: Kysely<Schema>, owner: string, id: string): Promise<void> {
  await db.updateTable('runs').set({ fold_at: null }).where('owner', '=', owner).where('id', '=', id).execute();
}
