import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { AppError } from '../errors.ts';

/** What proxies and tunnels add: then the loopback socket is theirs, and the caller could be anybody. */
const FORWARDING = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;

/**
 * Local mode: only programs and browsers of this machine are admitted, and they act as the owner. The socket must be
 * a loopback one, nobody may have forwarded the request, `Host` must be a loopback name (or a public one that was
 * set), and `Origin`, where there is one, the same: another site's page, or a name that was rebound to 127.0.0.1,
 * gets nothing.
 * @param publicHosts further allowed `Host` values, with port.
 * @throws AppError `unauthenticated` or `forbidden`.
 */
export function admitLocal(request: IncomingMessage, publicHosts: readonly string[]): void {
  const forwarded = Object.keys(request.headers).some((name) => FORWARDING.test(name));
  if (!isLoopback(request.socket.remoteAddress) || forwarded)
    throw new AppError('unauthenticated', 'Authentication required');
  const host = request.headers.host ?? '';
  if (!isAllowedHost(host, publicHosts))
    throw forbidden(`the host ${JSON.stringify(host)} is not one of this server's names`);
  const { origin } = request.headers;
  if (origin !== undefined && !isSameOrigin(origin, host))
    throw forbidden(`the origin ${JSON.stringify(origin)} is another site`);
  const site = request.headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') throw forbidden('it comes from another site');
}

function forbidden(why: string): AppError {
  return new AppError('forbidden', `Refused: ${why}`);
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

function isAllowedHost(host: string, publicHosts: readonly string[]): boolean {
  const lower = host.toLowerCase();
  const name = lower.replace(/:\d+$/, '');
  const isLoopbackName = name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
  return isLoopbackName || publicHosts.includes(lower);
}

function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
