import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Agent, type Response as Answer, fetch } from 'undici';
import { AppError } from '../errors.ts';
import { boundedBody } from './bounded-body.ts';
import { guardedConnector, type Reach } from './connector.ts';
import { failureOf } from './failure.ts';
import { readHttpUrl } from './http-url.ts';
import { type PlainRequest, redirected } from './redirect.ts';

/** As the global `fetch`, without `Request` objects. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** How much a request may take. Infinity: no bound, but for `connectMs`. */
export interface Bounds {
  /** Milliseconds, for name and connection, and again for TLS. */
  connectMs: number;
  /** Milliseconds from the request to the head of the answer. */
  headersMs: number;
  /** Milliseconds of silence within the body. */
  idleMs: number;
  /** Milliseconds for everything, redirects and body included. */
  totalMs: number;
  /** Of the body, after it is decompressed. */
  maxBytes: number;
}

/** What a fetch may reach and take. */
export interface Guard extends Reach {
  /**
   * May this redirect be followed? Only within one origin if it is not given. One that may not is itself the answer, with
   * its status and `location`.
   */
  mayFollow?(from: URL, to: URL): boolean;
  bounds?: Partial<Bounds> | undefined;
}

const BOUNDS: Bounds = {
  connectMs: 10_000,
  headersMs: 30_000,
  idleMs: 30_000,
  totalMs: 60_000,
  maxBytes: 10 * 1024 * 1024,
};
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_REDIRECTS = 10;

/** What is between us and the next hop, or would say that the request is for another host than the one dialled. */
const NOT_SENT: readonly string[] = [
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * A `fetch` that reaches public hosts, and those that its rules name: over HTTP/1.1 and connections that are never used
 * twice, so that each request is looked at where it is dialled. No proxy of the environment is used. Its answers are
 * streams; read or cancel them. Fails with an AppError: `forbidden` and `invalid_request` what is not done,
 * `provider_unavailable`, `provider_timeout` and `provider_protocol` what the other side did, `too_large`; or with why
 * `init.signal` was aborted.
 */
export function guardedFetch(guard: Guard): Fetch {
  const bounds = { ...BOUNDS, ...guard.bounds };
  return async (input, init = {}) => {
    const first = await plainRequest(readHttpUrl(input), init);
    const call = new Call(guard, bounds, init.signal ?? undefined);
    try {
      return await call.follow(first, init.redirect ?? 'follow');
    } catch (error) {
      throw await call.fail(error);
    }
  };
}

/** One request, with those that it is redirected to. */
class Call {
  readonly #guard: Guard;
  readonly #bounds: Bounds;
  readonly #given: AbortSignal | undefined;
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  readonly #sockets = new Set<Socket>();
  /** Whom is asked now. */
  #host = '';
  readonly #agent: Agent;
  readonly #clock: NodeJS.Timeout | undefined;

  constructor(guard: Guard, bounds: Bounds, given: AbortSignal | undefined) {
    this.#guard = guard;
    this.#bounds = bounds;
    this.#given = given;
    this.#signal = AbortSignal.any([this.#end.signal, ...(given ? [given] : [])]);
    this.#agent = new Agent({
      connect: guardedConnector(guard, bounds.connectMs, this.#signal, this.#sockets),
      headersTimeout: orNone(bounds.headersMs),
      bodyTimeout: orNone(bounds.idleMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      allowH2: false,
      // A connection is for one request.
      pipelining: 0,
    });
    if (Number.isFinite(bounds.totalMs)) this.#clock = setTimeout(() => this.#timeOut(), bounds.totalMs);
  }

  async follow(first: PlainRequest, redirect: NonNullable<RequestInit['redirect']>): Promise<Response> {
    let request = first;
    this.#host = first.url.host;
    for (let redirects = 0; ; redirects++) {
      const { url, method, headers, body } = request;
      const answer = await fetch(url, {
        method,
        headers: [...headers],
        body: body ?? null,
        redirect: 'manual',
        signal: this.#signal,
        dispatcher: this.#agent,
      });
      const next =
        redirect === 'manual' ? undefined : redirected(request, answer.status, answer.headers.get('location'));
      if (next && redirect === 'error')
        throw new AppError('forbidden', `${url.host} redirects, which was not to be followed`);
      if (!next || !this.#mayFollow(url, next.url)) return this.#response(answer, url);
      await answer.body?.cancel();
      if (redirects === MAX_REDIRECTS)
        throw new AppError('provider_protocol', `${first.url.host} redirects more than ${MAX_REDIRECTS} times`);
      request = next;
      this.#host = next.url.host;
    }
  }

  /** Leaves nothing behind. */
  async finish(): Promise<void> {
    clearTimeout(this.#clock);
    for (const socket of this.#sockets) socket.destroy();
    await this.#agent.destroy();
  }

  /** The same after an error, and what to say of it. */
  async fail(error: unknown): Promise<unknown> {
    await this.finish();
    if (this.#given?.aborted) return this.#given.reason;
    return failureOf(this.#end.signal.aborted ? this.#end.signal.reason : error, this.#host);
  }

  #mayFollow(from: URL, to: URL): boolean {
    return this.#guard.mayFollow?.(from, to) ?? from.origin === to.origin;
  }

  #response({ status, headers, body }: Answer, url: URL): Response {
    if (status < 200 || status > 599)
      throw new AppError(
        'provider_protocol',
        `${url.host} answered with the status ${status}, which HTTP does not have`,
      );
    const isEmpty = body === null || status === 204 || status === 205 || status === 304;
    const bounded = isEmpty ? null : boundedBody(body, this.#bounds.maxBytes, url.host, this);
    if (isEmpty) void this.finish();
    const response = new Response(bounded, { status, statusText: STATUS_CODES[status] ?? '', headers: [...headers] });
    return Object.defineProperty(response, 'url', { value: url.href });
  }

  #timeOut(): void {
    const seconds = this.#bounds.totalMs / 1000;
    this.#end.abort(new AppError('provider_timeout', `It was not there as a whole within ${seconds} s`));
  }
}

async function plainRequest(url: URL, { signal: _, redirect: __, ...init }: RequestInit): Promise<PlainRequest> {
  const request = new Request(url, init);
  const { method, headers } = request;
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  for (const name of NOT_SENT) headers.delete(name);
  if (!headers.has('user-agent')) headers.set('user-agent', 'profclaw');
  return { url, method, headers, body };
}

function orNone(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}
