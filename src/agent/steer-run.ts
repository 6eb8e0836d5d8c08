import type { Content } from '../chat/content.ts';
import { AppError, NotFoundError } from '../errors.ts';
import { lockConversation } from '../storage/conversations.ts';
import { appendEvents, seqOfKey } from '../storage/run-events.ts';
import { getRun, isActive, lockRun, type RunRow } from '../storage/runs.ts';
import { countSteering, keepSteering } from '../storage/steering.ts';
import { ended } from './cancel-run.ts';
import type { AgentContext } from './context.ts';

/** Messages that a run may have waiting for its model. */
const MOST_UNSEEN = 100;

/**
 * Gives a run a message that its model sees before its next step.
 * @returns the message's id. @throws NotFoundError, AppError `conflict` if the run has ended.
 */
export async function steerRun(
  context: AgentContext,
  id: string,
  content: Content,
): Promise<{ messageId: string; run: RunRow }> {
  const { db, owner, runs } = context;
  const messageId = context.newId('msg');
  const run = await getRun(db, owner, id);
  if (!run) throw new NotFoundError('Run', id);
  const key = `message:${messageId}`;
  const events = await db.transaction().execute(async (tx) => {
    const conversation = await lockConversation(tx, owner, { number: run.conversation });
    const row = await lockRun(tx, owner, id);
    if (!row || !conversation) throw new NotFoundError('Run', id);
    // A request that is repeated, also after the end.
    if ((await seqOfKey(tx, owner, id, key)) !== undefined) return [];
    if (!isActive(row.status)) throw ended(row, 'steered');
    if ((await countSteering(tx, owner, id)) >= MOST_UNSEEN) throw tooMany(id);
    const messageCount = conversation.message_count + 1;
    const data = { id: messageId, content, compactionApplied: false, messageCount, steering: true };
    const event = { key, type: 'user_message', data };
    const stored = (await appendEvents(tx, [{ run: id, owner, fence: undefined, events: [event] }])).get(id) ?? [];
    const [{ seq } = { seq: 0 }] = stored;
    await keepSteering(tx, { run: id, seq, id: messageId, owner, content: JSON.stringify(content) });
    return stored;
  });
  runs.events.publish(id, events);
  return { messageId, run };
}

function tooMany(id: string): AppError {
  return new AppError(
    'conflict',
    `The run ${id} has ${MOST_UNSEEN} messages that its model has not seen; wait until it has`,
    { retryAfter: 5 },
  );
}
