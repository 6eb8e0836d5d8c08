import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Headers that proxies and tunnels add: with one of them, the socket is theirs, and the caller could be anybody. */
const FORWARDING =
  /^(forwarded|forwarded-for|via|x-forwarded(-.*)?|x-original-.*|x-real-ip|(x-|x-cluster-|true-|fastly-|fly-)?client-ip|cf-.*|cdn-loop|x-remote-(ip|addr)|x-originating-ip|x-envoy-.*|tailscale-.*)$/;

/** Tells where a request comes from. Forwarding headers count only from proxies that are trusted: anybody can write them. */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #trustsAny: boolean;

  /** @param trusted addresses, and networks such as `10.0.0.0/8`. */
  constructor(trusted: readonly string[]) {
    this.#trustsAny = trusted.length > 0;
    for (const entry of trusted) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /**
   * The address of whoever calls: the socket's, or if that is a trusted proxy's, the last one in `X-Forwarded-For` that
   * is not. What stands before it may be made up.
   */
  of(request: IncomingMessage): string {
    let address = plain(request.socket.remoteAddress ?? '');
    if (!this.#trustsAny) return address;
    const header = request.headers['x-forwarded-for'];
    const forwarded = (Array.isArray(header) ? header.join() : (header ?? '')).split(',');
    while (this.#isTrusted(address)) {
      const before = plain((forwarded.pop() ?? '').trim());
      if (isIP(before) === 0) break;
      address = before;
    }
    return address;
  }

  /** Did the caller speak https, as far as a trusted proxy tells? */
  isHttps(request: IncomingMessage): boolean {
    if (!this.#trustsAny) return false;
    const proto = request.headers['x-forwarded-proto'];
    return this.#isTrusted(plain(request.socket.remoteAddress ?? '')) && proto === 'https';
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * Is it a program or browser of this machine, with nobody in between, as far as can be seen? HTTP/1.0 counts as somebody:
 * hardly a program of today speaks it, but nginx before 1.29.7 does as it comes, and says nothing of whom it forwards.
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version
 */
export function isOfThisMachine(request: IncomingMessage): boolean {
  if (request.httpVersion === '1.0') return false;
  const address = plain(request.socket.remoteAddress ?? '');
  const isLoopback = address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
  return isLoopback && !Object.keys(request.headers).some((name) => FORWARDING.test(name));
}

/** An IPv4 address as it is written, also of a socket that listens on IPv6. */
function plain(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
