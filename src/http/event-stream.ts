import type { ServerResponse } from 'node:http';

/** A handler's answer that is sent piece by piece: whole server-sent events, several at once where they came so. */
export class EventStream {
  readonly chunks: AsyncIterable<string>;

  constructor(chunks: AsyncIterable<string>) {
    this.chunks = chunks;
  }
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Proxies such as nginx would hold the stream back.
  'x-accel-buffering': 'no',
};

/** One server-sent event with JSON as its data. */
export function sseEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Writes a stream to a response no faster than the client reads. Ends early, and ends the source, when it leaves. */
export async function writeEventStream(
  response: ServerResponse,
  stream: EventStream,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  response.writeHead(200, { ...headers, ...STREAM_HEADERS });
  for await (const chunk of stream.chunks) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}
