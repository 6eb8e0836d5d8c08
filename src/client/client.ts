/** Where the server is, and how the caller shows who it is. */
export interface Server {
  /** Such as `http://127.0.0.1:3000`; '' in a page that the server itself has sent. */
  url: string;
  /** Sent with every request, such as `authorization`. */
  headers?: Readonly<Record<string, string>>;
  /** In place of the global one. */
  fetch?: typeof fetch;
  /** Told of every answer that is no success, before it is thrown. */
  onRefused?: (error: RequestError, path: string) => void;
}

/** What the server, or the way to it, has against a request. */
export class RequestError extends Error {
  /** Of the answer; 0 if there was none. */
  readonly status: number;
  /** A code of docs/errors.md; `unreachable` if there was no answer. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Seconds after which to try again, if the server has said so. */
  readonly retryAfter: number | undefined;

  constructor(message: string, about: { status: number; code: string; details?: object; retryAfter?: number }) {
    super(message);
    this.name = 'RequestError';
    this.status = about.status;
    this.code = about.code;
    this.details = { ...about.details };
    this.retryAfter = about.retryAfter;
  }
}

/** How a request differs from a `GET` without anything. */
export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  /** What is undefined or '' is left out. */
  query?: Readonly<Record<string, string | number | undefined>>;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** Lets it end although the page is closed. */
  keepalive?: boolean;
}

/** Sends a request. @throws RequestError if there is no answer, or one that is no success. */
export async function send(server: Server, path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, query = {}, headers, signal, keepalive } = options;
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined || value === '' ? [] : [[name, `${value}`]],
    ),
  );
  const address = server.url + path + (search.size > 0 ? `?${search}` : '');
  let response: Response;
  try {
    response = await (server.fetch ?? fetch)(address, {
      method,
      headers: {
        ...server.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
      ...(keepalive ? { keepalive } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachable(server);
  }
  if (response.ok) return response;
  const error = await refusal(response);
  server.onRefused?.(error, path);
  throw error;
}

/** Sends a request and reads its answer as JSON. @throws RequestError */
export async function sendJson<T>(server: Server, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(server, path, options);
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw unreachable(server);
  }
}

function unreachable({ url }: Server): RequestError {
  const where = url === '' ? 'The server' : `The server at ${url}`;
  return new RequestError(`${where} cannot be reached`, { status: 0, code: 'unreachable' });
}

async function refusal(response: Response): Promise<RequestError> {
  const { status } = response;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const about = { status, ...(Number.isFinite(retryAfter) ? { retryAfter } : {}) };
  try {
    const { error, code, details } = (await response.json()) as { error: string; code: string; details?: object };
    if (typeof error === 'string' && typeof code === 'string')
      return new RequestError(error, { ...about, code, ...(details ? { details } : {}) });
  } catch {
    // Something between here and the server has answered.
  }
  return new RequestError(`The answer was ${status} ${response.statusText}`.trim(), { ...about, code: 'unknown' });
}
