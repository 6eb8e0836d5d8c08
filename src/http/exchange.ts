import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import { newId } from '../core/ids.ts';
import { AppError, InvalidRequestError, type Issue, NotFoundError, toAppError } from '../errors.ts';
import { type Bucket, perMinute } from '../limits/bucket.ts';
import { networkOf } from '../limits/network.ts';
import { rateLimited } from '../limits/refusal.ts';
import type { Standing } from '../limits/verdict.ts';
import { admit } from './admission.ts';
import { audited } from './audited.ts';
import { readJsonBody } from './body.ts';
import type { ClientAddresses } from './client-address.ts';
import { sessionCookie, setSessionCookie } from './cookies.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { TextStream, writeStream } from './event-stream.ts';
import type { Idempotency, KeyedRequest, Work } from './idempotency.ts';
import { fingerprintOf, readIdempotencyKey } from './idempotency-key.ts';
import { toIssues } from './issues.ts';
import { Page } from './page.ts';
import { bucketsOf } from './rate-buckets.ts';
import type { Route, RouteRequest } from './route.ts';
import { type Router, readTarget, type Target } from './router.ts';
import type { RunningRequest, RunningRequests } from './running.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import type { Services } from './services.ts';
import { NATIVE_WIRE, type Wire, type WireOf } from './wire.ts';

/** A year: browsers do not speak plain http to this host any more. */
const STRICT_TRANSPORT = { 'strict-transport-security': 'max-age=31536000' };

/** Bytes that strangers may send: nothing that they may do needs more. */
const STRANGERS_LIMIT = 64 * 1024;

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

type Keyed = Pick<KeyedRequest, 'key' | 'fingerprint'>;

/** What the exchanges of one server share. */
export interface Serving {
  services: Services;
  router: Router;
  wireOf: WireOf;
  running: RunningRequests;
  idempotency: Idempotency;
  addresses: ClientAddresses;
}

/** Of a stranger, who has no rows. */
const NOBODY = '';

type CommonField =
  | 'acceptEncoding'
  | 'headers'
  | 'wire'
  | 'services'
  | 'principal'
  | 'requestId'
  | 'lastEventId'
  | 'caller'
  | 'session'
  | 'setSession';

interface Input {
  params: unknown;
  query: unknown;
  body: unknown;
  keyed: Keyed | undefined;
}

/** One request and its answer: it gets an id, is admitted, validated, handled and logged, all here. */
export class Exchange {
  readonly #serving: Serving;
  readonly #services: Services;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #id: string;
  readonly #headers: Record<string, string>;
  readonly #address: string;
  readonly #standings: Standing[] = [];
  #wire: Wire = NATIVE_WIRE;
  #actor: string | undefined;
  readonly #began = performance.now();

  constructor(serving: Serving, request: IncomingMessage, response: ServerResponse) {
    this.#serving = serving;
    this.#services = serving.services;
    this.#request = request;
    this.#response = response;
    this.#id = requestId(request.headers['x-request-id']);
    this.#address = serving.addresses.of(request);
    const cors = corsHeaders(request, serving.services.config.access.corsOrigins);
    this.#headers = {
      ...SECURITY_HEADERS,
      ...cors,
      ...(this.#isHttps() ? STRICT_TRANSPORT : {}),
      'x-request-id': this.#id,
    };
  }

  /** Answers the request; never throws. */
  async run(): Promise<void> {
    const { running, router } = this.#serving;
    const ticket = running.begin();
    this.#response.on('close', () => ticket.end(this.#response.writableFinished));
    try {
      const preflight = preflightHeaders(this.#request, this.#services.config.access.corsOrigins);
      if (preflight) return this.#send(204, '', preflight);
      const target = readTarget(this.#request.url ?? '');
      if (!target) throw new AppError('invalid_request', 'The request target is malformed');
      const { method = '' } = this.#request;
      this.#wire = this.#serving.wireOf(target.path, this.#request.headers);
      Object.assign(this.#headers, this.#wire.requestHeaders(this.#id));
      const match = router.match(method, target.path);
      if (!('route' in match)) throw unknownRoute(`${method} ${target.path}`, match.methods);
      await this.#serve(match.route, match.params, target, ticket);
    } catch (error) {
      this.#failure(toAppError(error));
    }
  }

  async #serve(route: Route, params: Record<string, string>, target: Target, ticket: RunningRequest): Promise<void> {
    const { principal, owner } = await this.#admit(route, ticket);
    const { signal } = ticket;
    const { keyed, ...input } = await this.#input(route, params, target.query);
    const work: Work = async (newId) => {
      const result = await this.#audited(route, principal, input, () =>
        route.handle({ ...input, ...this.#common(principal), owner, signal, newId }),
      );
      if (result instanceof TextStream || result instanceof Page) return result;
      return new Page(JSON.stringify(result), JSON_TYPE, route.status);
    };
    const name = { owner, route: `${this.#request.method} ${target.path}` };
    const { idempotency } = this.#serving;
    const answer = await (keyed
      ? idempotency.answer({ ...name, ...keyed }, signal, work, route.isDurable)
      : work(newId));
    if (answer instanceof TextStream) await this.#stream(answer);
    else this.#send(answer.status, answer.text, answer.headers);
  }

  /** Lets the caller in, within its limits. */
  async #admit(route: Route, ticket: RunningRequest): Promise<{ principal: Principal | undefined; owner: string }> {
    if (route.scope === 'open') return { principal: undefined, owner: NOBODY };
    ticket.throwIfStopping();
    const { gate, config } = this.#services;
    const { access } = config;
    // Before anything is looked up: this is also for those who only knock.
    if (access.addressLimit !== undefined)
      await this.#limit([perMinute('address', networkOf(this.#address), access.addressLimit)]);
    const { principal, renewed } = await admit(this.#request, { route, wire: this.#wire }, gate, access);
    if (renewed !== undefined) this.#setSession(renewed);
    if (!principal) return { principal, owner: NOBODY };
    this.#actor = principal.credential || principal.actor;
    await this.#limit(bucketsOf(principal, access.userLimit));
    return { principal, owner: principal.owner };
  }

  async #limit(buckets: readonly Bucket[]): Promise<void> {
    if (buckets.length === 0) return;
    const { standings, refused } = await this.#services.limiter.take(buckets);
    this.#standings.push(...standings);
    Object.assign(
      this.#headers,
      this.#wire.limitHeaders({ standings: this.#standings, ...(refused ? { refused } : {}) }),
    );
    if (refused) throw rateLimited(refused);
  }

  #common(principal: Principal | undefined): Pick<RouteRequest<unknown, unknown, unknown>, CommonField> {
    const { headers } = this.#request;
    return {
      services: this.#services,
      wire: this.#wire,
      headers,
      principal,
      requestId: this.#id,
      lastEventId: headers['last-event-id']?.toString(),
      acceptEncoding: headers['accept-encoding']?.toString() ?? '',
      caller: { address: this.#address, userAgent: headers['user-agent'] ?? '' },
      session: sessionCookie(headers.cookie),
      setSession: (secret) => this.#setSession(secret),
    };
  }

  #setSession(secret: string | undefined): void {
    this.#headers['set-cookie'] = setSessionCookie(secret, this.#isHttps());
  }

  #isHttps(): boolean {
    return this.#services.config.access.isHttps || this.#serving.addresses.isHttps(this.#request);
  }

  /** The route's own deed, if it is one, with what the audit log is told of it. */
  async #audited(
    { audit }: Route,
    principal: Principal | undefined,
    input: Omit<Input, 'keyed'>,
    handle: () => unknown,
  ): Promise<unknown> {
    if (!audit) return await handle();
    const deed = { action: audit.action, target: audit.target?.(input) ?? '', details: audit.details?.(input) ?? {} };
    return await audited(this.#common(principal), deed, handle);
  }

  async #input(route: Route, pathParams: Record<string, string>, search: Target['query']): Promise<Input> {
    const issues: Issue[] = [];
    const params = check(route.params, pathParams, 'path', issues);
    const query = check(route.query, search, 'query', issues);
    const { bodyLimit } = this.#services.config;
    const isFixed = route.scope === 'public' && bodyLimit > STRANGERS_LIMIT;
    const limit = { limit: isFixed ? STRANGERS_LIMIT : bodyLimit, isFixed };
    const given = route.body ? await readJsonBody(this.#request, limit) : undefined;
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

  #send(status: number, text: string | Uint8Array, headers: Readonly<Record<string, string>>): void {
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
    const { status, headers, body } = this.#wire.errorReply(error, this.#id);
    if (status >= 500 && error.cause !== undefined)
      this.#services.log.error({ requestId: this.#id, err: error.cause }, error.message);
    // The rest of a body that is too large is not read, so the connection cannot be used again.
    const closes = error.code === 'too_large' || error.code === 'shutting_down';
    this.#send(status, JSON.stringify(body), { ...headers, ...JSON_TYPE, ...(closes ? { connection: 'close' } : {}) });
  }

  #log(status: number): void {
    const { method, url = '' } = this.#request;
    const query = url.indexOf('?');
    const path = query === -1 ? url : url.slice(0, query);
    const ms = Math.round(performance.now() - this.#began);
    const who = { by: this.#actor, address: this.#address };
    this.#services.log.info({ requestId: this.#id, method, path, status, ms, ...who }, 'request');
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
