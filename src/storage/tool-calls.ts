import type { Kysely } from 'kysely';
import { asObject, asString, tryParseJson } from '../core/json.ts';
import type { ConversationRow } from './conversations.ts';
import type { Schema } from './schema.ts';

/** A call's result that its caller brings. `result` is a JSON string; `tokens` its estimated length. */
export interface NewToolResult {
  callId: string;
  result: string;
  tokens: number;
}

/**
 * Keeps the results of calls of the conversation's last message with calls, each in place of the one it had. Must run
 * in a transaction that has locked the conversation.
 * @returns by how many tokens the conversation has grown, and the ids of calls that it does not have.
 */
export async function keepToolResults(
  tx: Kysely<Schema>,
  { owner, number }: ConversationRow,
  results: readonly NewToolResult[],
): Promise<{ tokens: number; unknown: string[] }> {
  const [last] = await callsOf(tx, owner, number).select('seq').orderBy('seq', 'desc').limit(1).execute();
  const calls = last
    ? await callsOf(tx, owner, number).select(['body', 'position', 'tokens']).where('seq', '=', last.seq).execute()
    : [];
  const known = new Map(calls.map((call) => [asString(asObject(tryParseJson(call.body)).id), call]));
  let tokens = 0;
  for (const { callId, result, tokens: own } of results) {
    const call = known.get(callId);
    if (!call || !last) continue;
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
  return { tokens, unknown: results.flatMap(({ callId }) => (known.has(callId) ? [] : [callId])) };
}

function callsOf(db: Kysely<Schema>, owner: string, conversation: number) {
  return db.selectFrom('tool_calls').where('owner', '=', owner).where('conversation', '=', conversation);
}
