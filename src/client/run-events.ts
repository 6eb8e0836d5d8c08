import type { Approval } from './types.ts';

/** The data of the events of a run, by type: docs/runs.md. */
export interface RunEventData {
  user_message: { id: string; content: MessageContent; steering?: true };
  'session:start': {
    sessionId: string;
    conversationId: string;
    model: string;
    provider: string;
    maxSteps: number;
    maxBudget: number | null;
    securityMode: string;
    tools: string[];
  };
  'step:start': StepData;
  'step:complete': StepData & { toolCallsInStep: number; finishReason: string; duration: number; messageId: string };
  compaction: { originalCount: number; compactedCount: number; tokensReduced: number; summary: string | null };
  'thinking:start': { step: number };
  'thinking:update': { step: number; text: string };
  'thinking:end': { step: number; duration: number };
  content: { step: number; text: string };
  'tool:call': { toolCallId: string; name: string; arguments: Record<string, unknown>; step: number };
  'approval:required': Approval;
  'approval:resolved': { id: string; decision: ApprovalDecision; by: string };
  waiting: { approvals: string[] };
  'tool:progress': { toolCallId: string; text: string };
  'tool:result': {
    toolCallId: string;
    name: string;
    result: string;
    status: 'success' | 'error' | 'denied' | 'cancelled';
    duration: number;
    resultId?: string;
  };
  'attempt:reset': { step: number; reason: string; message?: string; from: string; to: string };
  summary: { summary: string; artifacts: string[]; nextSteps: string[] };
  message_saved: { id: string };
  complete: {
    totalTokens: number;
    inputTokens: number;
    outputTokens: number;
    cost: number | null;
    model: string;
    provider: string;
    totalSteps: number;
    stopReason: 'completed' | 'max_steps' | 'budget' | 'no_progress';
  };
  error: { message: string; code: string };
  /** Everything up to `lastEventId` as it is stored now, in place of what came before. */
  reset: { reason: string; lastEventId: number; events: { id: number; event: Omit<RunEvent, 'id'> }[] };
}

interface StepData {
  step: number;
  maxSteps: number;
  usedBudget: number;
  maxBudget: number | null;
}

/** What a user said: text, or parts. */
export type MessageContent =
  | string
  | (
      | { type: 'text'; text: string }
      | { type: 'image'; image: string }
      | { type: 'file'; file: string; filename?: string | undefined }
    )[];

/** How an approval ended. */
export type ApprovalDecision = 'allow-once' | 'allow-always' | 'deny' | 'expired' | 'cancelled';

/** One event of a run. `id` counts from 1 within the run; `timestamp` is in milliseconds. */
export type RunEvent = {
  [Type in keyof RunEventData]: { id: number; type: Type; data: RunEventData[Type]; timestamp: number };
}[keyof RunEventData];
