import { cancelRun } from '../agent/cancel-run.ts';
import type { AgentContext } from '../agent/context.ts';
import { deleteConversation } from '../conversations/delete.ts';
import type { JsonObject } from '../core/json.ts';
import { AppError, InvalidRequestError } from '../errors.ts';
import { getConversation } from '../storage/conversations.ts';
import { deleteResponse } from '../storage/responses.ts';
import { isActive } from '../storage/runs.ts';
import { isTurnHeld } from '../storage/turns.ts';
import { keptResponse, ofRun, runOf } from './responses-kept.ts';
import { findAnswer } from './responses-references.ts';

/** Cancels a response in the background; one that has ended stays as it is. @returns it. @throws AppError */
export async function cancelResponse(context: AgentContext, id: string): Promise<JsonObject> {
  const row = await keptResponse(context, id);
  if (row.kind !== 'run') {
    const message =
      'is not in the background, and only such a response can be cancelled: it ends when its caller has it';
    throw new InvalidRequestError([{ path: 'response_id', message }]);
  }
  await cancelIfActive(context, id);
  return await ofRun(context, row, await runOf(context, id));
}

async function cancelIfActive(context: AgentContext, id: string): Promise<void> {
  const run = await runOf(context, id);
  if (!isActive(run.status)) return;
  await cancelRun(context, run.id).catch((error: unknown) => {
    // It has ended meanwhile.
    if (!(error instanceof AppError && error.code === 'conflict')) throw error;
  });
}

/**
 * Deletes a response, one in the background after its end. What was said stays in its conversation, unless that was made
 * for responses alone: it goes with the last of them. @throws AppError `conflict` if it is being answered
 */
export async function forgetResponse(
  context: AgentContext,
  id: string,
): Promise<{ id: string; object: 'response'; deleted: true }> {
  const { db, owner } = context;
  const row = await keptResponse(context, id);
  if (row.kind === 'run') await cancelIfActive(context, id);
  const answer = await findAnswer(context, id.slice('resp_'.length));
  if (!answer && row.kind === 'turn' && (await isTurnHeld(db, owner, row.conversation))) {
    throw new AppError('conflict', `The response ${id} is still being answered; try again later`, { retryAfter: 5 });
  }
  const hasOthers = await deleteResponse(db, row);
  const conversation = await getConversation(db, owner, row.conversationId);
  // Somebody may have gone on with it in another way.
  const isLast = !answer || conversation?.last_seq === answer.message.seq;
  if (row.owns_conversation === 1 && !hasOthers && conversation && isLast) {
    await deleteConversation(context, conversation.id);
  }
  return { id, object: 'response', deleted: true };
}
