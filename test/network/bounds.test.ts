import type { Socket } from 'node:net';
import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Bounds, guardedFetch } from '../../src/network/guarded-fetch.ts';
import { ANY, rawSite, type Site, site, sockets, tryFetch } from './rig.ts';

const MIB = 1024 * 1024;

/** Nothing of a call is left: its sockets are gone, as the other side sees. */
async function expectGone(own: Site): Promise<void> {
  await expect.poll(() => own.open.size).toBe(0);
}

/** A body that never ends, of this piece. */
function endless(piece: Buffer, headers: Record<string, string> = {}): Promise<Site> {
  return site((_, response) => {
    response.writeHead(200, headers);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });
}

describe('a body', () => {
  it('that never ends is broken off', async () => {
    const own = await endless(Buffer.alloc(MIB, 'x'));
    expect(await tryFetch({ ...ANY, bounds: { maxBytes: 3 * MIB } }, own.origin)).toBe(
      `too_large: 127.0.0.1:${own.port} sent more than ${3 * MIB} bytes`,
    );
    await expectGone(own);
  });

  it.each<[string, () => Transform]>([
    ['gzip', () => createGzip({ level: 1 })],
    ['br', () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', () => createZstdCompress()],
  ])('that %s has made small, and that never ends, is bounded by what comes out of it', async (coding, compressor) => {
    const own = await site((_, response) => {
      response.writeHead(200, { 'content-encoding': coding });
      const packer = compressor();
      packer.on('error', () => undefined);
      response.on('close', () => packer.destroy());
      packer.pipe(response);
      const piece = Buffer.alloc(MIB);
      const more = (): void => {
        while (!packer.destroyed && packer.write(piece));
      };
      packer.on('drain', more);
      more();
    });
    expect(await tryFetch({ ...ANY, bounds: { maxBytes: 4 * MIB } }, own.origin)).toBe(
      `too_large: 127.0.0.1:${own.port} sent more than ${4 * MIB} bytes`,
    );
    await expectGone(own);
  });

  it('may not be compressed many times over', async () => {
    const own = await site((_, response) => {
      response.writeHead(200, { 'content-encoding': Array(9).fill('gzip').join(', ') });
      response.end('x');
    });
    expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_protocol: .* cannot be decompressed/);
    await expectGone(own);
  });

  it('that is not compressed as it says is an error', async () => {
    const own = await site((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('certainly not gzip');
    });
    expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_protocol: .* cannot be decompressed/);
    await expectGone(own);
  });

  it('streams as it comes, and no faster than it is read', async () => {
    const own = await endless(Buffer.alloc(MIB, 'x'));
    const response = await guardedFetch({ ...ANY, bounds: { maxBytes: 1024 * MIB } })(own.origin);
    const reader = response.body!.getReader();
    expect((await reader.read()).value!.length).toBeGreaterThan(0);
    const { bytesRead } = await settled(() => bytesOf(own));
    expect(bytesRead).toBeLessThan(32 * MIB);
    await reader.cancel();
    await expectGone(own);
  });

  it('that breaks off is an error, however much came', async () => {
    const own = await rawSite((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    });
    expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_unavailable: .* broke the connection off/);
  });
});

describe('a server that is slow', () => {
  it.each<[string, Partial<Bounds>, (socket: Socket) => void, string]>([
    ['accepts and says nothing', { headersMs: 300 }, () => undefined, 'did not begin to answer in time'],
    [
      'sends the head byte by byte',
      { headersMs: 300 },
      dribble('HTTP/1.1 200 OK\r\nx: ', 'y'),
      'did not begin to answer in time',
    ],
    [
      'falls silent in the body',
      { idleMs: 300 },
      (socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\nhalf'),
      'fell silent in the middle of its answer',
    ],
  ])('%s', async (_, bounds, answer, said) => {
    const own = await rawSite(answer);
    expect(await tryFetch({ ...ANY, bounds }, own.origin)).toBe(`provider_timeout: 127.0.0.1:${own.port} ${said}`);
    await expectGone(own);
  });

  it('and goes on for ever is ended by the limit for everything', async () => {
    const own = await rawSite(dribble('HTTP/1.1 200 OK\r\n\r\n', 'y'));
    expect(await tryFetch({ ...ANY, bounds: { totalMs: 300 } }, own.origin)).toBe(
      'provider_timeout: It was not there as a whole within 0.3 s',
    );
    await expectGone(own);
  });
});

describe('an answer that is not HTTP/1.1', () => {
  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 4\r\n\r\nabcd'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\nabcd'],
    ['a header with NUL', 'HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\nab'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nab'],
    ['a chunk without a length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n'],
    ['a line end within a header', 'HTTP/1.1 200 OK\r\nx: a\rset-cookie: b\r\ncontent-length: 2\r\n\r\nab'],
    ['a header that goes on', 'HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\ncontent-length: 2\r\n\r\nab'],
    ['another version', 'HTTP/3.0 200 OK\r\ncontent-length: 2\r\n\r\nab'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
  ])('is an error: %s', async (_, bytes) => {
    const own = await rawSite((socket) => void socket.end(bytes));
    expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_(protocol|unavailable): /);
    await expectGone(own);
  });

  it('has a status that there is', async () => {
    const own = await rawSite((socket) => void socket.end('HTTP/1.1 999 Denied\r\ncontent-length: 2\r\n\r\nab'));
    expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_protocol: .* the status 999, which HTTP does not have/);
  });

  it('has an end to its headers', async () => {
    const huge = await rawSite((socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`));
    const many = await rawSite(dribble('HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(2000)));
    for (const own of [huge, many])
      expect(await tryFetch(ANY, own.origin)).toMatch(/^provider_protocol: .* more headers than are read/);
    await expectGone(many);
    const large = await rawSite((socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}\r\n\r\nok`));
    expect(await tryFetch(ANY, large.origin)).toBe('200 ok');
  });

  it('does not get a second answer read', async () => {
    const own = await rawSite(
      (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\n\r\nsecond'),
    );
    expect(await tryFetch(ANY, own.origin)).toMatch(/^(200 first$|provider_)/);
    expect(await tryFetch(ANY, own.origin)).toMatch(/^(200 first$|provider_)/);
    expect(own.connections).toBe(2);
    await expectGone(own);
  });

  it('may begin with word of what is to come', async () => {
    const own = await rawSite(
      (socket) => void socket.end('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok'),
    );
    expect(await tryFetch(ANY, own.origin)).toBe('200 ok');
  });
});

describe('a call that is aborted', () => {
  it.each<[string, () => Promise<Site>]>([
    ['before the head', () => rawSite(() => undefined)],
    ['in the body', () => rawSite(dribble('HTTP/1.1 200 OK\r\n\r\n', 'y'))],
  ])('%s fails with the reason and leaves no socket', async (_, start) => {
    const own = await start();
    const stop = new AbortController();
    const outcome = tryFetch(ANY, own.origin, { signal: stop.signal });
    await expect.poll(() => own.open.size).toBe(1);
    stop.abort(new Error('enough'));
    expect(await outcome).toBe('Error: enough');
    await expectGone(own);
    await expect.poll(sockets).toBe(0);
  });

  it('is not begun, if it was aborted before', async () => {
    const own = await site();
    expect(await tryFetch(ANY, own.origin, { signal: AbortSignal.abort(new Error('enough')) })).toBe('Error: enough');
    expect(own.connections).toBe(0);
  });

  it('ends while a name is asked for', async () => {
    const stop = new AbortController();
    const lookup = () => {
      stop.abort(new Error('enough'));
      return new Promise<never>(() => undefined);
    };
    expect(await tryFetch({ ...ANY, lookup }, 'http://slow.test/', { signal: stop.signal })).toBe('Error: enough');
  });

  it('leaves nothing either when its body is read, empty, or not wanted', async () => {
    const own = await site((request, response) => {
      if (request.url === '/empty') response.writeHead(204);
      response.end(request.url === '/empty' ? undefined : 'x'.repeat(100_000));
    });
    expect(await tryFetch(ANY, `${own.origin}/empty`)).toBe('204 ');
    expect(await tryFetch(ANY, own.origin)).toContain('200 xxx');
    expect(await tryFetch(ANY, own.origin, { method: 'HEAD' })).toBe('200 ');
    await (await guardedFetch(ANY)(own.origin)).body?.cancel();
    await expectGone(own);
  });
});

/** Writes the beginning, and then the piece again and again, for as long as somebody listens. */
function dribble(beginning: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(beginning);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on('close', () => clearInterval(timer));
  };
}

function bytesOf(own: Site): { bytesRead: number } {
  return { bytesRead: [...own.open].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0) };
}

/** What a measure is when it has stopped growing. */
async function settled(measure: () => { bytesRead: number }): Promise<{ bytesRead: number }> {
  for (let last = -1; ; ) {
    const now = measure();
    if (now.bytesRead === last) return now;
    last = now.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
