import { createParser } from 'eventsource-parser';
import { pause } from '../core/pause.ts';
import { RequestError, type Server, send } from './client.ts';
import type { RunEvent } from './run-events.ts';

/** There is a heartbeat every 15 s: after this silence, in milliseconds, nobody is there any more. */
const SILENCE_MS = 45_000;
/** Pauses before coming back, in milliseconds; the last one is repeated. */
const PAUSES = [250, 500, 1000, 2000, 4000];
/** Statuses that pass. */
const PASSING = [0, 429, 500, 502, 503, 504];

/** What following a run tells besides its events. */
export interface FollowOptions {
  signal: AbortSignal;
  /** Called when the connection is lost, and with undefined when it is back. */
  onLost?: (why: RequestError | undefined) => void;
}

/**
 * The events of a run, each once, live to its end, over broken connections and restarts of the server: it comes back
 * after the last event until the run has ended or `signal` is aborted. What arrives together comes together.
 * @param after the number of the last event that is known; 0 for all.
 * @throws RequestError if the server refuses, such as for a run that does not exist.
 */
export async function* followRun(
  server: Server,
  runId: string,
  after: number,
  { signal, onLost }: FollowOptions,
): AsyncGenerator<readonly RunEvent[]> {
  let last = after;
  for (let failures = 0; !signal.aborted; ) {
    let lost: RequestError | undefined;
    try {
      const headers = last > 0 ? { 'last-event-id': `${last}` } : {};
      const response = await sendPatiently(server, `/api/chat/runs/${runId}/events`, headers, signal);
      if (failures > 0) onLost?.(undefined);
      failures = 0;
      // Nothing more comes after the last event of a run that has ended.
      if (response.status === 204) return;
      for await (const events of eventsOf(response, signal)) {
        const news = events.filter(({ id, type }) => id > last || type === 'reset');
        if (news.length === 0) continue;
        last = news.reduce((most, event) => Math.max(most, lastIdOf(event)), last);
        yield news;
        if (news.some(isEnd)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestError) || !PASSING.includes(error.status)) throw error;
      lost = error;
    }
    if (signal.aborted) return;
    onLost?.(lost ?? new RequestError('The connection was lost', { status: 0, code: 'unreachable' }));
    await pause(Math.max((lost?.retryAfter ?? 0) * 1000, PAUSES[Math.min(failures, PAUSES.length - 1)] ?? 0), signal);
    failures += 1;
  }
}

/**
 * Starts an agent's run. @returns its id, as soon as it is known; the run goes on whether or not anybody follows.
 * @param key makes it safe to send the message again: with the same one it finds the run that it has made.
 * @throws RequestError
 */
export async function startRun(
  server: Server,
  conversationId: string,
  message: object,
  { signal, key }: { signal: AbortSignal; key: string },
): Promise<string> {
  const leaving = new AbortController();
  const response = await send(server, `/api/chat/conversations/${conversationId}/messages/agentic`, {
    method: 'POST',
    body: message,
    headers: { 'idempotency-key': key },
    signal: AbortSignal.any([signal, leaving.signal]),
  });
  try {
    for await (const events of eventsOf(response, signal))
      for (const event of events) if (event.type === 'session:start') return event.data.sessionId;
  } finally {
    leaving.abort();
  }
  throw new RequestError('The connection was lost', { status: 0, code: 'unreachable' });
}

/** Is this the last event of its run? */
function isEnd({ type }: RunEvent): boolean {
  return type === 'complete' || type === 'error';
}

function lastIdOf(event: RunEvent): number {
  return event.type === 'reset' ? event.data.lastEventId : event.id;
}

async function sendPatiently(
  server: Server,
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    return await send(server, path, { headers, signal: AbortSignal.any([signal, silence.signal]) });
  } catch (error) {
    if (!silence.signal.aborted) throw error;
    throw new RequestError('The server does not answer', { status: 0, code: 'unreachable' });
  } finally {
    clearTimeout(timer);
  }
}

/** What a stream tells until it ends or breaks off; it never throws. */
async function* eventsOf(response: Response, signal: AbortSignal): AsyncGenerator<RunEvent[]> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let events: RunEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => events.push({ id: Number(id ?? 0), ...JSON.parse(data) } as RunEvent),
  });
  try {
    while (!signal.aborted) {
      const { promise: silence, resolve } = Promise.withResolvers<{ value?: undefined }>();
      const timer = setTimeout(() => resolve({}), SILENCE_MS);
      const { value } = await Promise.race([reader.read(), silence]).catch(() => ({ value: undefined }));
      clearTimeout(timer);
      if (value === undefined) return;
      parser.feed(value);
      if (events.length === 0) continue;
      yield events;
      events = [];
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
