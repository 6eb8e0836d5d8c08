import { z } from 'zod';
import type { AgentContext } from '../agent/context.ts';
import { type RunAnswer, runAnswer, unfinished } from '../agent/run-answer.ts';
import { untilSettled } from '../agent/settle.ts';
import type { CompactionReport } from '../conversations/memory.ts';
import type { JsonObject } from '../core/json.ts';
import { toAppError } from '../errors.ts';
import type { StoredEvent } from '../storage/run-events.ts';
import { StreamDelta, StreamError } from './completion-schemas.ts';
import { CompactionSchema, MessageSchema } from './conversation-schemas.ts';
import { errorReply } from './envelope.ts';
import { EventStream, HEARTBEAT, sseEvent } from './event-stream.ts';
import { ApprovalSchema, RunCallSchema, RunUsage } from './run-schemas.ts';

/** The answer to a message with tools. */
export const ToolTurnSchema = z
  .object({
    userMessage: MessageSchema.nullable(),
    assistantMessage: MessageSchema.nullable().describe('The last one so far.'),
    usage: RunUsage,
    compaction: CompactionSchema.nullable(),
    toolCalls: z.array(RunCallSchema).describe('All of the turn.'),
    pendingApprovals: z.array(ApprovalSchema),
    finishReason: z
      .string()
      .describe('`approval-required`: answer `pendingApprovals`, and the turn goes on by itself.'),
    runId: z.string(),
  })
  .meta({ id: 'ToolTurn' });

/** What its stream consists of. */
export const ToolTurnEvent = z
  .union([
    ...StreamDelta,
    z.object({ toolResult: RunCallSchema.omit({ arguments: true, invalidArguments: true }) }),
    z.object({ approval: ApprovalSchema }),
    z.object({ reset: z.record(z.string(), z.unknown()) }).describe('The text of this step so far is void.'),
    z.object({ done: z.literal(true), ...ToolTurnSchema.shape }),
    StreamError,
  ])
  .meta({ id: 'ToolTurnEvent' });

/** Waits for what a run comes to, its end or an approval, whole or streamed. The run does not end with its caller. */
export async function toolTurn(
  context: AgentContext,
  runId: string,
  isStreamed: boolean,
  { requestId, signal }: { requestId: string; signal: AbortSignal },
): Promise<RunAnswer | EventStream> {
  if (isStreamed) return new EventStream(lines(context, runId, requestId, signal));
  for (const turn = new Following(context, runId); ; ) {
    for await (const events of turn.untilSettled(signal)) turn.note(events);
    const answer = await turn.answer(signal);
    if (answer) return answer;
  }
}

async function* lines(
  context: AgentContext,
  runId: string,
  requestId: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    let answer: RunAnswer | undefined;
    for (const turn = new Following(context, runId); !answer; answer = await turn.answer(signal)) {
      for await (const events of turn.untilSettled(signal)) {
        turn.note(events);
        const out = events.map(line).join('');
        if (out !== '') yield out;
        else if (events.length === 0) yield HEARTBEAT;
      }
    }
    yield sseEvent({ done: true, ...answer });
  } catch (error) {
    const { body } = errorReply(toAppError(error), requestId);
    yield sseEvent({ ...body, done: true, partial: true });
  }
}

/** A run on the way to where it ends or waits for a person. */
class Following {
  readonly #context: AgentContext;
  readonly #runId: string;
  #seen = 0;
  #compaction: CompactionReport | null = null;

  constructor(context: AgentContext, runId: string) {
    this.#context = context;
    this.#runId = runId;
  }

  untilSettled(signal: AbortSignal): AsyncGenerator<readonly StoredEvent[]> {
    return untilSettled(this.#context, this.#runId, this.#seen, signal);
  }

  note(events: readonly StoredEvent[]): void {
    this.#seen = events.at(-1)?.seq ?? this.#seen;
    this.#compaction = compactionIn(events) ?? this.#compaction;
  }

  /** Undefined if somebody has answered meanwhile, so that it goes on. @throws AppError `shutting_down` if this node stops. */
  async answer(signal: AbortSignal): Promise<RunAnswer | undefined> {
    const answer = await runAnswer(this.#context, this.#runId, this.#compaction);
    if (!answer && (signal.aborted || this.#context.runs.stopping.aborted)) throw unfinished(this.#runId);
    return answer;
  }
}

function compactionIn(events: readonly StoredEvent[]): CompactionReport | undefined {
  const event = events.findLast(({ type }) => type === 'compaction');
  return event && (JSON.parse(event.data) as CompactionReport);
}

/** A run's event in the form of a message's stream; '' for what that does not tell. */
function line({ type, data: json }: StoredEvent): string {
  const data = JSON.parse(json) as JsonObject;
  switch (type) {
    case 'content':
      return sseEvent({ content: data.text });
    case 'thinking:update':
      return sseEvent({ reasoning: data.text });
    case 'tool:call':
      return sseEvent({ toolCall: { id: data.toolCallId, name: data.name, arguments: data.arguments } });
    case 'tool:result': {
      const { toolCallId: id, name, result, status, duration, resultId } = data;
      return sseEvent({ toolResult: { id, name, result, status, duration, resultId } });
    }
    case 'approval:required':
      return sseEvent({ approval: data });
    case 'attempt:reset':
      return sseEvent({ reset: data });
    default:
      return '';
  }
}
