import { toDollars } from '../core/money.ts';
import { type ApprovalRow, approvalsOf } from '../storage/approvals.ts';
import { allMessages } from '../storage/messages.ts';
import type { RunStatus, StopReason } from '../storage/run-schema.ts';
import type { RunRow } from '../storage/runs.ts';
import { type Approval, toApproval } from './approval-data.ts';
import type { AgentContext } from './context.ts';
import { callRecord, callsOf } from './messages.ts';
import { settingsOf } from './settings.ts';

/** A run as it is given out. */
export interface Run {
  id: string;
  conversationId: string;
  kind: RunRow['kind'];
  status: RunStatus;
  stopReason: StopReason | null;
  error: { code: string; message: string } | null;
  model: string | null;
  provider: string | null;
  securityMode: string;
  /** Calls of the model so far, and at most. */
  steps: number;
  maxSteps: number;
  maxBudget: number | null;
  /** How often it was taken up: by the first node, after approvals, after crashes. */
  attempts: number;
  usage: { promptTokens: number; completionTokens: number; totalTokens: number; cost: number | null };
  /** The number of its last event. */
  lastEventId: number;
  /** Of the message that it ended with. */
  messageId: string | null;
  createdAt: string;
  updatedAt: string;
  finishedAt: string | null;
}

/** A run with all that it has done. */
export interface RunWithCalls extends Run {
  toolCalls: Record<string, unknown>[];
  approvals: Approval[];
}

/** A row as it is given out. */
export function toRun(row: RunRow): Run {
  const { refs, limits, securityMode } = settingsOf(row);
  const [ref] = refs;
  return {
    id: row.id,
    conversationId: row.conversation_id,
    kind: row.kind,
    status: row.status,
    stopReason: row.stop_reason,
    error: row.error === null ? null : errorOf(row.error),
    model: ref?.model ?? null,
    provider: ref?.provider ?? null,
    securityMode,
    steps: row.steps,
    maxSteps: limits.maxSteps,
    maxBudget: limits.maxBudget ?? null,
    attempts: row.attempts,
    usage: {
      promptTokens: row.prompt_tokens,
      completionTokens: row.completion_tokens,
      totalTokens: row.total_tokens,
      cost: row.priced > 0 ? toDollars(row.cost) : null,
    },
    lastEventId: row.last_seq,
    messageId: row.message,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at,
  };
}

function errorOf(text: string): { code: string; message: string } {
  const { code, message } = JSON.parse(text) as { code: string; message: string };
  return { code, message };
}

/** The same with its calls and approvals. */
export async function toRunWithCalls({ db, owner }: AgentContext, row: RunRow): Promise<RunWithCalls> {
  const approvals: ApprovalRow[] = await approvalsOf(db, owner, row.id);
  const range = { owner, conversation: row.conversation, after: row.first_seq - 1, turn: row.id };
  const messages = await allMessages(db, range);
  const calls = callsOf(messages, approvals);
  return { ...toRun(row), toolCalls: calls.map(callRecord), approvals: approvals.map(toApproval) };
}
