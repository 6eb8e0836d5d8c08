import type { Approval } from '../../../src/client/types.ts';
import { ask } from '../api/server.ts';

/** What a person says to a question about a call. */
export type ApprovalAnswer =
  | { decision: 'allow-once'; editedArguments?: Record<string, unknown> }
  | { decision: 'allow-always'; editedArguments?: Record<string, unknown>; scope: 'conversation' | 'user' }
  | { decision: 'deny'; reason?: string };

/** Answers a question about a call; what follows is told by the run. @throws RequestError 409 or 404 if it is not open */
export async function answerApproval({ id, conversationId }: Approval, answer: ApprovalAnswer): Promise<void> {
  const body = { conversationId, approvalId: id, ...answer, wait: 0 };
  await ask('/api/chat/tools/approve', { method: 'POST', body });
}
