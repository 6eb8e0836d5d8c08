import type { Kysely, Selectable, Updateable } from 'kysely';
import { newId } from '../core/ids.ts';
import { isPostgres } from './dialect.ts';
import { timestamp } from './rows.ts';
import type { Schema, TitleBy } from './schema.ts';
import { indexTitle } from './search.ts';
import { isStorable, requireStorable } from './text.ts';

/** A conversation's row. Its `number` is the key of everything that belongs to it and is never shown. */
export type ConversationRow = Selectable<Schema['conversations']>;

/** A new conversation, already validated. */
export interface ConversationInput {
  title: string;
  titleBy: TitleBy;
  presetId: string;
  taskId: string | null;
  ticketId: string | null;
  model: string | null;
  systemPrompt: string | null;
  temperature: number | null;
  maxTokens: number | null;
  /** A JSON object as text. */
  metadata: string;
}

/** The owner of conversations that are being made or deleted: nobody, so that no query finds them. */
export const NOBODY = '';

/**
 * Stores a conversation. If one of this id is there already, of a request that is repeated, that one is given.
 * Throws InvalidRequestError for text that cannot be stored.
 */
export async function createConversation(
  db: Kysely<Schema>,
  owner: string,
  input: ConversationInput,
  id: string = newId('conv'),
): Promise<ConversationRow> {
  return await db.transaction().execute(async (tx) => {
    const row = await insertConversation(tx, owner, input, id);
    if (!row) return await requireConversation(tx, owner, id);
    await countConversations(tx, owner, 1);
    return row;
  });
}

/** Inserts the row and the title's search entry; undefined if there is one of this id. Must run in a transaction. */
export async function insertConversation(
  tx: Kysely<Schema>,
  owner: string,
  input: ConversationInput,
  id: string,
): Promise<ConversationRow | undefined> {
  const { title, presetId, systemPrompt, model } = input;
  requireStorable({ title, presetId, systemPrompt, model });
  const now = timestamp();
  const row = await tx
    .insertInto('conversations')
    .values({
      id,
      owner,
      title,
      title_by: input.titleBy,
      preset_id: presetId,
      task_id: input.taskId,
      ticket_id: input.ticketId,
      model,
      system_prompt: systemPrompt,
      temperature: input.temperature,
      max_tokens: input.maxTokens,
      metadata: input.metadata,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row && title !== '') await indexTitle(tx, row.number, title);
  return row;
}

/** Notes that an owner has so many conversations more, or fewer. */
export async function countConversations(tx: Kysely<Schema>, owner: string, change: 1 | -1): Promise<void> {
  await tx
    .insertInto('conversation_counts')
    .values({ owner, conversations: Math.max(0, change) })
    .onConflict((conflict) =>
      conflict
        .column('owner')
        .doUpdateSet((set) => ({ conversations: set('conversation_counts.conversations', '+', change) })),
    )
    .execute();
}

/** The owner's conversation of that id, undefined if there is none. */
export async function getConversation(
  db: Kysely<Schema>,
  owner: string,
  id: string,
): Promise<ConversationRow | undefined> {
  if (!isStorable(id)) return undefined;
  return await db
    .selectFrom('conversations')
    .selectAll()
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The same by its number. */
export async function getConversationByNumber(
  db: Kysely<Schema>,
  owner: string,
  number: number,
): Promise<ConversationRow | undefined> {
  return await db
    .selectFrom('conversations')
    .selectAll()
    .where('owner', '=', owner)
    .where('number', '=', number)
    .executeTakeFirst();
}

async function requireConversation(db: Kysely<Schema>, owner: string, id: string): Promise<ConversationRow> {
  const row = await getConversation(db, owner, id);
  if (!row) throw new Error(`the conversation ${id} is being deleted`);
  return row;
}

/**
 * The same, locked until the transaction ends. Whatever writes to a conversation takes this lock first, so that two
 * transactions never wait for each other. (SQLite's transactions have the whole file.)
 */
export async function lockConversation(
  tx: Kysely<Schema>,
  owner: string,
  key: { id: string } | { number: number },
): Promise<ConversationRow | undefined> {
  if ('id' in key && !isStorable(key.id)) return undefined;
  let query = tx.selectFrom('conversations').selectAll().where('owner', '=', owner);
  query = 'id' in key ? query.where('id', '=', key.id) : query.where('number', '=', key.number);
  return await (isPostgres(tx) ? query.forUpdate() : query).executeTakeFirst();
}

/** Changes a row that the transaction has locked, and gives it as it is then. */
export async function writeConversation(
  tx: Kysely<Schema>,
  row: Pick<ConversationRow, 'owner' | 'number'>,
  change: Updateable<Schema['conversations']>,
): Promise<ConversationRow> {
  if (change.title !== undefined) await indexTitle(tx, row.number, change.title);
  return await tx
    .updateTable('conversations')
    .set(change)
    .where('owner', '=', row.owner)
    .where('number', '=', row.number)
    .returningAll()
    .executeTakeFirstOrThrow();
}
