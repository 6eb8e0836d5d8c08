import { AppError } from '../../errors.ts';
import { guardedFetch } from '../../network/guarded-fetch.ts';
import { portOf } from '../../network/http-url.ts';
import type { McpFetch } from './http-transport.ts';
import { isStdio, type McpServerConfig } from './server-config.ts';

/** The client has clocks of its own: an answer may take as long as its tool, and a stream has no end. */
const BOUNDS = {
  headersMs: Number.POSITIVE_INFINITY,
  idleMs: Number.POSITIVE_INFINITY,
  totalMs: Number.POSITIVE_INFINITY,
  maxBytes: Number.POSITIVE_INFINITY,
};

const NEEDS_PUBLIC =
  'a server that was set over the API needs a public address, unless the operator has set PROFCLAW_MCP_PRIVATE=allow';

/**
 * A `fetch` for one server: it reaches its host and port, and no others.
 * @param isTrusted whether the address may be a private one.
 */
export function serverFetch(config: McpServerConfig, isTrusted: boolean): McpFetch {
  if (isStdio(config)) return () => Promise.reject(new Error('a program is not reached over the network'));
  const url = new URL(config.url);
  const fetch = guardedFetch({
    hostRule: (host, port) => {
      if (host !== url.hostname || port !== portOf(url)) return 'deny';
      return isTrusted ? 'exact' : 'allow';
    },
    bounds: BOUNDS,
  });
  if (isTrusted) return fetch;
  return async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      if (error instanceof AppError && error.code === 'forbidden')
        throw new AppError('forbidden', `${url.host} is refused: ${NEEDS_PUBLIC}`, { cause: error });
      throw error;
    }
  };
}
