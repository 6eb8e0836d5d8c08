import type { ServerResponse } from 'node:http';

/** What a stream is sent with. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Proxies such as nginx would hold the stream back.
  'x-accel-buffering': 'no',
};

/** A handler's answer that is sent piece by piece. */
export class TextStream {
  readonly chunks: AsyncIterable<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly outlivesCaller: boolean = false;

  /** @param headers must name the content type. */
  constructor(chunks: AsyncIterable<string>, headers: Readonly<Record<string, string>>) {
    this.chunks = chunks;
    this.headers = headers;
  }
}

/** Whole server-sent events, several at once where they came so. */
export class EventStream extends TextStream {
  override readonly outlivesCaller: boolean;

  /** @param options `outlivesCaller`: the source is read to its end also when the caller has left. */
  constructor(chunks: AsyncIterable<string>, options: { outlivesCaller?: boolean } = {}) {
    super(chunks, STREAM_HEADERS);
    this.outlivesCaller = options.outlivesCaller ?? false;
  }
}

/** A file that is made while it is sent. */
export class Download extends TextStream {
  /** @param filename of letters, digits, `_` and dots. */
  constructor(chunks: AsyncIterable<string>, contentType: string, filename: string) {
    super(chunks, { 'content-type': contentType, 'content-disposition': `attachment; filename="${filename}"` });
  }
}

/** One server-sent event with JSON as its data. */
export function sseEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/**
 * Writes a stream to a response no faster than the client reads. Ends early, and ends the source, when it leaves,
 * unless the stream outlives its caller.
 */
export async function writeStream(
  response: ServerResponse,
  stream: TextStream,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  response.writeHead(200, { ...headers, ...stream.headers });
  for await (const chunk of stream.chunks) {
    if (!response.destroyed) {
      if (!response.write(chunk)) await drained(response);
    } else if (!stream.outlivesCaller) return;
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
