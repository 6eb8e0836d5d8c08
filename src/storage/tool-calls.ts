import { type Kysely, sql } from 'kysely';
import { asObject, asString, tryParseJson } from '../core/json.ts';
import type { ApprovalRow } from './approvals.ts';
import type { ConversationRow } from './conversations.ts';
import type { ToolCallRow } from './messages.ts';
import type { Schema } from './schema.ts';

/** A call's result that its caller brings. `result` is a JSON string; `tokens` its estimated length. */
export interface NewToolResult {
  callId: string;
  result: string;
  tokens: number;
}

/**
 * Keeps the results of calls of the conversation's last complete message with calls. A result that nobody has answered
 * yet gives way to a new one. Must run in a transaction that has locked the conversation.
 * @returns by how many tokens what is sent of the conversation has grown, the ids of calls that it does not have, and of
 *   those whose result has been answered.
 */
export async function keepToolResults(
  tx: Kysely<Schema>,
  { owner, number, covered_seq }: ConversationRow,
  results: readonly NewToolResult[],
): Promise<{ tokens: number; unknown: string[]; settled: string[] }> {
  const [last] = await callsOf(tx, owner, number)
    .select('seq')
    // What failed is not sent to the model, and what runs is this turn's own.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('messages')
          .select('messages.seq')
          .whereRef('messages.conversation', '=', 'tool_calls.conversation')
          .whereRef('messages.seq', '=', 'tool_calls.seq')
          .where('messages.owner', '=', owner)
          .where('messages.status', '=', 'complete')
          // What a run's tools have done nobody may write but the run.
          .where(sql<boolean>`substr(messages.turn, 1, 4) <> 'run_'`),
      ),
    )
    .orderBy('seq', 'desc')
    .limit(1)
    .execute();
  const calls = last
    ? await callsOf(tx, owner, number)
        .select(['body', 'position', 'tokens', 'status'])
        .where('seq', '=', last.seq)
        .execute()
    : [];
  const known = new Map(calls.map((call) => [asString(asObject(tryParseJson(call.body)).id), call]));
  const hasGoneOn = last !== undefined && (await hasMessagesAfter(tx, owner, number, last.seq));
  const settled: string[] = [];
  let tokens = 0;
  for (const { callId, result, tokens: own } of results) {
    const call = known.get(callId);
    if (!call || !last) continue;
    if (hasGoneOn && call.status !== 'pending') {
      settled.push(callId);
      continue;
    }
    tokens += own - call.tokens;
    call.tokens = own;
    await tx
      .updateTable('tool_calls')
      .set({ status: 'success', result, tokens: own })
      .where('owner', '=', owner)
      .where('conversation', '=', number)
      .where('seq', '=', last.seq)
      .where('position', '=', call.position)
      .execute();
  }
  // What is covered is not sent, and not counted.
  const isLive = last !== undefined && last.seq > covered_seq;
  const unknown = results.flatMap(({ callId }) => (known.has(callId) ? [] : [callId]));
  return { tokens: isLive ? tokens : 0, unknown, settled };
}

async function hasMessagesAfter(
  tx: Kysely<Schema>,
  owner: string,
  conversation: number,
  seq: number,
): Promise<boolean> {
  const row = await tx
    .selectFrom('messages')
    .select('seq')
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '>', seq)
    .where('status', '=', 'complete')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** By how much the results of calls after `after` and up to `upTo` are together longer than `longest` each. Tokens. */
export async function tokensBeyond(
  db: Kysely<Schema>,
  { owner, number }: ConversationRow,
  { after, upTo, longest }: { after: number; upTo: number; longest: number },
): Promise<number> {
  const { tokens, count } = await callsOf(db, owner, number)
    .select((select) => [select.fn.sum<number | null>('tokens').as('tokens'), select.fn.countAll<number>().as('count')])
    .where('seq', '>', after)
    .where('seq', '<=', upTo)
    .where('tokens', '>', longest)
    .executeTakeFirstOrThrow();
  // PostgreSQL's sums are decimals, which come as text.
  return Number(tokens ?? 0) - count * longest;
}

function callsOf(db: Kysely<Schema>, owner: string, conversation: number) {
  return db.selectFrom('tool_calls').where('owner', '=', owner).where('conversation', '=', conversation);
}

/** The call that an approval is about; undefined if it is gone. */
export async function getToolCall(
  db: Kysely<Schema>,
  {
    owner,
    conversation,
    message_seq,
    position,
  }: Pick<ApprovalRow, 'owner' | 'conversation' | 'message_seq' | 'position'>,
): Promise<ToolCallRow | undefined> {
  return await callsOf(db, owner, conversation)
    .selectAll()
    .where('seq', '=', message_seq)
    .where('position', '=', position)
    .executeTakeFirst();
}

/** Changes a call. Must run in a transaction that has locked the conversation. */
export async function writeToolCall(
  tx: Kysely<Schema>,
  { owner, conversation, seq, position }: Pick<ToolCallRow, 'owner' | 'conversation' | 'seq' | 'position'>,
  change: Partial<Pick<ToolCallRow, 'status' | 'tokens' | 'duration' | 'result'>>,
): Promise<void> {
  await tx
    .updateTable('tool_calls')
    .set(change)
    .where('owner', '=', owner)
    .where('conversation', '=', conversation)
    .where('seq', '=', seq)
    .where('position', '=', position)
    .execute();
}
