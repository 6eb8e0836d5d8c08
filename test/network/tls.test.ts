import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Guard } from '../../src/network/guarded-fetch.ts';
import { CERTIFICATE, CERTIFICATE_KEY } from './certificate.ts';
import { ANY, listen, names, type Site, site, tryFetch } from './rig.ts';

const lookup = names({ 'site.test': '127.0.0.1', 'other.test': '127.0.0.1', 'wrong.test': '127.0.0.1' });
const SAFE: Guard = { ...ANY, lookup, ca: CERTIFICATE };

/** Says by which name it was asked, in TLS and in HTTP. */
async function secureSite(location?: string): Promise<Site> {
  const server = createServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (request, response) => {
    const { servername, alpnProtocol } = request.socket as TLSSocket & { servername: string };
    if (location !== undefined && request.url === '/') response.writeHead(302, { location });
    response.end(`${servername} ${request.headers.host} ${request.httpVersion} ${alpnProtocol}`);
  });
  return await listen(server, '127.0.0.1');
}

describe('TLS', () => {
  it('is spoken with the name, to the address that was checked', async () => {
    const { port } = await secureSite();
    expect(await tryFetch(SAFE, `https://site.test:${port}/`)).toBe(`200 site.test site.test:${port} 1.1 http/1.1`);
  });

  it('needs a certificate that is good for the name, and known', async () => {
    const own = await secureSite();
    const bad = /^provider_unavailable: .* could not be reached safely/;
    expect(await tryFetch(SAFE, `https://wrong.test:${own.port}/`)).toMatch(bad);
    expect(await tryFetch(SAFE, `https://127.0.0.1:${own.port}/`)).toMatch(bad);
    expect(await tryFetch({ ...ANY, lookup }, `https://site.test:${own.port}/`)).toMatch(bad);
    await expect.poll(() => own.open.size).toBe(0);
  });

  it('is not spoken to a host that may not be reached', async () => {
    const own = await secureSite();
    expect(await tryFetch({ ...SAFE, hostRule: () => 'allow' }, `https://site.test:${own.port}/`)).toContain(
      'forbidden: ',
    );
    expect(own.connections).toBe(0);
  });

  it('is not left by a redirect', async () => {
    const plain = await site();
    const own = await secureSite(`http://site.test:${plain.port}/`);
    expect(await tryFetch(SAFE, `https://site.test:${own.port}/`)).toMatch(/^forbidden: .* leads from https to http/);
    expect(plain.connections).toBe(0);
    const up = await site((_, response) => {
      response.writeHead(301, { location: `https://other.test:${own.port}/x` });
      response.end();
    });
    expect(await tryFetch(SAFE, `http://site.test:${up.port}/`)).toContain('200 other.test ');
  });

  it.each([
    ['that says nothing', ''],
    ['in plain text', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ])('is not waited for from a server %s', async (_, bytes) => {
    const own = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => bytes !== '' && socket.end(bytes));
      }),
      '127.0.0.1',
    );
    const guard = { ...SAFE, bounds: { connectMs: 300 } };
    expect(await tryFetch(guard, `https://site.test:${own.port}/`)).toMatch(/^provider_(timeout|unavailable): /);
    const stop = new AbortController();
    const outcome = tryFetch(SAFE, `https://site.test:${own.port}/`, { signal: stop.signal });
    if (bytes === '') {
      await expect.poll(() => own.connections).toBe(2);
      stop.abort(new Error('enough'));
      expect(await outcome).toBe('Error: enough');
    } else expect(await outcome).toMatch(/^provider_unavailable: /);
    await expect.poll(() => own.open.size).toBe(0);
  });
});
