import type { Content } from '../chat/content.ts';
import { newUserMessage, resultOf, toolCallsOf } from '../conversations/stored.ts';
import { canonicalJson } from '../core/canonical.ts';
import { asArray, asString, type JsonObject } from '../core/json.ts';
import type { ToolCall } from '../providers/chat-model.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import type { MessageRow, NewMessage, ToolCallRow } from '../storage/messages.ts';
import type { SteeringRow } from '../storage/steering.ts';
import type { CallStage, PastCall } from './decide.ts';

/** A call in its place, with the newest question about it. */
export interface PlacedCall {
  message: MessageRow;
  row: ToolCallRow;
  call: ToolCall;
  approval: ApprovalRow | undefined;
}

/** The call at a place of an answer. */
export function placedCall(
  message: MessageRow,
  position: number,
  approvals: readonly ApprovalRow[],
): PlacedCall | undefined {
  const row = message.toolCalls[position];
  if (!row) return undefined;
  return { message, row, call: JSON.parse(row.body) as ToolCall, approval: approvalOf(row, approvals) };
}

/** The newest question about a call. */
export function approvalOf(
  { seq, position }: Pick<ToolCallRow, 'seq' | 'position'>,
  approvals: readonly ApprovalRow[],
): ApprovalRow | undefined {
  return approvals.findLast((one) => one.message_seq === seq && one.position === position);
}

/** The arguments of a call: those that a person was asked about, or has put in their place; else the model's. */
export function argumentsOf({ call, approval }: PlacedCall): JsonObject {
  return approval ? (JSON.parse(approval.edited_arguments ?? approval.arguments) as JsonObject) : call.arguments;
}

/** All calls of messages, in order. */
export function callsOf(messages: readonly MessageRow[], approvals: readonly ApprovalRow[]): PlacedCall[] {
  return messages.flatMap((message) =>
    message.toolCalls.flatMap((_, position) => placedCall(message, position, approvals) ?? []),
  );
}

/** What a person has said to a run, as a message of the conversation. */
export function steeringMessage({ id, content, created_at }: SteeringRow): NewMessage {
  return newUserMessage(id, { content: JSON.parse(content) as Content }, 'running', created_at);
}

/** How a call stands. */
export function stageOf({ status }: Pick<ToolCallRow, 'status'>, approval: ApprovalRow | undefined): CallStage {
  if (status === 'running') return 'interrupted';
  if (status !== 'pending') return 'over';
  switch (approval?.status) {
    case undefined:
      return 'new';
    case 'pending':
      return 'asked';
    case 'allowed':
      return 'allowed';
    default:
      return 'refused';
  }
}

/** All calls of a turn that are over. */
export function pastCalls(messages: readonly MessageRow[]): PastCall[] {
  const answers = messages.filter(({ role }) => role === 'assistant');
  return answers.flatMap(({ toolCalls }, index) => toolCalls.flatMap((row) => pastCall(row, index + 1) ?? []));
}

/** A call of a step, if it is over. */
export function pastCall({ status, body }: Pick<ToolCallRow, 'status' | 'body'>, step: number): PastCall | undefined {
  if (status === 'pending' || status === 'running') return undefined;
  const { name, arguments: given } = JSON.parse(body) as ToolCall;
  return { step, call: `${name} ${canonicalJson(given)}`, isFailed: status !== 'success' };
}

/** What a run says of itself at its end. */
export interface RunSummary {
  summary: string;
  /** Names of what was made. */
  artifacts: string[];
  nextSteps: string[];
}

/** The tool by which a model says that it is done. */
export const COMPLETE_TASK = 'complete_task';

/** What the model said of its work when it declared it done; undefined if it has not. */
export function declaredSummary(message: MessageRow | undefined): RunSummary | undefined {
  const calls = message ? toolCallsOf(message) : [];
  const position = calls.findIndex(
    ({ name }, index) => name === COMPLETE_TASK && message?.toolCalls[index]?.status === 'success',
  );
  const call = calls[position];
  if (!call) return undefined;
  const { summary, artifacts, nextSteps } = call.arguments;
  return {
    summary: asString(summary),
    artifacts: asArray(artifacts).map(asString),
    nextSteps: asArray(nextSteps).map(asString),
  };
}

/** A call as `complete` and the routes give it out. */
export function callRecord({ row, call }: Pick<PlacedCall, 'row' | 'call'>): Record<string, unknown> {
  const { id, name, arguments: given, invalidArguments } = call;
  return {
    id,
    name,
    arguments: given,
    ...(invalidArguments === undefined ? {} : { invalidArguments }),
    result: resultOf(row) ?? null,
    status: row.status,
    duration: row.duration,
    ...(row.result_id === null ? {} : { resultId: row.result_id }),
  };
}
