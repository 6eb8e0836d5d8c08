import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { AuditAction } from '../audit/actions.ts';
import type { Principal } from '../auth/principal.ts';
import type { Scope } from '../auth/scopes.ts';
import type { Origin } from '../auth/sessions.ts';
import type { IdPrefix } from '../core/ids.ts';
import type { ErrorCode } from '../errors.ts';
import type { Services } from './services.ts';
import type { Wire } from './wire.ts';

/** What a handler gets: validated input, whose request it is, and when to stop. */
export interface RouteRequest<P, Q, B> {
  params: P;
  query: Q;
  body: B;
  services: Services;
  /** What the caller's rows are filed under. */
  owner: string;
  /** Undefined for a stranger, at a route of the scope `public` or `open`. */
  principal: Principal | undefined;
  /** From where it comes. */
  caller: Origin;
  /** The secret of the session's cookie that came along, whether or not it is good. */
  session: string | undefined;
  /** Sends the cookie of a new session along, or that of its end. */
  setSession: (secret: string | undefined) => void;
  /** Aborted when the caller leaves or the server must stop. */
  signal: AbortSignal;
  requestId: string;
  /** Of the header `Last-Event-ID`: the last event that the caller has seen. */
  lastEventId: string | undefined;
  /** All of them, as Node gives them. */
  headers: IncomingHttpHeaders;
  /** What errors in a stream look like. */
  wire: Wire;
  /** Of the header `Accept-Encoding`. */
  acceptEncoding: string;
  /**
   * A new id for something that the request makes. With an `Idempotency-Key` the first, second, … call gives every try
   * the same id, so the calls must come in the same order each time.
   */
  newId: (prefix: IdPrefix) => string;
}

/**
 * Who may call a route: whoever has the scope; `any` credential; a `person` (logged in or on this machine, or a key
 * with the scope `admin`); `public`: everybody, but no other site's page; `open`: just everybody.
 */
export type RouteScope = Scope | 'any' | 'person' | 'public' | 'open';

/** What is written into the audit log before a deed is done; and again, as failed, if it then is not. */
export interface Deed<P, Q, B> {
  action: AuditAction;
  /** The id of what it is done to. */
  target?: (input: { params: P; query: Q; body: B }) => string;
  details?: (input: { params: P; query: Q; body: B }) => Record<string, unknown>;
}

/** One route: the schemas that validate are the ones that document. */
export interface Route<P = unknown, Q = unknown, B = unknown> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI's form: `/api/tasks/{id}`; `{id+}` takes slashes as well. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  params?: z.ZodType<P>;
  query?: z.ZodType<Q>;
  body?: z.ZodType<B>;
  /** Of a success; 200 if absent. */
  status?: 200 | 201;
  response: z.ZodType;
  /** The content type of a success, for the document; JSON if absent. */
  contentType?: string;
  /** The events of a streamed answer, for the document. */
  event?: z.ZodType;
  /** Codes beyond those that every route has. */
  errors?: readonly ErrorCode[];
  /** True: makes something, or costs something, and so takes an `Idempotency-Key`. */
  creates?: true;
  /**
   * True: what it makes has an id that a repeated request finds, also while it is still being made; so such a request
   * need not wait for the first one.
   */
  isDurable?: true;
  scope: RouteScope;
  audit?: Deed<P, Q, B>;
  /** Gives an `EventStream`, a `Page`, or a value that is sent as JSON. */
  handle(request: RouteRequest<P, Q, B>): unknown;
}

/** Keeps the types of one route's schemas together with its handler, and forgets them outside. */
export function defineRoute<P, Q, B>(route: Route<P, Q, B>): Route {
  return route as unknown as Route;
}
