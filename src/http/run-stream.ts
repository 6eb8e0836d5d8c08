import type { News } from '../agent/follow-run.ts';
import type { StoredEvent } from '../storage/run-events.ts';
import { HEARTBEAT, ResumableStream } from './event-stream.ts';

/** How long a browser waits before it comes back, in milliseconds. */
const RETRY = 'retry: 1000\n\n';
/** Characters that are written at once, if one event is no longer. */
const MOST_AT_ONCE = 64 * 1024;

/** A run's events as a stream that can be taken up again after each of them. */
export function runStream(news: AsyncIterable<News>): ResumableStream {
  return new ResumableStream(lines(news));
}

async function* lines(news: AsyncIterable<News>): AsyncGenerator<string> {
  yield RETRY;
  for await (const item of news) {
    switch (item.type) {
      case 'events':
        yield* pieces(item.events.map(eventLines));
        break;
      case 'reset':
        yield* pieces(resetLines(item.events));
        break;
      case 'idle':
        yield HEARTBEAT;
    }
  }
}

/** Puts texts together, but not to more than a slow reader may keep waiting. */
function* pieces(texts: readonly string[]): Generator<string> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < MOST_AT_ONCE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function eventLines(event: StoredEvent): string {
  return `id: ${event.seq}\ndata: ${eventJson(event)}\n\n`;
}

/** Stored data is JSON already. */
function eventJson({ type, data, timestamp }: StoredEvent): string {
  return `{"type":${JSON.stringify(type)},"data":${data},"timestamp":${timestamp}}`;
}

/** The snapshot is the events themselves, as they are now, so that a client needs to understand nothing else. */
function resetLines(events: readonly StoredEvent[]): string[] {
  const last = events.at(-1);
  const seq = last?.seq ?? 0;
  const reason = JSON.stringify('The events that you have seen last are one event by now; begin again with these');
  return [
    `id: ${seq}\ndata: {"type":"reset","data":{"reason":${reason},"lastEventId":${seq},"events":[`,
    ...events.map((event, index) => `${index > 0 ? ',' : ''}{"id":${event.seq},"event":${eventJson(event)}}`),
    `]},"timestamp":${last?.timestamp ?? 0}}\n\n`,
  ];
}
