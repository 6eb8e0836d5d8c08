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
  readonly quietMs: number | undefined = undefined;

  /** @param headers must name the content type. */
  constructor(chunks: AsyncIterable<string>, headers: Readonly<Record<string, string>>) {
    this.chunks = chunks;
    this.headers = headers;
  }
}

/** How long a reader may take nothing before it is cut off, in milliseconds. */
const STALL_MS = 60_000;
/** What it finds at the end then: an event stream's comment. */
const CUT_OFF = ': cut off, because nothing was read for too long; come back with Last-Event-ID\n\n';

/** What keeps a quiet stream open: an event stream's comment. */
export const HEARTBEAT = ': heartbeat\n\n';
/** How long a stream of events is quiet at most, in milliseconds: others on the way cut off what is so for a minute. */
export const QUIET_MS = 15_000;

/** What an event stream may be told. */
export interface EventStreamOptions {
  /** The source is read to its end also when the caller has left. */
  outlivesCaller?: boolean;
  /** More of them. */
  headers?: Readonly<Record<string, string>>;
  /** After so many milliseconds without an event at most, a comment is sent; undefined: none. */
  quietMs?: number | undefined;
}

/** Whole server-sent events, several at once where they came so. */
export class EventStream extends TextStream {
  override readonly outlivesCaller: boolean;
  override readonly quietMs: number | undefined;

  constructor(chunks: AsyncIterable<string>, options: EventStreamOptions = {}) {
    super(chunks, { ...STREAM_HEADERS, ...options.headers });
    this.outlivesCaller = options.outlivesCaller ?? false;
    this.quietMs = options.quietMs;
  }
}

/** Events that their reader can come back for, so that one who does not read is cut off. */
export class ResumableStream extends EventStream {
  readonly stallMs: number;

  /** @param stallMs for how long a reader may take nothing. */
  constructor(chunks: AsyncIterable<string>, stallMs: number = STALL_MS) {
    super(chunks);
    this.stallMs = stallMs;
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
  const stallMs = stream instanceof ResumableStream ? stream.stallMs : undefined;
  response.writeHead(200, { ...headers, ...stream.headers });
  const heart = stream.quietMs ? new Heart(response, stream.quietMs) : undefined;
  try {
    for await (const chunk of stream.chunks) {
      if (!response.destroyed) {
        if (heart) heart.isQuiet = false;
        if (!response.write(chunk) && !(await drained(response, stallMs))) return cutOff(response);
      } else if (!stream.outlivesCaller) return;
    }
  } finally {
    heart?.stop();
  }
  response.end();
}

/** Sends comments while a stream is quiet. A note for each piece, and no timer: of pieces there are thousands. */
class Heart {
  isQuiet = false;
  readonly #timer: NodeJS.Timeout;

  constructor(response: ServerResponse, quietMs: number) {
    this.#timer = setInterval(() => {
      const beats = this.isQuiet && !response.destroyed && !response.writableNeedDrain;
      if (beats) response.write(HEARTBEAT);
      this.isQuiet = !beats;
    }, quietMs / 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The rest that is on its way may still arrive. */
function cutOff(response: ServerResponse): void {
  response.end(CUT_OFF);
  setTimeout(() => response.destroy(), STALL_MS).unref();
}

/** @returns false if that takes longer than `stallMs`. */
function drained(response: ServerResponse, stallMs: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => end(true);
    const end = (isDrained: boolean): void => {
      clearTimeout(timer);
      response.off('drain', done);
      response.off('close', done);
      resolve(isDrained);
    };
    const timer = stallMs === undefined ? undefined : setTimeout(() => end(false), stallMs);
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}
