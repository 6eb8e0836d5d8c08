import { type ConversationMessage, resultOf, toMessage } from '../conversations/stored.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import { getMessage } from '../storage/messages.ts';
import { seqOfKey } from '../storage/run-events.ts';
import type { RunStatus } from '../storage/run-schema.ts';
import { getRun } from '../storage/runs.ts';
import type { ToolCallStatus } from '../storage/schema.ts';
import { getToolCall } from '../storage/tool-calls.ts';
import type { AgentContext } from './context.ts';
import { untilSettled } from './settle.ts';

/** `denied`: by a rule, whatever the person has said. */
const FAILED: readonly ToolCallStatus[] = ['error', 'cancelled', 'denied'];

/** What came of an answer within the wait. */
export interface Consequence {
  /** False if the tool failed, or was not allowed after all. */
  success: boolean;
  /** Of the tool; null if there is none yet, or it was not carried out. */
  result: string | null;
  run: { id: string; status: RunStatus };
  message?: ConversationMessage;
}

/** Waits up to `waitMs` for what follows from an answer: the tool's result, and the run's reply or next question. */
export async function awaitDecision(
  context: AgentContext,
  approval: ApprovalRow,
  waitMs: number,
  signal: AbortSignal,
): Promise<Consequence> {
  const { db, owner } = context;
  const { run: id } = approval;
  const from = (await seqOfKey(db, owner, id, `resolved:${approval.id}`)) ?? 0;
  if (waitMs > 0) {
    const news = untilSettled(context, id, from, AbortSignal.any([signal, AbortSignal.timeout(waitMs)]));
    while (!(await news.next()).done);
  }
  const call = approval.status === 'allowed' ? await getToolCall(db, approval) : undefined;
  const run = await getRun(db, owner, id);
  const status = run?.status ?? 'cancelled';
  const isEnded = run?.message !== null && status === 'completed';
  const range = { owner, conversation: approval.conversation };
  const row = isEnded ? await getMessage(db, range, run?.message ?? '') : undefined;
  return {
    success: call === undefined || !FAILED.includes(call.status),
    result: (call && resultOf(call)) ?? null,
    run: { id, status },
    ...(row ? { message: toMessage(approval.conversation_id, row) } : {}),
  };
}
