import type { CompactionReport } from '../conversations/memory.ts';
import { type ConversationMessage, toMessage } from '../conversations/stored.ts';
import { toDollars } from '../core/money.ts';
import { AppError, type ErrorCode, NotFoundError, STATUS_OF } from '../errors.ts';
import { approvalsOf } from '../storage/approvals.ts';
import { allMessages } from '../storage/messages.ts';
import { getRun, type RunRow } from '../storage/runs.ts';
import { type Approval, toApproval } from './approval-data.ts';
import type { AgentContext } from './context.ts';
import { callRecord, callsOf } from './messages.ts';

/** What a run has come to: its end, or where it waits for a person. */
export interface RunAnswer {
  userMessage: ConversationMessage | null;
  /** Null: it waits before it has said anything. */
  assistantMessage: ConversationMessage | null;
  usage: { promptTokens: number; completionTokens: number; totalTokens: number; cost: number | null };
  compaction: CompactionReport | null;
  toolCalls: Record<string, unknown>[];
  pendingApprovals: Approval[];
  finishReason: string;
  runId: string;
}

interface RunError {
  code: string;
  message: string;
  details?: Record<string, unknown>;
  retryAfter?: number;
}

/** Codes that a run's error has beside those of requests. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  TOOL_ERROR: 'conflict',
  TIMEOUT: 'provider_timeout',
  INTERRUPTED: 'internal',
  BUDGET_EXCEEDED: 'budget_exceeded',
};

/** Reads what a run has come to; undefined if it goes on. @throws AppError what it failed with, NotFoundError if it is gone. */
export async function runAnswer(
  context: AgentContext,
  id: string,
  compaction: CompactionReport | null,
): Promise<RunAnswer | undefined> {
  const { db, owner } = context;
  const run = await getRun(db, owner, id);
  if (!run) throw new NotFoundError('Run', id);
  if (run.status === 'failed') throw failure(run);
  if (run.status === 'queued' || run.status === 'running') return undefined;
  const range = { owner, conversation: run.conversation, after: run.first_seq - 1, turn: id };
  const messages = await allMessages(db, range);
  const approvals = await approvalsOf(db, owner, id);
  const pending = approvals.filter(({ status }) => status === 'pending');
  // Answered since the run was read.
  if (run.status === 'waiting_approval' && pending.length === 0) return undefined;
  const calls = callsOf(messages, approvals);
  const user = messages.find(({ role }) => role === 'user');
  const answer = messages.findLast(({ role }) => role === 'assistant');
  const assistantMessage = answer ? toMessage(run.conversation_id, answer) : null;
  return {
    userMessage: user ? toMessage(run.conversation_id, user) : null,
    assistantMessage,
    usage: {
      promptTokens: run.prompt_tokens,
      completionTokens: run.completion_tokens,
      totalTokens: run.total_tokens,
      cost: run.priced > 0 ? toDollars(run.cost) : null,
    },
    compaction,
    toolCalls: calls.map(callRecord),
    pendingApprovals: pending.map(toApproval),
    finishReason: finishReason(run, assistantMessage),
    runId: id,
  };
}

/** This node stops, and the run goes on. */
export function unfinished(id: string): AppError {
  const message = `The server is stopping; the run ${id} goes on (GET /api/chat/runs/${id}/events)`;
  return new AppError('shutting_down', message, { details: { runId: id }, retryAfter: 5 });
}

function finishReason({ status }: RunRow, answer: ConversationMessage | null): string {
  if (status === 'waiting_approval') return 'approval-required';
  if (status === 'cancelled') return 'cancelled';
  return answer?.finishReason ?? 'stop';
}

function failure({ id, error }: RunRow): AppError {
  const { code, message, details, retryAfter } = JSON.parse(error ?? '{"code":"internal","message":""}') as RunError;
  const known = CODES[code] ?? (code in STATUS_OF ? (code as ErrorCode) : 'internal');
  return new AppError(known, message, { details: { ...details, runId: id }, retryAfter });
}
