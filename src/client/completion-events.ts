import { createParser } from 'eventsource-parser';
import { RequestError } from './client.ts';

/** How a stream tells of an error: its last event. */
interface Failure {
  error: string;
  code: string;
  details?: object;
}

/**
 * The events of a streamed answer, up to the one that says it is done.
 * @throws RequestError if the stream tells of an error, with its code; `unreachable` if it breaks off.
 */
export async function* completionEvents(response: Response, signal: AbortSignal | undefined): AsyncGenerator<object> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events: object[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(JSON.parse(data) as object) });
  try {
    while (reader) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      signal?.throwIfAborted();
      if (value === undefined) break;
      parser.feed(value);
      for (const event of events.splice(0)) {
        if (isFailure(event)) throw failure(event, response.status);
        yield event;
        if ('done' in event) return;
      }
    }
  } finally {
    reader?.cancel().catch(() => {});
  }
  throw new RequestError('The connection was lost', { status: 0, code: 'unreachable' });
}

function isFailure(event: object): event is Failure {
  return 'error' in event && 'code' in event;
}

function failure({ error, code, details }: Failure, status: number): RequestError {
  return new RequestError(error, { status, code, ...(details ? { details } : {}) });
}
