import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import { tryParseJson } from '../core/json.ts';
import { InvalidRequestError } from '../errors.ts';
import type { ConversationRow } from './conversations.ts';
import { isAmong, isOf } from './dialect.ts';
import type { Schema } from './schema.ts';
import { matching } from './search.ts';
import { isStorable } from './text.ts';

/** Which conversations, and which part of them. `cursor` is the `nextCursor` of the page before. */
export interface ConversationFilter {
  limit: number;
  offset: number;
  cursor?: string | undefined;
  taskId?: string | undefined;
  ticketId?: string | undefined;
  /** Words that a title or a message must have, all of them. */
  q?: string | undefined;
}

/** A page of conversations; `nextCursor` is null at the end. */
export interface ConversationPage {
  rows: ConversationRow[];
  total: number;
  nextCursor: string | null;
}

/** Conversations that a search finds and that are then looked up one by one. */
const FEW = 200;

type Query = SelectQueryBuilder<Schema, 'conversations', object>;

/**
 * One page of the owner's conversations, the one with the newest activity first, and how many there are in all.
 * @throws InvalidRequestError for a cursor that is none of ours.
 */
export async function listConversations(
  db: Kysely<Schema>,
  owner: string,
  filter: ConversationFilter,
): Promise<ConversationPage> {
  const after = filter.cursor === undefined ? undefined : readCursor(filter.cursor);
  const query = await filtered(db, owner, filter);
  if (!query) return { rows: [], total: 0, nextCursor: null };
  let page = query
    .selectAll()
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (after) page = page.where((row) => row(row.refTuple('updated_at', 'id'), '<', row.tuple(...after)));
  if (filter.offset > 0) page = page.offset(filter.offset);
  const found = await page.execute();
  const rows = found.slice(0, filter.limit);
  const last = rows.at(-1);
  const isWhole = !after && filter.offset === 0 && found.length <= filter.limit;
  return {
    rows,
    total: isWhole ? rows.length : await count(db, owner, filter, query),
    nextCursor: last && found.length > filter.limit ? cursorOf(last) : null,
  };
}

/** Undefined if nothing can match. */
async function filtered(
  db: Kysely<Schema>,
  owner: string,
  { taskId, ticketId, q }: ConversationFilter,
): Promise<Query | undefined> {
  for (const id of [taskId, ticketId]) if (id !== undefined && !isStorable(id)) return undefined;
  let query: Query | undefined =
    q === undefined ? db.selectFrom('conversations').where('owner', '=', owner) : await found(db, owner, q);
  if (taskId !== undefined) query = query?.where('task_id', '=', taskId);
  if (ticketId !== undefined) query = query?.where('ticket_id', '=', ticketId);
  return query;
}

/** The owner's conversations that a search finds; undefined if there is none. */
async function found(db: Kysely<Schema>, owner: string, q: string): Promise<Query | undefined> {
  const numbers = matching(db, q);
  if (!numbers) return undefined;
  const first = sql<{ number: number }>`select distinct number from (${numbers}) as matching limit ${FEW + 1}`;
  const few = (await first.execute(db)).rows.map(({ number }) => number);
  if (few.length === 0) return undefined;
  const query = db.selectFrom('conversations');
  if (few.length > FEW) return query.where('owner', '=', owner).where(sql<boolean>`number in (${numbers})`);
  return query.where(isOf(owner)).where(isAmong(db, 'number', few));
}

async function count(db: Kysely<Schema>, owner: string, filter: ConversationFilter, query: Query): Promise<number> {
  const { taskId, ticketId, q } = filter;
  if (taskId === undefined && ticketId === undefined && q === undefined) {
    const row = await db
      .selectFrom('conversation_counts')
      .select('conversations')
      .where('owner', '=', owner)
      .executeTakeFirst();
    return row?.conversations ?? 0;
  }
  const { total } = await query.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return total;
}

function cursorOf({ updated_at, id }: Pick<ConversationRow, 'updated_at' | 'id'>): string {
  return Buffer.from(JSON.stringify([updated_at, id])).toString('base64url');
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function readCursor(cursor: string): [string, string] {
  const value = tryParseJson(Buffer.from(cursor, 'base64url').toString('utf8'));
  const [at, id] = Array.isArray(value) ? value : [];
  const isOurs = typeof at === 'string' && TIMESTAMP.test(at) && typeof id === 'string' && isStorable(id);
  // Decoding passes over much that we never write.
  if (isOurs && cursorOf({ updated_at: at, id }) === cursor) return [at, id];
  throw new InvalidRequestError([
    { path: 'query.cursor', message: 'must be the nextCursor of a list, as it was given' },
  ]);
}
