import type { AgentContext } from '../agent/context.ts';
import { unfinished } from '../agent/run-answer.ts';
import { toRun } from '../agent/run-view.ts';
import { untilSettled } from '../agent/settle.ts';
import { NotFoundError, toAppError } from '../errors.ts';
import { EventStream, HEARTBEAT, sseEvent } from '../http/event-stream.ts';
import { approvalsOf } from '../storage/approvals.ts';
import { getRun, type RunRow } from '../storage/runs.ts';
import { UiProjection } from './ui-stream-projection.ts';

/** By this a client knows the protocol. Source: `UI_MESSAGE_STREAM_HEADERS` of the package `ai`. */
const UI_STREAM_HEADERS = { 'x-vercel-ai-ui-message-stream': 'v1' };

/** From where a run is told. */
export interface Telling {
  run: RunRow;
  /** The number of the last event that the client has; 0: none. */
  after: number;
  /** Of the assistant's message that the client has, or will have. */
  messageId: string;
  /** Ids of calls that the client's message has as denied; absent: none. */
  denied?: ReadonlySet<string>;
}

/** What a run does, until it ends or waits for a person, as a UI message stream. It goes on when the caller leaves. */
export function uiStream(context: AgentContext, telling: Telling, signal: AbortSignal): EventStream {
  return new EventStream(lines(context, telling, signal), { headers: UI_STREAM_HEADERS });
}

async function* lines(context: AgentContext, telling: Telling, signal: AbortSignal): AsyncGenerator<string> {
  const { conversationId, id: runId, model, provider } = toRun(telling.run);
  const messageMetadata = { runId, conversationId, model, provider };
  yield sseEvent({ type: 'start', messageId: telling.messageId, messageMetadata });
  try {
    yield* told(context, telling, signal);
  } catch (error) {
    yield sseEvent({ type: 'error', errorText: toAppError(error).message });
  }
  yield 'data: [DONE]\n\n';
}

async function* told(
  context: AgentContext,
  { run: { id, owner }, after, denied = new Set() }: Telling,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { db, runs } = context;
  const answered = (await approvalsOf(db, owner, id)).filter(({ status }) => status !== 'pending');
  const projection = new UiProjection({ answered: new Set(answered.map((one) => one.id)), denied });
  for (let seen = after; ; ) {
    for await (const events of untilSettled(context, id, seen, signal)) {
      // Of a run that has ended long ago, events may come that are part of those that the client has.
      const news = events.filter(({ seq }) => seq > seen);
      seen = news.at(-1)?.seq ?? seen;
      const out = news
        .flatMap((event) => projection.chunks(event))
        .map(sseEvent)
        .join('');
      if (out !== '') yield out;
      else if (events.length === 0) yield HEARTBEAT;
    }
    if (projection.hasEnded) return;
    if (signal.aborted || runs.stopping.aborted) throw unfinished(id);
    const run = await getRun(db, owner, id);
    if (!run) throw new NotFoundError('Run', id);
    // Else somebody has answered meanwhile, and it goes on.
    if (run.status === 'waiting_approval') {
      yield projection.wait().map(sseEvent).join('');
      return;
    }
  }
}
