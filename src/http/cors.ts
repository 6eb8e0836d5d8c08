import type { IncomingMessage } from 'node:http';

const METHODS = 'GET, POST, PUT, PATCH, DELETE';

/** What pages may read beside the usual headers, those of other clients' wires too: with credentials `*` names none. */
const EXPOSED = [
  ...['x-request-id', 'request-id', 'retry-after', 'retry-after-ms', 'x-should-retry', 'idempotency-replayed'],
  ...['ratelimit', 'ratelimit-policy'],
  ...['limit', 'remaining', 'reset'].flatMap((what) => [
    `x-ratelimit-${what}-requests`,
    `anthropic-ratelimit-requests-${what}`,
  ]),
  ...['x-profclaw-provider', 'x-profclaw-warnings', 'x-profclaw-cost'],
  ...['mcp-session-id', 'mcp-protocol-version', 'content-disposition', 'www-authenticate'],
].join(', ');

/** A day, in seconds: browsers ask again after two hours at most. */
const MAX_AGE = '86400';

/**
 * The headers that let a page of another site read the answer; none unless its origin is named.
 * @param origins those that may call.
 */
export function corsHeaders({ headers }: IncomingMessage, origins: readonly string[]): Record<string, string> {
  if (origins.length === 0) return {};
  const { origin } = headers;
  if (origin === undefined || !origins.includes(origin)) return { vary: 'origin' };
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': EXPOSED,
  };
}

/** The further headers of the answer to a browser that asks whether a request would be allowed; undefined if it is no such question, or not. */
export function preflightHeaders(
  { method, headers }: IncomingMessage,
  origins: readonly string[],
): Record<string, string> | undefined {
  const asked = headers['access-control-request-method'];
  const isNamed = headers.origin !== undefined && origins.includes(headers.origin);
  if (method !== 'OPTIONS' || asked === undefined || !isNamed) return undefined;
  return {
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
    'access-control-max-age': MAX_AGE,
  };
}
