import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import { newId } from '../core/ids.ts';
import { AppError, InvalidRequestError, type Issue, NotFoundError } from '../errors.ts';
import { readJsonBody } from './body.ts';
import { errorReply, toAppError } from './envelope.ts';
import { EventStream, writeEventStream } from './event-stream.ts';
import { admitLocal } from './guard.ts';
import { toIssues } from './issues.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes/index.ts';
import type { RunningRequests } from './running.ts';
import { LOCAL_OWNER, type Services } from './services.ts';

type Env = { Bindings: HttpBindings };

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The whole HTTP edge: every request gets an id, is admitted, validated, handled and logged in one place. */
export function createApp(services: Services, running: RunningRequests): Hono<Env> {
  const app = new Hono<Env>();
  for (const route of ROUTES) {
    app.on(route.method.toUpperCase(), route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) =>
      new Exchange(services, running, c).run(route),
    );
  }
  app.notFound((c) => new Exchange(services, running, c).refuse(unknownRoute(c.req.method, c.req.path)));
  return app;
}

/** The answer to a request whose line or `Host` header makes no address, so that no route can be looked for. */
export function refuseMalformed(): Response {
  const requestId = newId('req');
  const error = new AppError('invalid_request', 'The request target or the Host header is malformed');
  const headers = { ...SECURITY_HEADERS, 'x-request-id': requestId, 'content-type': 'application/json; charset=utf-8' };
  return new Response(JSON.stringify(errorReply(error, requestId).body), { status: 400, headers });
}

/** One request and its answer. */
class Exchange {
  readonly #services: Services;
  readonly #running: RunningRequests;
  readonly #c: Context<Env>;
  readonly #id: string;
  readonly #headers: Record<string, string>;
  readonly #began = performance.now();

  constructor(services: Services, running: RunningRequests, c: Context<Env>) {
    this.#services = services;
    this.#running = running;
    this.#c = c;
    this.#id = requestId(c.env.incoming.headers['x-request-id']);
    this.#headers = { ...SECURITY_HEADERS, 'x-request-id': this.#id };
  }

  async run(route: Route): Promise<Response> {
    const { outgoing } = this.#c.env;
    const ticket = this.#running.begin();
    outgoing.on('close', () => ticket.end(outgoing.writableFinished));
    try {
      if (!route.open) {
        ticket.throwIfStopping();
        admitLocal(this.#c.env.incoming, this.#services.config.publicHosts);
      }
      const result = await route.handle({
        ...(await this.#input(route)),
        services: this.#services,
        owner: LOCAL_OWNER,
        signal: ticket.signal,
        requestId: this.#id,
      });
      if (result instanceof EventStream) return await this.#stream(result);
      return result instanceof Response ? this.#page(result) : this.#json(route.status ?? 200, result);
    } catch (error) {
      return this.#failure(toAppError(error));
    }
  }

  /** Answers with an error without looking further. */
  refuse(error: AppError): Response {
    const { outgoing } = this.#c.env;
    const ticket = this.#running.begin();
    outgoing.on('close', () => ticket.end(outgoing.writableFinished));
    return this.#failure(error);
  }

  async #input(route: Route): Promise<{ params: unknown; query: unknown; body: unknown }> {
    const { req, env } = this.#c;
    const issues: Issue[] = [];
    const params = check(route.params, req.param(), 'path', issues);
    const query = check(route.query, route.query ? req.query() : {}, 'query', issues);
    const given = route.body ? await readJsonBody(env.incoming, this.#services.config.bodyLimit) : undefined;
    const body = check(route.body, given === undefined ? {} : given, '', issues);
    if (issues.length > 0) throw new InvalidRequestError(issues);
    return { params, query, body };
  }

  #json(status: number, value: unknown, extra: Record<string, string> = {}): Response {
    const { outgoing } = this.#c.env;
    const text = JSON.stringify(value);
    this.#log(status);
    // Written here and not through a Response, whose body would be a stream: that costs more than all the rest.
    if (!outgoing.destroyed) {
      outgoing.writeHead(status, {
        ...this.#headers,
        ...extra,
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
      });
      outgoing.end(text);
    }
    return RESPONSE_ALREADY_SENT;
  }

  #page(response: Response): Response {
    for (const [name, value] of Object.entries(this.#headers))
      if (!response.headers.has(name)) response.headers.set(name, value);
    this.#log(response.status);
    return response;
  }

  async #stream(stream: EventStream): Promise<Response> {
    try {
      await writeEventStream(this.#c.env.outgoing, stream, this.#headers);
    } catch (error) {
      // The head is out: all that is left is to break the connection, so that nobody takes the rest for the whole.
      this.#services.log.error({ requestId: this.#id, err: error }, 'stream broke');
      this.#c.env.outgoing.destroy();
    }
    this.#log(200);
    return RESPONSE_ALREADY_SENT;
  }

  #failure(error: AppError): Response {
    const { status, headers, body } = errorReply(error, this.#id);
    if (status >= 500 && error.cause !== undefined)
      this.#services.log.error({ requestId: this.#id, err: error.cause }, error.message);
    // The rest of a body that is too large is not read, so the connection cannot be used again.
    const connection: Record<string, string> =
      error.code === 'too_large' || error.code === 'shutting_down' ? { connection: 'close' } : {};
    return this.#json(status, body, { ...headers, ...connection });
  }

  #log(status: number): void {
    const { method, url } = this.#c.env.incoming;
    const path = url?.split('?', 1)[0];
    const ms = Math.round(performance.now() - this.#began);
    this.#services.log.info({ requestId: this.#id, method, path, status, ms }, 'request');
  }
}

function check(schema: z.ZodType | undefined, value: unknown, where: string, issues: Issue[]): unknown {
  if (!schema) return value;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  issues.push(...toIssues(result.error.issues, where));
  return undefined;
}

/** The client's own id if it is a sane one, so that its log and ours can be laid side by side. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : newId('req');
}

function unknownRoute(method: string, path: string): NotFoundError {
  const others = ROUTES.filter((route) => pathPattern(route.path).test(path)).map((route) =>
    route.method.toUpperCase(),
  );
  const hint = others.length > 0 ? `it takes ${others.join(', ')}` : 'GET /docs shows what there is';
  return new NotFoundError('Route', `${method} ${path}`, hint);
}

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
