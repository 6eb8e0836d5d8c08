import { type Kysely, sql } from 'kysely';
import { givenTokens } from '../conversations/ask-model.ts';
import { textTokens } from '../conversations/estimate.ts';
import { newAssistantMessage, toolCallsOf } from '../conversations/stored.ts';
import { newId } from '../core/ids.ts';
import { approvalsOf, writeApproval } from '../storage/approvals.ts';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import { databaseNow } from '../storage/dialect.ts';
import { allMessages, insertMessages, type MessageRow } from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import { appendEvents, type NewEvent, type StoredEvent, seqOfKey } from '../storage/run-events.ts';
import { type RunRow, writeRun } from '../storage/runs.ts';
import type { Schema } from '../storage/schema.ts';
import { takeSteering } from '../storage/steering.ts';
import { writeToolCall } from '../storage/tool-calls.ts';
import { completeMessages, failMessages } from '../storage/turns.ts';
import { callEvent, resultEvent } from './end-call.ts';
import { steeringMessage } from './messages.ts';
import { Lost } from './open-run.ts';
import { partialAnswer } from './partial.ts';

/** How a run ends before its time. */
export interface EarlyEnd {
  status: 'failed' | 'cancelled';
  code: string;
  message: string;
  /** As in AppError. */
  details?: Record<string, unknown> | undefined;
  retryAfter?: number | undefined;
  /** Who ended it; '' for nobody. */
  by: string;
  /** What the model has said in the step that is broken off stays, as an answer. */
  keepsPartial: boolean;
  foldAfterMs: number;
}

const NOT_CARRIED_OUT = 'The call was not carried out: the run was stopped before.';
const BROKEN_OFF = 'The run was stopped while this call was carried out.';

/**
 * Ends a run from whatever point, in a transaction in which its conversation is locked and its turn is given back: what
 * was done so far is kept, every call has a result, and nothing can be written to it any more.
 * @param writer what has not been stored yet of whoever is at work on it; without a fence for all others.
 * @returns its last events.
 * @throws Lost, and then the transaction must be taken back.
 */
export async function endEarly(
  tx: Kysely<Schema>,
  conversation: ConversationRow,
  run: RunRow,
  writer: { fence: number | undefined; pending: readonly NewEvent[] },
  end: EarlyEnd,
): Promise<StoredEvent[]> {
  const { owner, id } = run;
  const { fence, pending } = writer;
  const before = pending.length > 0 ? await appendEvents(tx, [{ run: id, owner, fence, events: pending }]) : undefined;
  const range = { owner, conversation: run.conversation, after: run.first_seq - 1, turn: id };
  const messages = await allMessages(tx, range);
  const closed = await closeCalls(tx, run, messages);
  const events = [...(await dropQuestions(tx, run, end.by)), ...closed.events];
  const live = {
    ...conversation,
    live_tokens: conversation.live_tokens + closed.tokensAfter(conversation.covered_seq),
  };
  const left = await closeMessages(tx, live, run, messages, end);
  if (left.messageId !== null) events.push({ type: 'message_saved', data: { id: left.messageId } });
  const { code, message } = end;
  events.push({ key: 'end', type: 'error', data: { message, code } });
  const stored = await appendEvents(tx, [{ run: id, owner, fence, events }]);
  const ended = await writeRun(
    tx,
    { owner, id, fence },
    {
      status: end.status,
      fence: run.fence + 1,
      error: JSON.stringify({ code, message, details: end.details, retryAfter: end.retryAfter }),
      message: left.messageId,
      finished_at: timestamp(),
      fold_at: sql<number>`${databaseNow(tx)} + ${sql.lit(end.foldAfterMs)}`,
    },
  );
  const last = stored.get(id);
  if (!ended || !last) throw new Lost();
  return [...(before?.get(id) ?? []), ...last];
}

async function dropQuestions(tx: Kysely<Schema>, { owner, id }: RunRow, by: string): Promise<NewEvent[]> {
  const events: NewEvent[] = [];
  for (const approval of await approvalsOf(tx, owner, id)) {
    if (approval.status !== 'pending') continue;
    await writeApproval(tx, approval, { status: 'cancelled', decided_by: by });
    const data = { id: approval.id, decision: 'cancelled', by };
    events.push({ key: `resolved:${approval.id}`, type: 'approval:resolved', data });
  }
  return events;
}

/** Gives the calls of the last answer that have no result one. */
async function closeCalls(
  tx: Kysely<Schema>,
  { owner, id }: RunRow,
  messages: readonly MessageRow[],
): Promise<{ events: NewEvent[]; tokensAfter(coveredSeq: number): number }> {
  const answers = messages.filter(({ role }) => role === 'assistant');
  const message = answers.at(-1);
  const events: NewEvent[] = [];
  let added = 0;
  for (const [position, call] of (message ? toolCallsOf(message) : []).entries()) {
    const row = message?.toolCalls[position];
    if (!message || !row || (row.status !== 'pending' && row.status !== 'running')) continue;
    const text = row.status === 'running' ? BROKEN_OFF : NOT_CARRIED_OUT;
    const tokens = textTokens(text);
    await writeToolCall(tx, row, { status: 'cancelled', result: JSON.stringify(text), tokens });
    added += tokens - row.tokens;
    const begins = callEvent({ call, message, row }, answers.length);
    // There is no result without a call.
    if ((await seqOfKey(tx, owner, id, begins.key ?? '')) === undefined) events.push(begins);
    events.push(resultEvent({ call, message, row }, { text, status: 'cancelled', duration: 0 }));
  }
  return { events, tokensAfter: (coveredSeq) => (message && message.seq > coveredSeq ? added : 0) };
}

/** @returns the id of the message that the run ends with, null if there is none. */
async function closeMessages(
  tx: Kysely<Schema>,
  conversation: ConversationRow,
  run: RunRow,
  messages: readonly MessageRow[],
  end: EarlyEnd,
): Promise<{ messageId: string | null }> {
  const { owner, number } = conversation;
  const held = { owner, conversation: number, id: run.id };
  const answers = messages.filter(({ role }) => role === 'assistant');
  const said =
    end.keepsPartial && answers.length < run.steps ? await partialAnswer(tx, run) : { text: '', reasoning: '' };
  const isKept = end.keepsPartial && (said.text !== '' || answers.length > 0);
  const running = messages.filter(({ status }) => status === 'running');
  const place = { owner, conversation: number, turn: run.id, firstSeq: conversation.last_seq + 1 };
  const error = JSON.stringify({ code: end.code, message: end.message });
  if (isKept) await completeMessages(tx, held, run.first_seq);
  else await failMessages(tx, held, run.first_seq, error);
  const partial = said.text === '' ? [] : [partialMessage(run, said)];
  // What nobody has seen is not lost: it can be tried again.
  const unseen = (await takeSteering(tx, owner, run.id)).map(steeringMessage);
  const added = (await insertMessages(tx, place, [...partial, ...unseen])) ?? [];
  if (unseen.length > 0) await failMessages(tx, held, place.firstSeq + partial.length, error);
  const live = [...(isKept ? running : []), ...added.slice(0, partial.length)];
  await writeConversation(tx, conversation, {
    last_seq: conversation.last_seq + added.length,
    message_count: conversation.message_count + added.length,
    live_tokens: live.reduce((sum, one) => sum + givenTokens(one), conversation.live_tokens),
    updated_at: timestamp(),
  });
  const last = partial.length > 0 ? added[0] : answers.at(-1);
  return { messageId: last?.id ?? null };
}

function partialMessage(run: RunRow, { text, reasoning }: { text: string; reasoning: string }) {
  const { refs } = JSON.parse(run.settings) as { refs: { provider: string; model: string }[] };
  const body = {
    content: text,
    ...(reasoning === '' ? {} : { reasoning }),
    provider: refs[0]?.provider,
    model: refs[0]?.model,
    finishReason: 'cancelled' as const,
  };
  return newAssistantMessage(newId('msg'), body, [], 'complete');
}
