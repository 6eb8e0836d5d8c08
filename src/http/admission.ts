import type { IncomingMessage } from 'node:http';
import { type Gate, unauthenticated } from '../auth/gate.ts';
import { LOCAL_PRINCIPAL, type Principal } from '../auth/principal.ts';
import { AppError } from '../errors.ts';
import { isOfThisMachine } from './client-address.ts';
import { sessionCookie } from './cookies.ts';
import { requireOwnSite, type Sites } from './guard.ts';
import type { Route } from './route.ts';
import type { Wire } from './wire.ts';

/** Who was let in. `principal` is undefined for a stranger, at a route that is for everybody. */
export interface Admitted {
  principal: Principal | undefined;
  /** The secret of a session whose cookie must be sent again, because its end has moved. */
  renewed: string | undefined;
}

/**
 * Decides whether a request may have what it asks for: no other site's page, a credential that is good or, as long as
 * nothing is locked, a program of this machine; and the scope that the route needs.
 * @throws AppError `forbidden` or `unauthenticated`.
 */
export async function admit(
  request: IncomingMessage,
  { route, wire }: { route: Route; wire: Wire },
  gate: Gate,
  sites: Sites,
): Promise<Admitted> {
  const isLocked = await gate.isLocked();
  const isPage = route.method === 'get' && route.contentType === 'text/html';
  requireOwnSite(request, sites, { isPage, isLocked });
  const authorization = wire.authorization(request.headers);
  const session = sessionCookie(request.headers.cookie);
  const identified = await gate.identify({ authorization, session });
  const local = !identified && !isLocked && isOfThisMachine(request) ? LOCAL_PRINCIPAL : undefined;
  const principal = identified?.principal ?? local;
  requireScope(principal, route.scope, isLocked);
  return { principal, renewed: identified?.renewed ? session : undefined };
}

function requireScope(principal: Principal | undefined, scope: Route['scope'], isLocked: boolean): void {
  if (scope === 'public' || scope === 'open') return;
  if (!principal)
    throw unauthenticated(
      isLocked
        ? 'Send Authorization: Bearer profclaw_… (POST /api/keys makes a key), or log in with POST /api/auth/login or POST /api/auth/verify-access-key'
        : 'It comes from another machine, or through a proxy: without accounts and an access key only this machine may call; sign up on it, or set PROFCLAW_ACCESS_KEY',
    );
  const { via, role, scopes } = principal;
  if (scope === 'any') return;
  if (scope === 'person') {
    if (via === 'key' && !scopes.includes('admin'))
      throw new AppError('forbidden', 'This is for people who are logged in; an API key needs the scope admin for it');
  } else if (!scopes.includes(scope)) {
    throw new AppError(
      'forbidden',
      via === 'key'
        ? `This API key has not the scope ${scope}; make one that has it with POST /api/keys`
        : `A ${role} may not do this: it needs the scope ${scope}; ask an admin`,
    );
  }
}
