import type { StoredEvent } from '../storage/run-events.ts';
import { getRun } from '../storage/runs.ts';
import type { AgentContext } from './context.ts';
import { followRun } from './follow-run.ts';

/** The events of a run after `after`, until it ends or waits for a person; none of them when nothing happens for a while. @throws as `followRun`. */
export async function* untilSettled(
  context: AgentContext,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredEvent[]> {
  const { news } = await followRun(context, id, after, signal);
  let isWaiting = false;
  for await (const item of news) {
    if (item.type === 'idle') {
      yield [];
      continue;
    }
    yield item.events;
    for (const { type } of item.events) {
      if (type === 'waiting') isWaiting = true;
      else if (type === 'approval:resolved') isWaiting = false;
    }
    if (!isWaiting) continue;
    // It may have been answered since.
    const run = await getRun(context.db, context.owner, id);
    if (run?.status === 'waiting_approval' && run.last_seq === item.events.at(-1)?.seq) return;
  }
}
