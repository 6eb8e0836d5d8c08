import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { AppError, abortError } from '../../errors.ts';

/** All in milliseconds. */
export interface Timeouts {
  connect: number;
  /** From sending to the first byte of the body. */
  firstByte: number;
  /** Between two reads of the body. */
  idle: number;
}

/** An answer whose head has come. */
export interface Upstream {
  status: number;
  headers: IncomingHttpHeaders;
  /**
   * The body as it comes; each item is what had arrived. Read once. Leaving the loop early breaks the connection.
   * Throws AppError `provider_unavailable`, `provider_timeout` or `cancelled`.
   */
  body: AsyncIterable<Buffer[]>;
  /**
   * Says, before leaving the loop early, that the answer is complete: what still comes, mostly no more than the end of
   * the body, is thrown away for a second, so that the connection can serve the next call.
   */
  complete(): void;
  /** The whole body; more than `limit` bytes are a `provider_protocol` error. */
  text(limit: number): Promise<string>;
}

const UTF8 = new TextDecoder();

/** Beyond this many unread bytes the provider is told to wait. */
const HIGH_WATER = 256 * 1024;

/** How often at least a call's clock is looked at: the limit may have become shorter meanwhile. */
const CHECK_MS = 250;

/** How long the body of an error may take: its status has come, and says enough without it. */
const ERROR_BODY_MS = 3000;

/** How long the unwanted rest of an answer may take before its connection is broken. */
const LINGER_MS = 1000;

/** A class, since an object that is written with a computed key costs as much as the rest of a call. */
class Body implements AsyncIterable<Buffer[]> {
  readonly #read: () => AsyncIterator<Buffer[]>;

  constructor(read: () => AsyncIterator<Buffer[]>) {
    this.#read = read;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer[]> {
    return this.#read();
  }
}

/**
 * One request under way: undici's handler on one side, the answer as an async iterable on the other. Watches the
 * clock: until the first byte of the body, then between reads. While our own reader is behind, no clock runs. The body
 * of an error has a short time as a whole.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler, Upstream {
  status = 0;
  headers: IncomingHttpHeaders = {};
  /** True once there was a connection and the request went out over it. */
  sent = false;
  readonly head: Promise<Upstream>;
  readonly body: AsyncIterable<Buffer[]>;

  readonly #provider: string;
  readonly #timeouts: Timeouts;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#fail(abortError(this.#signal));
  #resolveHead!: (upstream: Upstream) => void;
  #rejectHead!: (error: AppError) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #limit = 0;
  #heardAt = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #gotBody = false;
  #lingering = false;
  #ended = false;
  #error: AppError | undefined;
  #wake: (() => void) | undefined;

  constructor(provider: string, timeouts: Timeouts, signal: AbortSignal) {
    this.#provider = provider;
    this.#timeouts = timeouts;
    this.#signal = signal;
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.body = new Body(() => this.#read());
    // The connect limit is undici's; waiting for a connection must not count as waiting for the answer.
    this.#allow(timeouts.connect + timeouts.firstByte);
    this.#watch(this.#limit);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.sent = true;
    if (this.#error) controller.abort(this.#error);
    else this.#allow(this.#timeouts.firstByte);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#error) return;
    this.status = status;
    this.headers = headers;
    if (status >= 300) this.#hurry();
    this.#resolveHead(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#error || this.#lingering) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#gotBody = true;
    this.#allow(this.#timeouts.idle);
    if (this.#bytes > HIGH_WATER) {
      this.#allow(Number.POSITIVE_INFINITY);
      controller.pause();
    }
    this.#notify();
  }

  onResponseEnd(): void {
    if (this.#error) return;
    this.#ended = true;
    this.#release();
    this.#notify();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#connectionError(error));
  }

  complete(): void {
    if (this.#ended || this.#error) return;
    this.#lingering = true;
    this.#chunks = [];
    if (this.#controller?.paused) this.#controller.resume();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(new AppError('cancelled', 'The answer was complete')), LINGER_MS);
  }

  /** Is the first of the body here, or its end? */
  get hasBegun(): boolean {
    return this.#chunks.length > 0 || this.#ended;
  }

  /** Waits until it has begun. Throws as `body` does. Not for use while it is read. */
  async begun(): Promise<void> {
    while (!this.hasBegun) {
      if (this.#error) throw this.#error;
      await this.#news();
    }
  }

  async text(limit: number): Promise<string> {
    const all: Buffer[] = [];
    let bytes = 0;
    for await (const chunks of this.body) {
      for (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > limit) throw new AppError('provider_protocol', `${this.#provider} sent more than ${limit} bytes`);
        all.push(chunk);
      }
    }
    // Not toString: a byte order mark is no part of the text.
    return UTF8.decode(all.length === 1 ? all[0] : Buffer.concat(all));
  }

  #read(): AsyncIterator<Buffer[]> {
    return {
      next: async () => {
        while (this.#chunks.length === 0) {
          if (this.#error) throw this.#error;
          if (this.#ended) return { done: true, value: undefined };
          await this.#news();
        }
        const chunks = this.#chunks;
        this.#chunks = [];
        this.#bytes = 0;
        if (this.#controller?.paused) {
          this.#allow(this.#timeouts.idle);
          this.#controller.resume();
        }
        return { done: false, value: chunks };
      },
      return: () => {
        if (!this.#lingering) this.#fail(new AppError('cancelled', 'The rest of the answer was not wanted'));
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** From now on, so many milliseconds of silence are allowed. */
  #allow(ms: number): void {
    this.#limit = ms;
    this.#heardAt = performance.now();
  }

  /** One timer a call, set again when it ends too early: setting it for every piece that comes would cost more. */
  #watch(ms: number): void {
    this.#timer = setTimeout(
      () => {
        if (this.#left() > 0) this.#watch(this.#left());
        // This process may have been busy itself: what came meanwhile is read before the provider is called silent.
        else setImmediate(() => (this.#left() > 0 ? this.#watch(this.#left()) : this.#onSilence()));
      },
      Math.min(ms, CHECK_MS),
    );
  }

  #left(): number {
    return this.#limit - (performance.now() - this.#heardAt);
  }

  #hurry(): void {
    const ms = Math.min(ERROR_BODY_MS, this.#timeouts.firstByte, this.#timeouts.idle);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#fail(new AppError('provider_timeout', `${this.#provider} did not finish its error within ${ms / 1000} s`));
    }, ms);
  }

  #onSilence(): void {
    const what = this.#gotBody
      ? `sent nothing for ${this.#timeouts.idle / 1000} s in the middle of an answer`
      : `did not begin to answer within ${this.#timeouts.firstByte / 1000} s`;
    this.#fail(new AppError('provider_timeout', `${this.#provider} ${what}`));
  }

  #fail(error: AppError): void {
    if (this.#error || this.#ended) return;
    this.#error = error;
    this.#release();
    this.#rejectHead(error);
    this.#controller?.abort(error);
    this.#notify();
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #connectionError(error: Error): AppError {
    const code = 'code' in error ? String(error.code) : error.name;
    if (code === 'UND_ERR_CONNECT_TIMEOUT') {
      return new AppError(
        'provider_timeout',
        `${this.#provider} could not be reached within ${this.#timeouts.connect / 1000} s`,
        {
          cause: error,
        },
      );
    }
    // Without the cause, which holds what was sent.
    if (error.name === 'HTTPParserError')
      return new AppError('provider_protocol', `${this.#provider}: ${error.message}`);
    const closed = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET';
    const unanswered = closed ? 'closed the connection without answering' : 'could not be reached';
    const what = this.status === 0 ? unanswered : 'broke off the answer';
    return new AppError('provider_unavailable', `${this.#provider} ${what} (${code})`, { cause: error });
  }
}
