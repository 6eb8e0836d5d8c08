import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dialAllowed } from '../../src/network/dial.ts';
import { guardedFetch } from '../../src/network/guarded-fetch.ts';
import type { Lookup } from '../../src/network/resolve.ts';
import { ANY, addresses, names, site, sockets, tryFetch } from './rig.ts';

/** Of the space for hosts, and given to nobody: nothing answers there. */
const NOBODY = '2d00::1';

const HAS_IPV6 = await hasIpv6();

describe('a name that changes', () => {
  it('between check and use makes no difference: it is asked for once, and the answer is dialled', async () => {
    const good = await site((_, response) => response.end('good'), '127.0.0.1');
    const { lookup, asked } = changing(['127.0.0.1'], ['169.254.169.254']);
    expect(await tryFetch({ ...ANY, lookup }, `http://site.test:${good.port}`)).toBe('200 good');
    expect(asked()).toBe(1);
    expect(await tryFetch({ ...ANY, lookup }, `http://site.test:${good.port}`)).toContain('forbidden: ');
    expect([asked(), good.connections]).toEqual([2, 1]);
  });

  it('to this machine after it was public does not lead here', async () => {
    const own = await site();
    const { lookup, asked } = changing([NOBODY], ['127.0.0.1']);
    const guard = { hostRule: () => 'allow' as const, lookup, bounds: { connectMs: 300 } };
    expect(await tryFetch(guard, `http://site.test:${own.port}`)).toMatch(/^provider_(unavailable|timeout): /);
    expect([asked(), own.connections]).toEqual([1, 0]);
    expect(await tryFetch(guard, `http://site.test:${own.port}`)).toContain('forbidden: ');
    expect([asked(), own.connections]).toEqual([2, 0]);
  });

  it('between two redirects is looked at again', async () => {
    const first = await site((request, response) => {
      response.writeHead(302, { location: `http://site.test:${first.port}${request.url}x` });
      response.end();
    });
    const { lookup, asked } = changing(['127.0.0.1'], ['127.0.0.1'], ['169.254.169.254']);
    expect(await tryFetch({ ...ANY, lookup }, `http://site.test:${first.port}/`)).toContain('forbidden: ');
    expect([asked(), first.requests.map(({ url }) => url)]).toEqual([3, ['/', '/x']]);
  });

  it('is told by a real name server as by any other', async () => {
    const own = await site();
    const server = await nameServer(['10.255.255.1', '127.0.0.1']);
    const guard = { hostRule: () => 'allow' as const, lookup: server.lookup };
    expect(await tryFetch(guard, `http://rebind.test:${own.port}`)).toContain('forbidden: ');
    expect(server.queries()).toBe(1);
    expect(await tryFetch({ ...guard, hostRule: () => 'exact' }, `http://rebind.test:${own.port}`)).toBe('200 secret');
    expect([server.queries(), own.connections]).toEqual([2, 1]);
  });
});

describe('a connection', () => {
  it('is for one request, so that the next one is looked at too', async () => {
    const own = await site();
    const { lookup } = changing(['127.0.0.1'], ['127.0.0.1'], ['10.0.0.1']);
    let rule: 'exact' | 'deny' = 'exact';
    const fetch = guardedFetch({ hostRule: () => rule, lookup });
    for (const expected of [1, 2]) {
      expect(await (await fetch(`http://site.test:${own.port}`)).text()).toBe('secret');
      expect(own.connections).toBe(expected);
    }
    rule = 'deny';
    await expect(fetch(`http://site.test:${own.port}`)).rejects.toThrow('The rules do not let this call reach');
    expect(own.connections).toBe(2);
  });

  it('goes to the next address where one does not answer', async () => {
    const own = await site(undefined, '127.0.0.2');
    const lookup = names({ 'two.test': ['127.0.0.3', '127.0.0.2'] });
    expect(await tryFetch({ ...ANY, lookup }, `http://two.test:${own.port}`)).toBe('200 secret');
  });

  it.skipIf(!HAS_IPV6)('is made over IPv6 alone', async () => {
    const own = await site(undefined, '::1');
    expect(await tryFetch({ ...ANY, lookup: names({ 'six.test': '::1' }) }, `http://six.test:${own.port}`)).toBe(
      '200 secret',
    );
    const asked: string[] = [];
    const hostRule = (host: string) => {
      asked.push(host);
      return 'exact' as const;
    };
    expect(await tryFetch({ hostRule }, own.origin)).toBe('200 secret');
    expect(asked).toEqual(['[::1]']);
    expect(own.requests.map(({ headers }) => headers.host)).toEqual([`six.test:${own.port}`, `[::1]:${own.port}`]);
  });
});

describe('dialAllowed', () => {
  it('gives a socket that is connected', async () => {
    const own = await site();
    const socket = await dialAllowed('127.0.0.1', own.port, { isExact: true, signal: new AbortController().signal });
    expect([socket.remoteAddress, socket.remotePort, socket.listenerCount('error')]).toEqual([
      '127.0.0.1',
      own.port,
      0,
    ]);
    socket.destroy();
    await expect(
      dialAllowed('127.0.0.1', own.port, { isExact: false, signal: new AbortController().signal }),
    ).rejects.toThrow('on this machine');
    expect(own.connections).toBe(1);
  });

  it('leaves the socket to its caller, whatever becomes of the signal', async () => {
    const own = await site();
    const stop = new AbortController();
    const socket = await dialAllowed('127.0.0.1', own.port, { isExact: true, signal: stop.signal });
    stop.abort();
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  it('ends with its signal, also while a name is asked for', async () => {
    const stop = new AbortController();
    const lookup: Lookup = () => new Promise(() => undefined);
    const dialling = dialAllowed('slow.test', 80, { isExact: true, signal: stop.signal, lookup });
    stop.abort(new Error('enough'));
    await expect(dialling).rejects.toThrow('enough');
    await expect(dialAllowed('slow.test', 80, { isExact: true, signal: stop.signal, lookup })).rejects.toThrow(
      'enough',
    );
  });

  it('ends with its signal, whenever that is', async () => {
    const own = await site();
    for (const turns of [0, 1, 3, 10, 30]) {
      const stop = new AbortController();
      const dialling = dialAllowed('127.0.0.1', own.port, { isExact: true, signal: stop.signal });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      stop.abort(new Error('enough'));
      await expect(dialling).rejects.toThrow('enough');
      await expect.poll(sockets).toBe(0);
    }
    const stop = new AbortController();
    const lookup: Lookup = () => {
      stop.abort(new Error('enough'));
      return new Promise(() => undefined);
    };
    await expect(dialAllowed('slow.test', 80, { isExact: true, signal: stop.signal, lookup })).rejects.toThrow(
      'enough',
    );
  });

  it('has a limit, also while a name is asked for', async () => {
    const signal = new AbortController().signal;
    const lookup: Lookup = () => new Promise(() => undefined);
    await expect(dialAllowed('slow.test', 80, { isExact: true, signal, lookup, timeoutMs: 50 })).rejects.toThrow(
      '"slow.test:80" could not be reached within 0.05 s',
    );
  });

  it('says that nobody listens', async () => {
    const own = await site();
    const signal = new AbortController().signal;
    await expect(dialAllowed('127.0.0.9', own.port, { isExact: true, signal })).rejects.toThrow(
      `"127.0.0.9:${own.port}" could not be reached (ECONNREFUSED)`,
    );
  });
});

/** Says one thing after the other, the last for ever. */
function changing(...answers: string[][]): { lookup: Lookup; asked: () => number } {
  let count = 0;
  const lookup: Lookup = () => Promise.resolve(addresses(answers[Math.min(count++, answers.length - 1)] ?? []));
  return { lookup, asked: () => count };
}

/** A DNS server that answers each question with the next of these addresses, valid for no time at all. */
async function nameServer(answers: readonly string[]): Promise<{ lookup: Lookup; queries: () => number }> {
  const server = createSocket('udp4');
  let queries = 0;
  server.on('message', (query, { port, address }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const given = answers[Math.min(queries++, answers.length - 1)] ?? '';
    const header = Buffer.concat([query.subarray(0, 2), Buffer.from('81800001000100000000', 'hex')]);
    const answer = Buffer.concat([
      Buffer.from('c00c00010001000000000004', 'hex'),
      Buffer.from(given.split('.').map(Number)),
    ]);
    server.send(Buffer.concat([header, question, answer]), port, address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  return { lookup: async (host) => addresses(await resolver.resolve4(host)), queries: () => queries };
}

async function hasIpv6(): Promise<boolean> {
  const server = createSocket('udp6');
  return await new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.bind(0, '::1', () => server.close(() => resolve(true)));
  });
}
