import { contextBlocks } from '../chat/complete.ts';
import { NotFoundError } from '../errors.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import type { ConversationContext } from './context.ts';
import type { TurnOptions } from './stored.ts';

/**
 * The system prompts of a turn: the request's own or the conversation's, what a task and a ticket add, and the
 * request's system messages. @throws NotFoundError for a task or ticket that the request names.
 */
export async function systemTexts(
  context: ConversationContext,
  row: ConversationRow,
  { systemPrompt, system = [], taskId, ticketId }: TurnOptions,
): Promise<string[]> {
  const prompt = systemPrompt ?? row.system_prompt;
  const named = await contextBlocks(context, { taskId, ticketId });
  const own = [
    ...(taskId === undefined ? await ownBlock(context, { taskId: row.task_id ?? undefined }) : []),
    ...(ticketId === undefined ? await ownBlock(context, { ticketId: row.ticket_id ?? undefined }) : []),
  ];
  return [...(prompt === null ? [] : [prompt]), ...own, ...named, ...system];
}

/** A conversation goes on without a task or ticket that was deleted. */
async function ownBlock(
  context: ConversationContext,
  link: { taskId?: string | undefined; ticketId?: string | undefined },
): Promise<string[]> {
  try {
    return await contextBlocks(context, link);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
