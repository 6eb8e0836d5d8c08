import type { Kysely, Selectable } from 'kysely';
import type { MessageStatus, Schema, ToolCallStatus } from './schema.ts';
import { indexEntries } from './search.ts';
import { isStorable } from './text.ts';

/** A message's row; what `body` holds is for who wrote it to know. */
export type MessageRow = Selectable<Schema['messages']> & { toolCalls: ToolCallRow[] };

/** A tool call of an assistant's message, with its result if it has one. */
export type ToolCallRow = Selectable<Schema['tool_calls']>;

/** A call that comes with a new message. `body` and `result` are JSON. */
export interface NewToolCall {
  status: ToolCallStatus;
  /** Of the result, estimated. */
  tokens: number;
  /** Milliseconds. */
  duration: number | null;
  body: string;
  result: string | null;
  /** As in the table. */
  result_id: string | null;
}

/** A message to store. `body` is JSON; `words` is the text that a search finds it by. */
export interface NewMessage {
  id: string;
  role: 'user' | 'assistant';
  status: MessageStatus;
  tokens: number;
  createdAt: string;
  body: string;
  words: string;
  calls: NewToolCall[];
}

/** Where messages go: the first gets `firstSeq`, the others follow. */
export interface MessagePlace {
  owner: string;
  conversation: number;
  turn: string;
  firstSeq: number;
}

const ROWS_AT_ONCE = 50;

/**
 * Stores messages with their calls and search entries. Must run in a transaction that has locked the conversation.
 * @returns the rows; undefined if there is one of the first id already, of a request that is repeated.
 */
export async function insertMessages(
  tx: Kysely<Schema>,
  place: MessagePlace,
  messages: readonly NewMessage[],
): Promise<MessageRow[] | undefined> {
  const { conversation, firstSeq } = place;
  const rows = messages.map((message, index) => toRow(place, firstSeq + index, message));
  for (const some of chunks(rows.map(({ toolCalls: _, ...row }) => row))) {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('messages')
      .values(some)
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow();
    if (Number(numInsertedOrUpdatedRows) !== some.length) return undefined;
  }
  for (const some of chunks(rows.flatMap(({ toolCalls }) => toolCalls))) {
    await tx.insertInto('tool_calls').values(some).execute();
  }
  const entries = messages.map(({ words }, index) => ({ seq: firstSeq + index, text: words }));
  await indexEntries(tx, conversation, entries);
  return rows;
}

function toRow({ owner, conversation, turn }: MessagePlace, seq: number, message: NewMessage): MessageRow {
  const { id, role, status, tokens, createdAt, body, calls } = message;
  return {
    conversation,
    seq,
    owner,
    id,
    role,
    status,
    turn,
    size: calls.reduce((sum, call) => sum + call.body.length + (call.result?.length ?? 0), body.length),
    tokens,
    calls: calls.length,
    created_at: createdAt,
    error: null,
    body,
    toolCalls: calls.map((call, position) => ({ conversation, seq, position, owner, ...call })),
  };
}

function* chunks<T>(rows: readonly T[]): Generator<T[]> {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) yield rows.slice(at, at + ROWS_AT_ONCE);
}

/** Which conversation's, and which of its messages: those after `after` and before `before`. */
export interface MessageRange {
  owner: string;
  conversation: number;
  after?: number;
  before?: number;
  onlyComplete?: boolean;
  /** Only those of this turn. */
  turn?: string;
}

/**
 * The last messages of a range, oldest first: at most `limit`, and no more of them than make `maxSize` characters or
 * `maxTokens`, but always one. `hasMore`: some of the range come before these.
 */
export async function lastMessages(
  db: Kysely<Schema>,
  range: MessageRange,
  bounds: { limit: number; maxSize?: number; maxTokens?: number },
): Promise<{ rows: MessageRow[]; hasMore: boolean }> {
  const { limit, maxSize = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = bounds;
  const found = await ranged(db, range)
    .select(['seq', 'size', 'tokens'])
    .orderBy('seq', 'desc')
    .limit(limit + 1)
    .execute();
  let size = 0;
  let tokens = 0;
  const fitting = found.slice(0, limit).findIndex((row, index) => {
    size += row.size;
    tokens += row.tokens;
    return index > 0 && (size > maxSize || tokens > maxTokens);
  });
  const count = fitting === -1 ? Math.min(limit, found.length) : fitting;
  const first = found[count - 1];
  if (!first) return { rows: [], hasMore: false };
  return {
    rows: await allMessages(db, { ...range, after: first.seq - 1 }),
    hasMore: count < found.length,
  };
}

/** The first messages of a range, oldest first: at most `limit`, and no more than `maxSize` characters, but always one. */
export async function firstMessages(
  db: Kysely<Schema>,
  range: MessageRange,
  { limit, maxSize }: { limit: number; maxSize: number },
): Promise<MessageRow[]> {
  const found = await ranged(db, range).select(['seq', 'size']).orderBy('seq').limit(limit).execute();
  let size = 0;
  const tooMuch = found.findIndex((row, index) => {
    size += row.size;
    return index > 0 && size > maxSize;
  });
  const last = tooMuch === -1 ? found.at(-1) : found[tooMuch - 1];
  return last ? await allMessages(db, { ...range, before: last.seq + 1 }) : [];
}

/** All messages of a range, oldest first; for ranges that are known to be small. */
export async function allMessages(db: Kysely<Schema>, range: MessageRange): Promise<MessageRow[]> {
  return await withCalls(db, range, await ranged(db, range).selectAll().orderBy('seq').execute());
}

/** The conversation's message of that id, undefined if there is none. */
export async function getMessage(
  db: Kysely<Schema>,
  { owner, conversation }: MessageRange,
  id: string,
): Promise<MessageRow | undefined> {
  if (!isStorable(id)) return undefined;
  const rows = await db
    .selectFrom('messages')
    .selectAll()
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('id', '=', id)
    .execute();
  return (await withCalls(db, { owner, conversation }, rows))[0];
}

/** The owner's message of that id, in whichever conversation; undefined if there is none, or that was deleted. */
export async function findMessage(
  db: Kysely<Schema>,
  owner: string,
  id: string,
): Promise<{ message: MessageRow; conversationId: string } | undefined> {
  if (!isStorable(id)) return undefined;
  const found = await db
    .selectFrom('messages')
    .innerJoin('conversations', 'conversations.number', 'messages.conversation')
    .select(['messages.conversation', 'conversations.id as conversationId'])
    .where('messages.owner', '=', owner)
    .where('messages.id', '=', id)
    // One that is being deleted is nobody's.
    .where('conversations.owner', '=', owner)
    .executeTakeFirst();
  if (!found) return undefined;
  const message = await getMessage(db, { owner, conversation: found.conversation }, id);
  return message && { message, conversationId: found.conversationId };
}

/** Has a range messages that are complete, or under way? What has failed does not count. */
export async function hasMessages(db: Kysely<Schema>, range: MessageRange): Promise<boolean> {
  const row = await ranged(db, range).select('seq').where('status', '!=', 'failed').limit(1).executeTakeFirst();
  return row !== undefined;
}

/** How many messages a range has. */
export async function countMessages(db: Kysely<Schema>, range: MessageRange): Promise<number> {
  const { count } = await ranged(db, range)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** The estimated tokens of all complete messages of a range, results of calls included. */
export async function countTokens(db: Kysely<Schema>, range: MessageRange): Promise<number> {
  const own = await ranged(db, { ...range, onlyComplete: true })
    .select((select) => select.fn.sum<number | null>('tokens').as('tokens'))
    .executeTakeFirstOrThrow();
  let calls = db
    .selectFrom('tool_calls')
    .select((select) => select.fn.sum<number | null>('tokens').as('tokens'))
    .where('owner', '=', range.owner)
    .where('conversation', '=', range.conversation)
    .where(
      'seq',
      'in',
      ranged(db, { ...range, onlyComplete: true })
        .select('seq')
        .where('calls', '>', 0),
    );
  // Or PostgreSQL may read all calls of the conversation.
  if (range.after !== undefined) calls = calls.where('seq', '>', range.after);
  const results = await calls.executeTakeFirstOrThrow();
  // PostgreSQL's sums are decimals, which come as text.
  return Number(own.tokens ?? 0) + Number(results.tokens ?? 0);
}

function ranged(db: Kysely<Schema>, { owner, conversation, after, before, onlyComplete, turn }: MessageRange) {
  let query = db.selectFrom('messages').where('owner', '=', owner).where('conversation', '=', conversation);
  if (after !== undefined) query = query.where('seq', '>', after);
  if (before !== undefined) query = query.where('seq', '<', before);
  if (turn !== undefined) query = query.where('turn', '=', turn);
  return onlyComplete ? query.where('status', '=', 'complete') : query;
}

async function withCalls(
  db: Kysely<Schema>,
  { owner, conversation }: MessageRange,
  rows: Selectable<Schema['messages']>[],
): Promise<MessageRow[]> {
  const having = rows.filter((row) => row.calls > 0);
  const [first, last] = [having[0], having.at(-1)];
  if (!first || !last) return rows.map((row) => ({ ...row, toolCalls: [] }));
  const calls = await db
    .selectFrom('tool_calls')
    .selectAll()
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>=', first.seq)
    .where('seq', '<=', last.seq)
    .orderBy('seq')
    .orderBy('position')
    .execute();
  const bySeq = Map.groupBy(calls, (call) => call.seq);
  return rows.map((row) => ({ ...row, toolCalls: bySeq.get(row.seq) ?? [] }));
}
