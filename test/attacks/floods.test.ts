import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { exchange, parse, send, type WireAnswer } from './wire.ts';

// Requests that do not end, or are too large: they are refused in the usual form, and everybody else is served.

/** The options that the server is made with. */
const { given } = vi.hoisted(() => ({ given: [] as object[] }));

/** The clocks of slow requests are Node's own: a minute for the headers, looked at twice a minute. Here they go faster. */
const FAST = { headersTimeout: 400, requestTimeout: 1500, connectionsCheckingInterval: 100 };

vi.mock('node:http', async (original) => {
  const http = await original<typeof import('node:http')>();
  const createServer = (options: object, listener: never) => {
    given.push(options);
    return http.createServer({ ...options, ...FAST }, listener);
  };
  return { ...http, createServer };
});

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ PROFCLAW_BODY_LIMIT: '100000' });
});
afterAll(() => server.stop());

/** Everybody else is served. */
async function expectAlive(): Promise<void> {
  expect((await server.call('/health')).status).toBe(200);
  expect((await server.call('/api/tasks')).status).toBe(200);
}

const HOST = 'host: localhost\r\n';

/** Sends the beginning, and then a piece over and over until the server has had enough of it, or `most` have gone out. */
async function endless(beginning: string, piece: string, most = 5000): Promise<WireAnswer & { sent: number }> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let out = '';
  let sent = 0;
  let isOver = false;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isOver = true;
      resolve();
    });
  });
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (chunk) => {
    out += chunk;
  });
  socket.write(beginning);
  for (; sent < most && !isOver && out === ''; sent++) await written(socket, piece);
  // What goes on although there is an answer.
  for (let i = 0; i < 50 && !isOver; i++) await written(socket, piece);
  await closed;
  return { ...parse(out), sent };
}

function written(socket: Socket, piece: string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('close', done);
      resolve();
    };
    socket.once('close', done);
    socket.write(piece, () => setImmediate(done));
  });
}

describe('headers', () => {
  const small = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: ${i}\r\n`).join('');

  it.each([
    ['one of 20 kB', `x: ${'a'.repeat(20_000)}\r\n`],
    ['a name of 20 kB', `${'a'.repeat(20_000)}: x\r\n`],
    ['2,000 small ones', small(2000)],
    ['20,000 small ones', small(20_000)],
    ['2,500 of the smallest', 'a:\r\n'.repeat(2500)],
    ['a cookie of 20 kB', `cookie: profclaw_session=${'a'.repeat(20_000)}\r\n`],
    ['a bearer of 20 kB', `authorization: Bearer profclaw_${'a'.repeat(20_000)}\r\n`],
  ])('%s are 431', async (_, lines) => {
    for (const target of ['GET /api/tasks', 'GET /health', 'POST /api/auth/login']) {
      const answer = parse(await exchange(server.url, `${target} HTTP/1.1\r\n${HOST}${lines}\r\n`));
      expectError(answer, 431, 'headers_too_large');
      expect(answer.headers.get('connection')).toBe('close');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    await expectAlive();
  });

  it('so many that some are left out do not make a forwarded request one of this machine', async () => {
    for (const count of [900, 990, 1000, 1010, 1100, 1500, 1990, 2000, 2010, 2100, 3000]) {
      const lines = `connection: close\r\n${'a:\r\n'.repeat(count)}x-forwarded-for: 192.0.2.1\r\n`;
      const { status } = parse(await exchange(server.url, `GET /api/tasks HTTP/1.1\r\n${HOST}${lines}\r\n`));
      expect([401, 431]).toContain(status);
    }
  });

  it('a line without an end is 431', async () => {
    for (const beginning of [`GET /api/tasks HTTP/1.1\r\n${HOST}x: `, `GET /api/tasks HTTP/1.1\r\n${HOST}`]) {
      const answer = await endless(beginning, 'a'.repeat(1000));
      expectError(answer, 431, 'headers_too_large');
      expect(answer.sent).toBeLessThan(1000);
    }
    await expectAlive();
  });

  it('headers without an end are 431', async () => {
    const answer = await endless(`GET /api/tasks HTTP/1.1\r\n${HOST}`, 'x: a\r\n');
    expectError(answer, 431, 'headers_too_large');
    await expectAlive();
  });

  it('a target without an end is refused', async () => {
    const answer = await endless('GET /', 'a'.repeat(1000));
    expectError(answer, 431, 'headers_too_large');
    await expectAlive();
  });

  it.each([
    ['a folded line', `x: a\r\n folded: b\r\n`],
    ['a line without a colon', 'nonsense\r\n'],
    ['a space before the colon', 'content-length : 5\r\n'],
    ['a NUL', 'x: a\0b\r\n'],
    ['a bare CR', 'x: a\rb: c\r\n'],
    ['an empty name', ': x\r\n'],
    ['two lengths', 'content-length: 1\r\ncontent-length: 2\r\n'],
    ['a length that is none', 'content-length: +5\r\n'],
    ['a length below zero', 'content-length: -5\r\n'],
    ['a length in two parts', 'content-length: 5, 5\r\n'],
    ['a length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked\r\n'],
    ['an encoding that is none', 'transfer-encoding: chunked, identity\r\n'],
  ])('%s is 400', async (_, lines) => {
    const answer = parse(await exchange(server.url, `POST /api/tasks HTTP/1.1\r\n${HOST}${lines}\r\nhello`));
    expectError(answer, 400, 'invalid_request');
    await expectAlive();
  });
});

describe('bodies', () => {
  const JSON_TYPE = 'content-type: application/json\r\n';

  it('one that says it is too long is 413 before it comes', async () => {
    const answer = await endless(
      `POST /api/tasks HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: 99999999999\r\n\r\n`,
      '',
    );
    expectError(answer, 413, 'too_large');
    await expectAlive();
  });

  it('one without an end is 413, and the connection ends', async () => {
    const chunk = `${(1000).toString(16)}\r\n${'a'.repeat(1000)}\r\n`;
    const answer = await endless(
      `POST /api/tasks HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n`,
      chunk,
    );
    expectError(answer, 413, 'too_large');
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.sent).toBeGreaterThanOrEqual(100);
    expect(answer.sent).toBeLessThan(5000);
    await expectAlive();
  });

  it('a chunk that says it is endless is refused', async () => {
    for (const size of ['ffffffffffffffff', 'fffffffffffffffff', '-1', 'x']) {
      const text = `POST /api/tasks HTTP/1.1\r\n${HOST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\n${size}\r\n`;
      const answer = await endless(text, 'a'.repeat(1000));
      expect([400, 413]).toContain(answer.status);
      expectError(answer, answer.status, answer.status === 400 ? 'invalid_request' : 'too_large');
    }
    await expectAlive();
  });

  it('a stranger’s is not waited for', async () => {
    const lines = `${HOST}${JSON_TYPE}x-forwarded-for: 192.0.2.1\r\ntransfer-encoding: chunked\r\n\r\n`;
    const chunk = `${(1000).toString(16)}\r\n${'a'.repeat(1000)}\r\n`;
    const answer = await endless(`POST /api/tasks HTTP/1.1\r\n${lines}`, chunk, 1);
    expectError(answer, 401, 'unauthenticated');
    await expectAlive();
  });

  it('one that stops half-way does not stay', async () => {
    const body = `POST /api/tasks HTTP/1.1\r\n${HOST}${JSON_TYPE}content-length: 1000\r\n\r\n{"title":`;
    const answer = parse(await exchange(server.url, body));
    expectError(answer, 408, 'request_timeout');
    await expectAlive();
  });

  it.each([
    ['deep', '['.repeat(49_000) + ']'.repeat(49_000)],
    ['wide', `{${Array.from({ length: 8000 }, (_, i) => `"k${i}":0`).join()}}`],
    ['of one name', `{${Array.from({ length: 8000 }, () => '"title":0').join()}}`],
    ['about its prototype', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'],
  ])('JSON that is %s is 400', async (_, body) => {
    const answer = await send(server.url, 'POST /api/tasks', [['content-type', 'application/json']], body);
    expect(answer.status).toBe(400);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    await expectAlive();
  });
});

describe('slow ones', () => {
  it('headers that do not come to an end in time are 408', async () => {
    const answer = parse(await exchange(server.url, `GET /api/tasks HTTP/1.1\r\n${HOST}`));
    expectError(answer, 408, 'request_timeout');
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('many at once keep nobody else from being served', async () => {
    const slow = Array.from({ length: 300 }, (_, i) => {
      const half = i % 2 === 0 ? '' : `GET /api/tasks HTTP/1.1\r\n${HOST}x: `;
      return exchange(server.url, half);
    });
    for (let i = 0; i < 20; i++) await expectAlive();
    for (const answer of await Promise.allSettled(slow)) {
      // A connection that has said nothing may be closed without a word.
      const text = answer.status === 'fulfilled' ? answer.value : '';
      if (text !== '') expectError(parse(text), 408, 'request_timeout');
    }
    await expectAlive();
  });

  it('have Node’s own clocks in the real server', async () => {
    const { createServer } = await vi.importActual<typeof import('node:http')>('node:http');
    const { headersTimeout, requestTimeout } = createServer(given[0] ?? {});
    expect([headersTimeout, requestTimeout]).toEqual([60_000, 300_000]);
  });
});
