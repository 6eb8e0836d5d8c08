import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, method, parseRaw, raw, says } from './helpers.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const HEAD = 'Host: localhost\r\nConnection: close\r\n';

describe('routes that do not exist', () => {
  it.each([
    ['GET', '/api/nothing', /GET \/docs/],
    ['GET', '/assets/nothing.js', undefined],
    ['GET', '/assets/..%2F..%2Fmain.js', undefined],
    ['POST', '/', /it takes GET/],
    ['GET', '/api/tasks/', undefined],
    ['GET', '/API/tasks', undefined],
    ['POST', '/health', /it takes GET/],
    ['PUT', '/api/tasks', /it takes GET, POST/],
    ['DELETE', '/api/tasks', /it takes GET, POST/],
    ['POST', '/api/tasks/x', /it takes GET, PATCH, DELETE/],
    ['OPTIONS', '/api/tasks', /it takes GET, POST/],
    ['PATCH', '/api/chat/completions', /it takes POST/],
    ['GET', '/api/chat/conversations/../../secret', undefined],
  ])('%s %s is 404 as JSON', async (name, path, words) => {
    expectError(await server.call(path, undefined, method(name)), 404, 'not_found', words);
  });

  it('OPTIONS never opens the door to another site', async () => {
    const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
    const answer = await server.call('/api/tasks', undefined, { method: 'OPTIONS', headers });
    expectError(answer, 404, 'not_found');
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('request ids', () => {
  const idOf = async (given: string) =>
    (await server.call('/health', undefined, { headers: { 'x-request-id': given } })).headers.get('x-request-id');

  it.each(['abc', 'A-1_b.c:d', '0190f1d2-7b3c-7e61-a5f0-1e2d3c4b5a69', 'x'.repeat(128)])('%s is kept', async (id) => {
    expect(await idOf(id)).toBe(id);
  });

  it.each(['', ' ', 'a b', 'x'.repeat(129), '<script>', 'a"b', 'a,b', 'é'])('%j is replaced', async (id) => {
    expect(await idOf(id)).toMatch(/^req_[0-9a-z]{24}$/);
  });

  it('differ, and stand in errors too', async () => {
    const [a, b] = [await server.call('/health'), await server.call('/health')];
    expect(a.headers.get('x-request-id')).not.toBe(b.headers.get('x-request-id'));
    const error = await server.call('/nothing', undefined, { headers: { 'x-request-id': 'mine' } });
    expect(error.body.requestId).toBe('mine');
  });
});

describe('security headers', () => {
  it.each([
    ['GET', '/health', 200],
    ['GET', '/api/openapi.json', 200],
    ['GET', '/docs', 200],
    ['GET', '/api/tasks', 200],
    ['GET', '/nothing', 404],
    ['POST', '/api/tasks', 400],
  ])('%s %s', async (name, path, status) => {
    const response = await fetch(server.url + path, { method: name });
    expect(response.status).toBe(status);
    await response.text();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      'cache-control': expect.stringMatching(/no-store/),
      'x-request-id': expect.stringMatching(/^req_/),
    });
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('server')).toBeNull();
  });

  it('stand on a stream too', async () => {
    const body = JSON.stringify(says('Hi', { model: 'demo', stream: true }));
    const response = await fetch(`${server.url}/api/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    await response.text();
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  });
});

describe('the server’s own routes', () => {
  it('/health says that it lives, and nothing else', async () => {
    expect(await server.call('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(Object.keys((await server.call('/health')).body)).toEqual(['status']);
  });

  it('/ready says that it can work', async () => {
    expect(await server.call('/ready')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('/docs is a page that may run its own script and load nothing from elsewhere', async () => {
    const response = await fetch(`${server.url}/docs`);
    const html = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8/);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ] as const) {
      const code = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
      const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code))).toString(
        'base64',
      );
      expect(policy).toContain(`${directive} 'sha256-${digest}'`);
    }
  });

  it('HEAD answers as GET without a body', async () => {
    for (const path of ['/health', '/docs', '/api/tasks', '/nothing']) {
      const [head, get] = [await fetch(server.url + path, { method: 'HEAD' }), await fetch(server.url + path)];
      expect(await head.text()).toBe('');
      await get.text();
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    }
  });
});

describe('what is hardly HTTP', () => {
  it.each([
    ['a host with a space', 'GET /api/tasks HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 403, 'forbidden'],
    ['a host with a name', 'GET /api/tasks HTTP/1.1\r\nHost: foo@bar\r\nConnection: close\r\n\r\n', 403, 'forbidden'],
    ['a backslash', `GET /\\evil HTTP/1.1\r\n${HEAD}\r\n`, 404, 'not_found'],
    ['a bad escape', `GET /api/tasks/%E0%A4%A HTTP/1.1\r\n${HEAD}\r\n`, 404, 'not_found'],
    ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`, 400, 'invalid_request'],
    ['another scheme', `GET ftp://127.0.0.1/health HTTP/1.1\r\n${HEAD}\r\n`, 400, 'invalid_request'],
  ])('%s is refused in the envelope', async (_, text, refusal, code) => {
    const { status, headers, body } = parseRaw(await raw(server, text));
    const json = body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1);
    expectError({ status, headers, body: JSON.parse(json) }, refusal, code);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['nonsense', 'NONSENSE\r\n\r\n', 400],
    ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two lengths', `POST /api/tasks HTTP/1.1\r\n${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
    [
      'length and chunks',
      `POST /api/tasks HTTP/1.1\r\n${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a header of 20 kB', `GET /health HTTP/1.1\r\n${HEAD}x: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['TRACE', `TRACE /health HTTP/1.1\r\n${HEAD}\r\n`, 404],
  ])('%s is refused', async (_, text, status) => {
    expect(parseRaw(await raw(server, text)).status).toBe(status);
    expect((await server.call('/health')).status).toBe(200);
  });
});
