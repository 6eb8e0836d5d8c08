import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4 } from 'node:net';
import { AppError } from '../errors.ts';

/** Under which names the server may be called, and whose pages may call it. */
export interface Sites {
  /** `Host` values, with port, besides the loopback names. */
  publicHosts: readonly string[];
  /** Origins of other sites. */
  corsOrigins: readonly string[];
}

/**
 * Keeps other sites' pages out, whoever is logged in: `Host` must be a name of this server, since another one may have
 * been rebound to its address, and `Origin` and `Sec-Fetch-Site`, where a browser sends them, must not be another
 * site's.
 * @param isPage something to look at, to which other sites may link.
 * @param isLocked everybody needs a credential. Then a bare address as `Host` is fine: it cannot be rebound.
 * @throws AppError `forbidden`.
 */
export function requireOwnSite(
  { url = '', headers }: IncomingMessage,
  { publicHosts, corsOrigins }: Sites,
  { isPage, isLocked }: { isPage: boolean; isLocked: boolean },
): void {
  // A target that is a whole URL takes the place of `Host` (RFC 9112, 3.2.2).
  const target = url.startsWith('/') ? undefined : URL.parse(url)?.host;
  const host = (target ?? headers.host ?? '').toLowerCase();
  if (!isLoopbackName(host) && !publicHosts.includes(host) && !(isLocked && isBareAddress(host)))
    throw refused(`the host ${JSON.stringify(host)} is not one of this server's names; PROFCLAW_PUBLIC_URL adds one`);
  const { origin } = headers;
  if (origin !== undefined) {
    if (corsOrigins.includes(origin)) return;
    if (!isOfHost(origin, host))
      throw refused(
        `the origin ${JSON.stringify(origin)} is another site than the host ${JSON.stringify(host)}; PROFCLAW_CORS_ORIGINS lets its pages call, and a proxy must pass on Host`,
      );
  }
  const isLink = isPage && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink)
    throw refused(
      `a page of another site sends it (sec-fetch-site: ${site}); PROFCLAW_CORS_ORIGINS lets it call with fetch`,
    );
}

function refused(why: string): AppError {
  return new AppError('forbidden', `Refused: ${why}`);
}

function isLoopbackName(host: string): boolean {
  const name = withoutPort(host);
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}

function isBareAddress(host: string): boolean {
  const name = withoutPort(host);
  return isIPv4(name) || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6);
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}

function isOfHost(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
