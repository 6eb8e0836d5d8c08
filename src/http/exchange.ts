import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { newId } from '../core/ids.ts';
import { AppError, InvalidRequestError, type Issue, NotFoundError, toAppError } from '../errors.ts';
import { readJsonBody } from './body.ts';
import { errorReply } from './envelope.ts';
import { TextStream, writeStream } from './event-stream.ts';
import { admitLocal } from './guard.ts';
import type { Idempotency, KeyedRequest, Work } from './idempotency.ts';
import { fingerprintOf, readIdempotencyKey } from './idempotency-key.ts';
import { toIssues } from './issues.ts';
import { Page } from './page.ts';
import type { Route } from './route.ts';
import { type Router, readTarget, type Target } from './router.ts';
import type { RunningRequest, RunningRequests } from './running.ts';
import { LOCAL_OWNER, type Services } from './services.ts';

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

type Keyed = Pick<KeyedRequest, 'key' | 'fingerprint'>;

/** One request and its answer: it gets an id, is admitted, validated, handled and logged, all here. */
export class Exchange {
  readonly #services: Services;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #id: string;
  readonly #headers: Record<string, string>;
  readonly #began = performance.now();

  constructor(services: Services, request: IncomingMessage, response: ServerResponse) {
    this.#services = services;
    this.#request = request;
    this.#response = response;
    this.#id = requestId(request.headers['x-request-id']);
    this.#headers = { ...SECURITY_HEADERS, 'x-request-id': this.#id };
  }

  /** Answers the request; never throws. */
  async run(router: Router, running: RunningRequests, idempotency: Idempotency): Promise<void> {
    const ticket = running.begin();
    this.#response.on('close', () => ticket.end(this.#response.writableFinished));
    try {
      const target = readTarget(this.#request.url ?? '');
      if (!target) throw new AppError('invalid_request', 'The request target is malformed');
      const { method = '' } = this.#request;
      const match = router.match(method, target.path);
      if (!('route' in match)) throw unknownRoute(`${method} ${target.path}`, match.methods);
      await this.#serve(match.route, match.params, target, ticket, idempotency);
    } catch (error) {
      this.#failure(toAppError(error));
    }
  }

  async #serve(
    route: Route,
    params: Record<string, string>,
    target: Target,
    ticket: RunningRequest,
    idempotency: Idempotency,
  ): Promise<void> {
    if (!route.open) {
      ticket.throwIfStopping();
      admitLocal(this.#request, this.#services.config.publicHosts);
    }
    const owner = LOCAL_OWNER;
    const { signal } = ticket;
    const { keyed, ...input } = await this.#input(route, params, target.query);
    const work: Work = async (newId) => {
      const common = { services: this.#services, owner, signal, requestId: this.#id, newId };
      const result = await route.handle({ ...input, ...common });
      if (result instanceof TextStream || result instanceof Page) return result;
      return new Page(JSON.stringify(result), JSON_TYPE, route.status);
    };
    const name = { owner, route: `${this.#request.method} ${target.path}` };
    const answer = await (keyed ? idempotency.answer({ ...name, ...keyed }, signal, work) : work(newId));
    if (answer instanceof TextStream) await this.#stream(answer);
    else this.#send(answer.status, answer.text, answer.headers);
  }

  async #input(
    route: Route,
    pathParams: Record<string, string>,
    search: Target['query'],
  ): Promise<{ params: unknown; query: unknown; body: unknown; keyed: Keyed | undefined }> {
    const issues: Issue[] = [];
    const params = check(route.params, pathParams, 'path', issues);
    const query = check(route.query, search, 'query', issues);
    const given = route.body ? await readJsonBody(this.#request, this.#services.config.bodyLimit) : undefined;
    const raw = given === undefined ? {} : given;
    const body = check(route.body, raw, '', issues);
    const key = route.creates && readIdempotencyKey(this.#request.headers['idempotency-key'], issues);
    if (issues.length > 0) throw new InvalidRequestError(issues);
    return {
      params,
      query,
      body,
      keyed: key === undefined ? undefined : { key, fingerprint: fingerprintOf(search, raw) },
    };
  }

  #send(status: number, text: string, headers: Readonly<Record<string, string>>): void {
    this.#log(status);
    const response = this.#response;
    if (response.destroyed) return;
    response.writeHead(status, { ...this.#headers, ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }

  async #stream(stream: TextStream): Promise<void> {
    try {
      await writeStream(this.#response, stream, this.#headers);
    } catch (error) {
      // The head is out: all that is left is to break the connection, so that nobody takes the rest for the whole.
      this.#services.log.error({ requestId: this.#id, err: error }, 'stream broke');
      this.#response.destroy();
    }
    this.#log(200);
  }

  #failure(error: AppError): void {
    const { status, headers, body } = errorReply(error, this.#id);
    if (status >= 500 && error.cause !== undefined)
      this.#services.log.error({ requestId: this.#id, err: error.cause }, error.message);
    // The rest of a body that is too large is not read, so the connection cannot be used again.
    const closes = error.code === 'too_large' || error.code === 'shutting_down';
    this.#send(status, JSON.stringify(body), { ...headers, ...JSON_TYPE, ...(closes ? { connection: 'close' } : {}) });
  }

  #log(status: number): void {
    const { method, url } = this.#request;
    const path = url?.split('?', 1)[0];
    const ms = Math.round(performance.now() - this.#began);
    this.#services.log.info({ requestId: this.#id, method, path, status, ms }, 'request');
  }
}

function check(schema: z.ZodType | undefined, value: unknown, where: string, issues: Issue[]): unknown {
  if (!schema) return value;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of toIssues(result.error.issues, where)) issues.push(issue);
  return undefined;
}

/** The client's own id if it is a sane one, so that its log and ours can be laid side by side. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : newId('req');
}

function unknownRoute(asked: string, methods: string[]): NotFoundError {
  const hint = methods.length > 0 ? `it takes ${methods.join(', ')}` : 'GET /docs shows what there is';
  return new NotFoundError('Route', asked, hint);
}
