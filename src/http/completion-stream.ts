import { Answer, withOrigin } from '../chat/answer.ts';
import { type StartedCompletion, toCompletion } from '../chat/complete.ts';
import { toAppError } from '../errors.ts';
import type { Origin, ProviderEvent } from '../providers/chat-model.ts';
import { errorReply } from './envelope.ts';
import { EventStream, QUIET_MS, sseEvent } from './event-stream.ts';
import { warningsHeader } from './warnings-header.ts';

/**
 * The events of a streamed completion: deltas as they come, several in one piece if they came together, then one
 * last event with `done: true`, be it the summary or an error.
 * @param extra further fields of the last event.
 */
export function completionStream(started: StartedCompletion, requestId: string, extra: object = {}): EventStream {
  return new EventStream(lines(started, requestId, extra), {
    headers: warningsHeader(started.warnings),
    quietMs: QUIET_MS,
  });
}

async function* lines(started: StartedCompletion, requestId: string, extra: object): AsyncGenerator<string> {
  const answer = new Answer(started.ref);
  try {
    for await (const events of started.events) {
      for (const event of events) answer.add(event);
      const out = eventLines(events, started.ref);
      if (out !== '') yield out;
    }
    if (answer.error) throw answer.error;
    const { message, reasoning: _, logprobs: __, ...summary } = await toCompletion(started, answer);
    // Text, calls and tokens have been sent.
    const parts = message.parts ? { parts: message.parts } : {};
    yield sseEvent({ done: true, ...summary, ...parts, ...extra });
  } catch (error) {
    const { body } = errorReply(toAppError(error), requestId);
    // A stream begins with the first piece of an answer, so what was sent is always a part of one.
    yield sseEvent({ ...body, done: true, partial: true });
  }
}

/** What of an answer's events is sent on, as server-sent events; '' if nothing is. */
export function eventLines(events: readonly ProviderEvent[], origin: Origin): string {
  let out = '';
  for (const event of events) out += line(event, origin);
  return out;
}

function line(event: ProviderEvent, origin: Origin): string {
  switch (event.type) {
    case 'text':
      return event.text === '' ? '' : `data: {"content":${JSON.stringify(event.text)}}\n\n`;
    case 'reasoning':
      return event.text === '' ? '' : `data: {"reasoning":${JSON.stringify(event.text)}}\n\n`;
    case 'tool-call':
      return sseEvent({ toolCall: withOrigin(event.call, origin) });
    case 'logprobs':
      return sseEvent({ logprobs: event.tokens });
    default:
      return '';
  }
}
