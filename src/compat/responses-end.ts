import { cancelRun } from '../agent/cancel-run.ts';
import type { AgentContext } from '../agent/context.ts';
import { deleteConversation } from '../conversations/delete.ts';
import type { JsonObject } from '../core/json.ts';
import { AppError, InvalidRequestError, NotFoundError } from '../errors.ts';
import { hasMessages, lastMessages, type MessageRow } from '../storage/messages.ts';
import { deleteResponse, type ResponseRow } from '../storage/responses.ts';
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
  const isNeeded = hasOthers || (await hasGoneOn(context, row, answer?.message));
  if (row.owns_conversation === 1 && !isNeeded) await deleteIfThere(context, row.conversationId);
  return { id, object: 'response', deleted: true };
}

/** Has somebody gone on with the conversation in another way? */
async function hasGoneOn(
  { db, owner }: AgentContext,
  { conversation }: ResponseRow,
  answer: MessageRow | undefined,
): Promise<boolean> {
  const range = { owner, conversation };
  if (answer) return await hasMessages(db, { ...range, after: answer.seq });
  const [last] = (await lastMessages(db, range, { limit: 1 })).rows;
  return last !== undefined && last.status !== 'failed';
}

/** Deletes a conversation that somebody else may be deleting. */
export async function deleteIfThere(context: AgentContext, conversationId: string): Promise<void> {
  await deleteConversation(context, conversationId).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
}
