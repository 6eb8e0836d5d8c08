import type { JsonObject } from '../core/json.ts';
import { readableText } from '../core/readable-text.ts';
import type { ApprovalRow } from '../storage/approvals.ts';
import { displayOf } from './approval-display.ts';

/** An approval as it is given out. */
export interface Approval {
  id: string;
  runId: string;
  conversationId: string;
  toolCallId: string;
  toolName: string;
  /** The arguments of the call. */
  params: JsonObject;
  /** The call as `displayOf` shows it to a person. */
  display: string;
  /** SHA-256 of the arguments as canonical JSON, in hex. */
  argumentsHash: string;
  securityLevel: string;
  reason: string;
  status: ApprovalRow['status'];
  createdAt: string;
  expiresAt: string;
  decidedAt: string | null;
  decidedBy: string | null;
  /** The arguments that the person has put in place of these. */
  editedArguments: JsonObject | null;
}

/** A row as it is given out. */
export function toApproval(row: ApprovalRow): Approval {
  const params = JSON.parse(row.arguments) as JsonObject;
  return {
    id: row.id,
    runId: row.run,
    conversationId: row.conversation_id,
    toolCallId: row.tool_call_id,
    toolName: row.tool,
    params,
    display: displayOf(row.tool, params),
    argumentsHash: row.arguments_hash,
    securityLevel: row.level,
    // It may name what the model has written.
    reason: readableText(row.reason),
    status: row.status,
    createdAt: row.created_at,
    expiresAt: new Date(row.expires_at).toISOString(),
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    editedArguments: row.edited_arguments === null ? null : (JSON.parse(row.edited_arguments) as JsonObject),
  };
}

/** The same, as the data of an event. */
export function approvalData(row: ApprovalRow): Record<string, unknown> {
  return { ...toApproval(row) };
}
