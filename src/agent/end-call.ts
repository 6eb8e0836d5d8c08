import type { Kysely } from 'kysely';
import { type ConversationRow, writeConversation } from '../storage/conversations.ts';
import type { ToolCallRow } from '../storage/messages.ts';
import type { NewEvent } from '../storage/run-events.ts';
import type { Schema, ToolCallStatus } from '../storage/schema.ts';
import { writeToolCall } from '../storage/tool-calls.ts';
import { noteRuleUse } from '../storage/tool-rules.ts';
import { keepWhole, readyResult } from './call-result.ts';
import type { PlacedCall } from './messages.ts';
import type { OpenRun } from './open-run.ts';

/** What a call has come to. `duration` in milliseconds. */
export interface CallResult {
  text: string;
  status: Extract<ToolCallStatus, 'success' | 'error' | 'denied'>;
  duration: number;
  /** The id of the rule that has denied it. */
  rule?: string | null;
}

/**
 * Stores a call's result, with the event that tells of it.
 * @param isNew nothing was told of the call yet.
 * @returns the call's row as it is then.
 * @throws Lost
 */
export async function endCall(
  run: OpenRun,
  placed: PlacedCall,
  result: CallResult,
  isNew: boolean,
): Promise<ToolCallRow> {
  const { row, message } = placed;
  const { status, duration } = result;
  const ready = readyResult(run, placed, result.text, duration);
  const { text, tokens, whole } = ready;
  const resultId = whole?.id;
  const change = { status, duration, result: JSON.stringify(text), tokens };
  return await run.record(async (tx, conversation) => {
    await writeToolCall(tx, row, change);
    await keepWhole(tx, placed, ready);
    if (result.rule) await noteRuleUse(tx, row.owner, result.rule);
    await addTokens(tx, conversation, message.seq, change.tokens - row.tokens);
    const events = [
      ...(isNew ? [callEvent(placed, run.row.steps)] : []),
      resultEvent(placed, { text, status, duration, resultId }),
    ];
    return { events, change: { tries: 0 }, value: { ...row, ...change, result_id: resultId ?? null } };
  });
}

/** What is covered by a summary is not sent, and not counted. */
async function addTokens(tx: Kysely<Schema>, row: ConversationRow, seq: number, tokens: number): Promise<void> {
  if (seq > row.covered_seq) await writeConversation(tx, row, { live_tokens: row.live_tokens + tokens });
}

/** The event that begins a call, once. */
export function callEvent(
  { call, message, row }: Pick<PlacedCall, 'call' | 'message' | 'row'>,
  step: number,
): NewEvent {
  const { id, name, arguments: given } = call;
  const data = { toolCallId: id, name, arguments: given, step, id, args: given };
  return { key: `call:${message.id}:${row.position}`, type: 'tool:call', data };
}

/** What is told of a call's end. */
interface CallEnd extends Omit<CallResult, 'status'> {
  status: ToolCallStatus;
  /** Under which the whole result is kept, if it is a long one. */
  resultId?: string | undefined;
}

/** The event that ends a call, once. */
export function resultEvent(
  { call, message, row }: Pick<PlacedCall, 'call' | 'message' | 'row'>,
  { text, status, duration, resultId }: CallEnd,
): NewEvent {
  const more = resultId === undefined ? {} : { resultId };
  const data = { toolCallId: call.id, name: call.name, result: text, status, duration, ...more };
  return { key: `result:${message.id}:${row.position}`, type: 'tool:result', data };
}

/** A call that could not be carried out, for a reason that the model reads. */
export function refusal(text: string): CallResult {
  return { text, status: 'error', duration: 0 };
}

/** A call that must not be carried out. @param rule the id of the one that says so. */
export function denial(text: string, rule: string | null = null): CallResult {
  return { text, status: 'denied', duration: 0, rule };
}
