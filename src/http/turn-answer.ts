import { completionOf, type StartedTurn, type TurnResult } from '../agent/turn.ts';
import type { Completion } from '../chat/complete.ts';
import type { CompactionReport } from '../conversations/memory.ts';
import { assistantBody, type ConversationMessage, toMessage, toolCallsOf } from '../conversations/stored.ts';
import { toAppError } from '../errors.ts';
import type { MessageRow } from '../storage/messages.ts';
import { eventLines } from './completion-stream.ts';
import { errorReply } from './envelope.ts';
import { EventStream, QUIET_MS, sseEvent } from './event-stream.ts';
import { warningsHeader } from './warnings-header.ts';

/** The answer of the routes that send a message. */
export interface TurnAnswer {
  userMessage: ConversationMessage | null;
  assistantMessage: ConversationMessage;
  usage: Completion['usage'];
  compaction: CompactionReport | null;
  warnings?: string[];
  attempts?: Completion['attempts'];
}

/** A turn's result as it is given out. */
export function turnAnswer(conversationId: string, result: TurnResult): TurnAnswer {
  const { given, answer, compaction } = result;
  const { usage, warnings, attempts } = completionOf(result);
  const user = given.findLast(({ role }) => role === 'user');
  return {
    userMessage: user ? toMessage(conversationId, user) : null,
    assistantMessage: toMessage(conversationId, answer),
    usage,
    compaction,
    ...(warnings ? { warnings } : {}),
    ...(attempts ? { attempts } : {}),
  };
}

/**
 * The events of a turn: deltas as they come, then one last event with `done: true`. When the caller leaves, the turn
 * goes on.
 * @param last makes the fields of the last event.
 */
export function turnStream(
  turn: StartedTurn | TurnResult,
  requestId: string,
  last: (result: TurnResult) => object,
): EventStream {
  const headers = warningsHeader('relay' in turn ? turn.warnings : []);
  return new EventStream(lines(turn, requestId, last), { outlivesCaller: true, headers, quietMs: QUIET_MS });
}

async function* lines(
  turn: StartedTurn | TurnResult,
  requestId: string,
  last: (result: TurnResult) => object,
): AsyncGenerator<string> {
  try {
    if ('relay' in turn) {
      for await (const events of turn.relay) {
        const out = eventLines(events, turn.ref);
        if (out !== '') yield out;
      }
    } else yield storedLines(turn.answer);
    const result = 'relay' in turn ? await turn.finished : turn;
    yield sseEvent({ done: true, ...last(result) });
  } catch (error) {
    const { body } = errorReply(toAppError(error), requestId);
    yield sseEvent({ ...body, done: true, partial: true });
  }
}

/** A stored answer as its stream once brought it, in one piece. */
function storedLines(row: MessageRow): string {
  const { content, reasoning = '', provider = '', model = '' } = assistantBody(row);
  const calls = toolCallsOf(row).map((call) => ({ type: 'tool-call', call }) as const);
  return eventLines([{ type: 'reasoning', text: reasoning }, { type: 'text', text: content }, ...calls], {
    provider,
    model,
  });
}
