import { HEARTBEAT } from '../http/event-stream.ts';
import type { ResponseEvent } from './responses-projection.ts';
import { ResponseProjection } from './responses-projection.ts';
import type { StartedResponse } from './responses-turn.ts';

/** An answer's events as the wire writes them. Ends when the answer is kept, if it is to be. */
export async function* responseLines({ head, ref, events, kept }: StartedResponse): AsyncGenerator<string> {
  const projection = new ResponseProjection(head, ref);
  yield eventLines(projection.begin());
  let cause: unknown;
  try {
    for await (const some of events) {
      const made = projection.add(some);
      if (made.length > 0) yield eventLines(made);
    }
    await kept;
  } catch (error) {
    cause = error;
  }
  yield eventLines(projection.end(cause));
}

/** The events of a response that goes on by itself, as the wire writes them. */
export async function* backgroundLines(events: AsyncIterable<readonly ResponseEvent[]>): AsyncGenerator<string> {
  for await (const some of events) yield some.length > 0 ? eventLines(some) : HEARTBEAT;
}

function eventLines(events: readonly ResponseEvent[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}
