import { Agent, type Dispatcher } from 'undici';
import { pause } from '../core/pause.ts';
import { AppError, abortError } from '../errors.ts';
import { type Upstream, UpstreamCall } from './upstream.ts';

/** One HTTP request to a provider. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** For messages: the provider's name. */
  provider: string;
}

/** All in milliseconds. */
export interface Timeouts {
  connect: number;
  /** From sending to the first byte of the body. */
  firstByte: number;
  /** Between two reads of the body. */
  idle: number;
}

const MAX_TRIES = 3;
const MAX_WAIT_S = 30;
const FIRST_BACKOFF_MS = 400;

/** Sends requests to providers over pooled connections: time-outs, retries before the first byte, aborts. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #timeouts: Timeouts;

  constructor(timeouts: Timeouts) {
    this.#timeouts = timeouts;
    // The calls' own clocks watch headers and body: they know the difference between silence and a slow reader.
    this.#agent = new Agent({
      connect: { timeout: timeouts.connect },
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 20_000,
    });
  }

  /**
   * Sends once and resolves when the head of the answer is here, whatever its status.
   * @throws AppError `provider_unavailable`, `provider_timeout` or `cancelled`.
   */
  async send(request: HttpRequest, signal: AbortSignal, timeouts: Partial<Timeouts> = {}): Promise<Upstream> {
    const { origin, path } = splitUrl(request.url);
    const call = new UpstreamCall(request.provider, { ...this.#timeouts, ...timeouts }, signal);
    const options: Dispatcher.DispatchOptions = { origin, path, method: request.method, headers: request.headers };
    if (request.body !== undefined) options.body = request.body;
    this.#agent.dispatch(options, call);
    return await call.head;
  }

  /**
   * Sends, and once or twice more after a failure that another try could mend, as long as nothing of an answer has
   * come. Obeys `Retry-After` up to 30 s; a longer one is left to the caller.
   * @param judge says of an answer with an error status whether to try again; it may read the body.
   */
  async sendWithRetries(
    request: HttpRequest,
    signal: AbortSignal,
    judge: (upstream: Upstream) => Promise<{ error: AppError; retryable: boolean }>,
  ): Promise<Upstream> {
    for (let attempt = 1; ; attempt++) {
      const { upstream, error, retryable } = await this.#attempt(request, signal, judge);
      if (upstream) return upstream;
      const waitMs = error.retryAfter === undefined ? backoff(attempt) : error.retryAfter * 1000;
      if (!retryable || attempt >= MAX_TRIES || waitMs > MAX_WAIT_S * 1000) throw error;
      if (!(await pause(waitMs, signal))) throw abortError(signal);
    }
  }

  async #attempt(
    request: HttpRequest,
    signal: AbortSignal,
    judge: (upstream: Upstream) => Promise<{ error: AppError; retryable: boolean }>,
  ): Promise<
    { upstream: Upstream; error?: never; retryable?: never } | { upstream?: never; error: AppError; retryable: boolean }
  > {
    try {
      const upstream = await this.send(request, signal);
      return upstream.status < 300 ? { upstream } : await judge(upstream);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { error, retryable: error.code === 'provider_unavailable' };
    }
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function splitUrl(url: string): { origin: string; path: string } {
  const parsed = new URL(url);
  return { origin: parsed.origin, path: parsed.pathname + parsed.search };
}

function backoff(attempt: number): number {
  return FIRST_BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}
