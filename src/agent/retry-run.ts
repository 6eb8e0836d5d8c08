import { NotFoundError } from '../errors.ts';
import { getConversation } from '../storage/conversations.ts';
import { lastMessages } from '../storage/messages.ts';
import { getRun } from '../storage/runs.ts';
import type { AgentContext } from './context.ts';
import { settingsOf } from './settings.ts';
import type { RunOptions } from './start-run.ts';

/**
 * How the last turn of a conversation was asked, if it was a run: so it can be tried again in the same way.
 * @throws NotFoundError
 */
export async function optionsOfLastRun(
  { db, owner }: AgentContext,
  conversationId: string,
): Promise<RunOptions | undefined> {
  const conversation = await getConversation(db, owner, conversationId);
  if (!conversation) throw new NotFoundError('Conversation', conversationId);
  const [last] = (await lastMessages(db, { owner, conversation: conversation.number }, { limit: 1 })).rows;
  const run = last && (await getRun(db, owner, last.turn));
  if (!run) return undefined;
  const { refs, budgets: _, ...settings } = settingsOf(run);
  const [ref] = refs;
  return { ...settings, kind: run.kind, model: ref && `${ref.provider}/${ref.model}` };
}
