import { Agent, type Dispatcher } from 'undici';
import { AppError } from '../../errors.ts';
import { providerConnector } from './connector.ts';
import { type Try, withRetries } from './retries.ts';
import { type Timeouts, type Upstream, UpstreamCall } from './upstream.ts';

/** One HTTP request to a provider. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** For messages: the provider's name. */
  provider: string;
}

/** Some providers' addresses name the model, which is the caller's word: there could be endless ones. */
const MAX_TARGETS = 100;

interface Target {
  origin: string;
  path: string;
}

/**
 * Sends requests to providers over pooled connections: time-outs, retries before the first byte, aborts. A redirect is an
 * answer like any other: nobody but the address that was set is sent a key.
 */
export class HttpClient {
  readonly #agent: Agent;
  /** What the addresses that are called come to: they are few, and are called again and again. */
  readonly #targets = new Map<string, Target>();
  /** The limits of every call that names no others. */
  readonly timeouts: Timeouts;

  constructor(timeouts: Timeouts) {
    this.timeouts = timeouts;
    // The calls' own clocks watch headers and body: they know the difference between silence and a slow reader.
    this.#agent = new Agent({
      connect: providerConnector(timeouts.connect),
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
    return await this.#start(request, signal, timeouts).head;
  }

  /**
   * Sends, and once or twice more after a failure that another try could mend, as long as no byte of an answer has
   * come: a refusal that passes, a connection that was not made or broke. Not after the limit for the first byte:
   * three times that would be minutes. Obeys `Retry-After` up to 30 s; a longer one is left to the caller.
   * Resolves when the body begins.
   * @param judge says of an answer with an error status whether to try again; it may read the body.
   * @param patienceMs the last try begins at most so many milliseconds after the first.
   * @throws AppError the last try's failure.
   */
  async sendWithRetries(
    request: HttpRequest,
    signal: AbortSignal,
    judge: (upstream: Upstream) => Promise<{ error: AppError; retryable: boolean }>,
    patienceMs?: number,
  ): Promise<Upstream> {
    return await withRetries(() => this.#try(request, signal, judge), signal, patienceMs);
  }

  async #try(
    request: HttpRequest,
    signal: AbortSignal,
    judge: (upstream: Upstream) => Promise<{ error: AppError; retryable: boolean }>,
  ): Promise<Try<Upstream>> {
    const call = this.#start(request, signal);
    try {
      await call.head;
      if (call.status >= 300) return await judge(call);
      if (!call.hasBegun) await call.begun();
      return { value: call };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const isUnreached = error.code === 'provider_timeout' && !call.sent;
      return { error, retryable: error.code === 'provider_unavailable' || isUnreached };
    }
  }

  #start(request: HttpRequest, signal: AbortSignal, timeouts: Partial<Timeouts> = {}): UpstreamCall {
    const { origin, path } = this.#target(request.url);
    const call = new UpstreamCall(request.provider, { ...this.timeouts, ...timeouts }, signal);
    const options: Dispatcher.DispatchOptions = { origin, path, method: request.method, headers: request.headers };
    if (request.body !== undefined) options.body = request.body;
    this.#agent.dispatch(options, call);
    return call;
  }

  #target(url: string): Target {
    let target = this.#targets.get(url);
    if (!target) {
      target = splitUrl(url);
      if (this.#targets.size >= MAX_TARGETS) this.#targets.clear();
      this.#targets.set(url, target);
    }
    return target;
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function splitUrl(url: string): Target {
  const parsed = new URL(url);
  return { origin: parsed.origin, path: parsed.pathname + parsed.search };
}
