import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, parseRaw, raw } from './helpers.ts';

let server: TestServer;
let port: string;

beforeAll(async () => {
  server = await startTestServer({ PROFCLAW_PUBLIC_URL: 'https://chat.example.com' });
  port = new URL(server.url).port;
});
afterAll(() => server.stop());

/** A request with exactly these headers. */
async function ask(headers: Record<string, string>, target = 'GET /api/tasks') {
  const lines = Object.entries({ connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = parseRaw(await raw(server, `${target} HTTP/1.1\r\n${lines.join('')}\r\n`));
  return { ...answer, body: JSON.parse(answer.body) };
}

const PORT = '{port}';
const filled = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replaceAll(PORT, port)]));

describe('admitted', () => {
  it.each<[Record<string, string>]>([
    [{ host: `127.0.0.1:${PORT}` }],
    [{ host: `localhost:${PORT}` }],
    [{ host: 'localhost' }],
    [{ host: 'LOCALHOST' }],
    [{ host: `[::1]:${PORT}` }],
    [{ host: '127.1.2.3' }],
    [{ host: 'chat.example.com' }],
    [{ host: 'Chat.Example.Com' }],
    [{ host: `localhost:${PORT}`, origin: `http://localhost:${PORT}` }],
    [{ host: `127.0.0.1:${PORT}`, origin: `http://127.0.0.1:${PORT}` }],
    [{ host: 'chat.example.com', origin: 'https://chat.example.com' }],
    [{ host: 'localhost', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    [{ host: 'localhost', 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
  ])('%o', async (headers) => {
    expect((await ask(filled(headers))).status).toBe(200);
  });
});

describe('not this server’s name, or another site', () => {
  it.each<[Record<string, string>]>([
    [{ host: 'evil.example' }],
    [{ host: `evil.example:${PORT}` }],
    [{ host: 'localhost.evil.example' }],
    [{ host: '127.0.0.1.evil.example' }],
    [{ host: 'localhost.' }],
    [{ host: 'sub.chat.example.com' }],
    [{ host: 'chat.example.com:8443' }],
    [{ host: '0.0.0.0' }],
    [{ host: '192.168.1.5' }],
    [{ host: '[::2]' }],
    [{ host: `localhost:${PORT}`, origin: 'http://evil.example' }],
    [{ host: `localhost:${PORT}`, origin: 'null' }],
    [{ host: `localhost:${PORT}`, origin: '' }],
    [{ host: `localhost:${PORT}`, origin: 'file://' }],
    [{ host: `localhost:${PORT}`, origin: 'http://localhost:1' }],
    [{ host: `localhost:${PORT}`, origin: `http://127.0.0.1:${PORT}` }],
    [{ host: `localhost:${PORT}`, origin: `http://localhost:${PORT}.evil.example` }],
    [{ host: `localhost:${PORT}`, origin: 'chrome-extension://abc' }],
    [{ host: `localhost:${PORT}`, 'sec-fetch-site': 'cross-site' }],
    [{ host: `localhost:${PORT}`, 'sec-fetch-site': 'same-site' }],
  ])('%o is 403', async (headers) => expectError(await ask(filled(headers)), 403, 'forbidden'));
});

describe('forwarded by somebody', () => {
  it.each([
    ['forwarded', 'for=1.2.3.4'],
    ['x-forwarded-for', '1.2.3.4'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-for', ''],
    ['X-Forwarded-Host', 'localhost'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-port', '443'],
    ['x-forwarded-server', 'proxy'],
    ['x-real-ip', '127.0.0.1'],
    ['x-client-ip', '1.2.3.4'],
    ['true-client-ip', '1.2.3.4'],
    ['cf-connecting-ip', '1.2.3.4'],
    ['via', '1.1 proxy'],
  ])('%s: %s is 401', async (name, value) => {
    expectError(await ask({ host: 'localhost', [name]: value }), 401, 'unauthenticated', /^Authentication required$/);
  });
});

it.each(['GET /api/tasks', 'GET /api/chat/providers', 'GET /docs', 'GET /api/openapi.json', 'POST /api/chat/quick'])(
  '%s lets no stranger in',
  async (target) => expectError(await ask({ host: 'evil.example', 'content-length': '0' }, target), 403, 'forbidden'),
);

it.each(['GET /health', 'GET /ready'])('%s answers anybody', async (target) => {
  const headers = { host: 'evil.example', 'x-forwarded-for': '1.2.3.4', origin: 'http://evil.example' };
  expect((await ask(headers, target)).status).toBe(200);
});

it('refuses before it reads the body', async () => {
  const headers = { host: 'evil.example', 'content-type': 'application/json', 'content-length': '99999999999' };
  expectError(await ask(headers, 'POST /api/tasks'), 403, 'forbidden');
});
