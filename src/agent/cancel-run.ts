import { AppError, NotFoundError } from '../errors.ts';
import { getConversation, lockConversation } from '../storage/conversations.ts';
import { getMessage } from '../storage/messages.ts';
import { activeRun, getRun, isActive, lockRun, type RunRow } from '../storage/runs.ts';
import { releaseTurn } from '../storage/turns.ts';
import type { AgentContext } from './context.ts';
import { endEarly } from './end-early.ts';

/**
 * Ends a run at once, wherever it runs: from the commit on nothing of it can be written any more, and what is under way
 * (the model's call, a tool with its processes) is stopped. What was done so far is kept.
 * @returns it as it is then. @throws NotFoundError, AppError `conflict` if it has ended.
 */
export async function cancelRun(context: AgentContext, id: string): Promise<RunRow> {
  const { db, owner, actor, runs } = context;
  const run = await getRun(db, owner, id);
  if (!run) throw new NotFoundError('Run', id);
  const end = {
    status: 'cancelled' as const,
    code: 'CANCELLED',
    message: 'The run was cancelled',
    by: actor,
    keepsPartial: true,
    foldAfterMs: runs.foldAfterMs,
  };
  const done = await db.transaction().execute(async (tx) => {
    const conversation = await lockConversation(tx, owner, { number: run.conversation });
    const row = await lockRun(tx, owner, id);
    if (!conversation || !row) throw new NotFoundError('Run', id);
    if (!isActive(row.status)) throw ended(row, 'cancelled');
    const events = await endEarly(tx, conversation, row, { fence: undefined, pending: [] }, end);
    await releaseTurn(tx, { owner, conversation: row.conversation, id });
    return { events, row: { ...row, status: end.status } };
  });
  runs.events.lose(id);
  runs.events.publish(id, done.events);
  return (await getRun(db, owner, id)) ?? done.row;
}

/** Cancels the run that a conversation is busy with, if it is one, before the conversation is deleted. */
export async function cancelRunOf(context: AgentContext, conversationId: string): Promise<void> {
  const conversation = await getConversation(context.db, context.owner, conversationId);
  const run = conversation && (await activeRun(context.db, context.owner, conversation.number));
  if (run) await cancelIfActive(context, run.id);
}

/** Cancels the run that a message is of, if it has not ended, before the message is deleted. */
export async function cancelRunOfMessage(
  context: AgentContext,
  conversationId: string,
  messageId: string,
): Promise<void> {
  const { db, owner } = context;
  const conversation = await getConversation(db, owner, conversationId);
  if (!conversation) return;
  const message = await getMessage(db, { owner, conversation: conversation.number }, messageId);
  const run = await activeRun(db, owner, conversation.number);
  if (run && message && message.turn === run.id) await cancelIfActive(context, run.id);
}

async function cancelIfActive(context: AgentContext, id: string): Promise<void> {
  await cancelRun(context, id).catch((error: unknown) => {
    // It has ended meanwhile.
    if (!(error instanceof AppError)) throw error;
  });
}

/** A run cannot be `done` to any more. */
export function ended({ id, status }: RunRow, done: string): AppError {
  const hint = done === 'steered' ? '; send its conversation a new message' : '';
  return new AppError('conflict', `The run ${id} has ended (${status}), so it cannot be ${done}${hint}`, {
    details: { runId: id, status },
  });
}
