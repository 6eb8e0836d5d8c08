import { type Server, sendJson } from './client.ts';
import type { Approval } from './types.ts';

/** What a person says to a question about a call: docs/approvals.md. */
export type ApprovalAnswer =
  | { decision: 'allow-once'; editedArguments?: Record<string, unknown> }
  | { decision: 'allow-always'; editedArguments?: Record<string, unknown>; scope?: 'conversation' | 'user' }
  | { decision: 'deny'; reason?: string };

/** Answers a question about a call; what follows is told by the run. @throws RequestError 409 or 404 if it is not open */
export async function answerApproval(
  server: Server,
  { id, conversationId }: Pick<Approval, 'id' | 'conversationId'>,
  answer: ApprovalAnswer,
): Promise<void> {
  const body = { conversationId, approvalId: id, ...answer, wait: 0 };
  await sendJson(server, '/api/chat/tools/approve', { method: 'POST', body });
}
