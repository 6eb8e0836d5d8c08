import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ClientAddresses, isOfThisMachine } from './client-address.ts';
import { requireOwnSite } from './guard.ts';

/** A request from that address; what a real socket of this machine cannot be. */
function from(remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage {
  return { headers: { host: 'localhost', ...headers }, socket: { remoteAddress } } as unknown as IncomingMessage;
}

describe('isOfThisMachine', () => {
  it.each(['127.0.0.1', '127.9.8.7', '::1', '::ffff:127.0.0.1'])('%s is', (address) => {
    expect(isOfThisMachine(from(address))).toBe(true);
  });

  it.each([undefined, '', '192.168.1.2', '12.7.0.1', '128.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '::2', '127.evil'])(
    '%s is not, whatever its Host says',
    (address) => expect(isOfThisMachine(from(address))).toBe(false),
  );
});

describe('the address of whoever calls', () => {
  const addresses = new ClientAddresses(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);

  it.each<[string, string | undefined, string]>([
    ['192.0.2.7', undefined, '192.0.2.7'],
    // Nobody else's word counts.
    ['192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    // The last one that is no proxy of ours; what stands before it may be made up.
    ['127.0.0.1', '203.0.113.9, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '203.0.113.9, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['fd12::1', '::ffff:198.51.100.1,10.1.2.3', '198.51.100.1'],
    ['127.0.0.1', '2001:db8::1', '2001:db8::1'],
    // What is no address is nobody's.
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1, evil', '127.0.0.1'],
  ])('%s with %s is %s', (socket, forwarded, expected) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    expect(addresses.of(from(socket, headers))).toBe(expected);
  });

  it('tells https only by a proxy that is trusted', () => {
    const headers = { 'x-forwarded-proto': 'https' };
    expect(addresses.isHttps(from('10.9.9.9', headers))).toBe(true);
    expect(addresses.isHttps(from('192.0.2.7', headers))).toBe(false);
    expect(addresses.isHttps(from('10.9.9.9'))).toBe(false);
  });
});

describe('requireOwnSite', () => {
  const sites = { publicHosts: ['chat.example.com'], corsOrigins: ['https://app.example.com'] };
  const check = (headers: Record<string, string>, { isPage = false, isLocked = true } = {}) =>
    requireOwnSite(from('192.0.2.7', headers), sites, { isPage, isLocked });

  it('takes a bare address only where everybody needs a credential', () => {
    for (const host of ['192.168.1.5:3000', '0.0.0.0', '[2001:db8::1]:3000']) {
      expect(() => check({ host })).not.toThrow();
      expect(() => check({ host }, { isLocked: false })).toThrow('PROFCLAW_PUBLIC_URL');
    }
    for (const host of ['evil.example', '', '192.168.1.5.evil.example', '1.2.3', '[::1', 'localhost.']) {
      expect(() => check({ host })).toThrow('PROFCLAW_PUBLIC_URL');
    }
  });

  it('lets the pages of an origin in that is named, and no other', () => {
    const cross = { host: 'chat.example.com', 'sec-fetch-site': 'cross-site' };
    expect(() => check({ ...cross, origin: 'https://app.example.com' })).not.toThrow();
    for (const origin of ['https://app.example.com.evil.example', 'http://app.example.com', 'null', ''])
      expect(() => check({ ...cross, origin })).toThrow('PROFCLAW_CORS_ORIGINS');
    expect(() => check(cross)).toThrow('another site');
  });

  it('lets other sites link to a page, and do nothing else with it', () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(() => check(link, { isPage: true })).not.toThrow();
    expect(() => check(link)).toThrow('another site');
    expect(() => check({ ...link, 'sec-fetch-dest': 'iframe' }, { isPage: true })).toThrow('another site');
    expect(() => check({ ...link, 'sec-fetch-mode': 'no-cors' }, { isPage: true })).toThrow('another site');
  });
});
