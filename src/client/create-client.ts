import { CREATING } from './api.ts';
import type { BodyOf, Call, CallOptions, EventOf, Given, Method, PathPart, StreamPath } from './calls.ts';
import { type RequestOptions, type Server, send, sendJson } from './client.ts';
import { completionEvents } from './completion-events.ts';
import { withRetries } from './retries.ts';
import { type Runs, runsOf } from './run-calls.ts';

/** Where the server is, and how it is talked to. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:3000`; '' in a page of the server itself. */
  url: string;
  /** A key of the server: `profclaw_…`. */
  apiKey?: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  /** In place of the global one. */
  fetch?: typeof fetch;
  /** How often a request that is safe to send again is sent again at most; 3 if absent. */
  retries?: number;
}

/** The native API of a server. */
export interface Client {
  get: Call<'get'>;
  /** One that makes something gets an `Idempotency-Key`, so that it is made once however often it has to be sent. */
  post: Call<'post'>;
  put: Call<'put'>;
  patch: Call<'patch'>;
  delete: Call<'delete'>;
  /**
   * A streamed answer, event by event; the last one has `done`. Leaving the loop ends the request.
   * @throws RequestError also for an error within the stream; `unreachable` if it breaks off
   */
  stream<P extends StreamPath>(
    path: P,
    body: Omit<BodyOf<P, 'post'>, 'stream'>,
    ...options: Given<CallOptions & PathPart<P, 'post'>>
  ): AsyncGenerator<StreamedEvent<P>, void>;
  runs: Runs;
}

/** Without the one that tells of an error: that is thrown. */
export type StreamedEvent<P extends StreamPath> = Exclude<EventOf<P>, { error: string; code: string }>;

/** What a call is given, whatever its path. */
interface AnyOptions extends CallOptions {
  path?: Readonly<Record<string, string>>;
  query?: RequestOptions['query'];
  body?: unknown;
}

/** A client of one server. It keeps no state and no connection: there is nothing to close. */
export function createClient({ url, apiKey, headers, fetch, retries = 3 }: ClientOptions): Client {
  const server: Server = {
    url: url.replace(/\/+$/, ''),
    headers: { ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
    ...(fetch ? { fetch } : {}),
  };
  const call =
    (method: Method) =>
    (path: string, options: AnyOptions = {}): Promise<unknown> => {
      const { address, request, isSafe } = requestOf(method, path, options);
      return withRetries(isSafe ? retries : 0, options.signal, () => sendJson(server, address, request));
    };
  async function* stream(path: string, body: object, options: AnyOptions = {}): AsyncGenerator<object, void> {
    const { address, request, isSafe } = requestOf('post', path, { ...options, body: { ...body, stream: true } });
    const response = await withRetries(isSafe ? retries : 0, options.signal, () => send(server, address, request));
    yield* completionEvents(response, options.signal);
  }
  const calls = {
    get: call('get'),
    post: call('post'),
    put: call('put'),
    patch: call('patch'),
    delete: call('delete'),
  };
  // What is checked of a call is checked by the types of `Client`, path by path.
  return { ...calls, stream, runs: runsOf(server, retries) } as Client;
}

function requestOf(
  method: Method,
  path: string,
  { path: parts = {}, query, body, signal, headers, idempotencyKey }: AnyOptions,
): { address: string; request: RequestOptions; isSafe: boolean } {
  const makes = method === 'post' && CREATING.includes(path);
  const key = idempotencyKey ?? (makes ? crypto.randomUUID() : undefined);
  return {
    address: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? '')),
    request: {
      method: method.toUpperCase() as Uppercase<Method>,
      headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) },
      ...(query ? { query } : {}),
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    },
    isSafe: makes || method === 'get' || method === 'put',
  };
}
