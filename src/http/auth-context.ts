import type { AuthContext } from '../auth/context.ts';
import { unauthenticated } from '../auth/gate.ts';
import type { Principal } from '../auth/principal.ts';
import type { RouteRequest } from './route.ts';

type AnyRequest = RouteRequest<unknown, unknown, unknown>;

/** What the verbs of access work with, for one request. */
export function authContext({ services, caller, requestId }: AnyRequest): AuthContext {
  const { database, gate, limiter, backOff } = services;
  return { db: database.db, gate, limiter, backOff, caller: { ...caller, requestId } };
}

/** Who calls a route that is not for strangers. @throws AppError `unauthenticated`, which the route's scope has done before. */
export function knownPrincipal({ principal }: AnyRequest): Principal {
  if (!principal) throw unauthenticated('Log in first');
  return principal;
}
