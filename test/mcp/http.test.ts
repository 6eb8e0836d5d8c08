import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../free-port.ts';
import type { Json } from '../server.ts';
import { httpServer } from './http-server.ts';
import { callOf, serverOf, testLog } from './rig.ts';

const AUTHORIZATION = 'Bearer the-key-of-the-test';

it.for(['json', 'sse', 'stream'])('tools are listed and called over HTTP: %s', async (behaviour) => {
  const http = await httpServer(behaviour);
  const server = await serverOf({ url: http.url, headers: { authorization: AUTHORIZATION } });
  expect(server.state).toMatchObject({ state: 'connected', message: '', server: { name: 'http' } });
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
  // Every request has the credentials, and the session that the first one got.
  for (const { headers } of http.met) expect(headers.authorization).toBe(AUTHORIZATION);
  expect(http.met.map(({ headers }) => headers['mcp-session-id'])).toEqual([
    undefined,
    ...Array(http.met.length - 1).fill('session-1'),
  ]);
  await expect.poll(() => http.open.size).toBe(behaviour === 'stream' ? 1 : 0);
  await server.stop();
  expect(http.met.at(-1)?.method).toBe('DELETE');
  await expect.poll(() => http.open.size).toBe(0);
});

it('a session that the server has lost is made anew, and the call done once', async () => {
  const http = await httpServer();
  const server = await serverOf({ url: http.url });
  http.forget();
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
  const calls = http.met.filter(({ rpc }) => rpc === 'tools/call');
  expect(calls.map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1', 'session-2']);
  expect(http.met.filter(({ rpc }) => rpc === 'initialize')).toHaveLength(2);
});

it.for(['error', 'breaks'])('no other call is done twice: %s', async (behaviour) => {
  const http = await httpServer();
  const server = await serverOf({ url: http.url });
  http.behaviour = behaviour;
  expect((await callOf(server, 'echo')).isError).toBe(true);
  expect(http.met.filter(({ rpc }) => rpc === 'tools/call')).toHaveLength(1);
  expect(http.met.filter(({ rpc }) => rpc === 'initialize')).toHaveLength(1);
});

it.for(['json', 'sse'])('a cancelled call leaves no request open, and the server is told: %s', async (behaviour) => {
  const http = await httpServer(behaviour);
  const server = await serverOf({ url: http.url });
  const controller = new AbortController();
  const call = callOf(server, 'slow', {}, { signal: controller.signal });
  const met = (method: string): Json => http.met.find(({ rpc }) => rpc === method)?.body;
  await expect.poll(() => met('tools/call')).toBeDefined();
  controller.abort(new Error('changed my mind'));
  await expect(call).rejects.toThrow('changed my mind');
  await expect.poll(() => http.open.size).toBe(0);
  await expect.poll(() => met('notifications/cancelled')).toBeDefined();
  expect(met('notifications/cancelled').params.requestId).toBe(met('tools/call').id);
});

it('a call that never comes back has a time-out, and leaves no request open', async () => {
  const http = await httpServer('sse');
  const server = await serverOf({ url: http.url }, { timeout: 0.3 });
  expect(await callOf(server, 'slow', {})).toEqual({
    text: expect.stringMatching(/did not answer in time/),
    isError: true,
  });
  await expect.poll(() => http.open.size).toBe(0);
});

it('a redirect is followed nowhere else, and no credentials with it', async () => {
  const http = await httpServer();
  const elsewhere = await httpServer();
  const server = await serverOf({ url: http.url, headers: { authorization: AUTHORIZATION } });
  http.behaviour = elsewhere.url;
  const outcome = await callOf(server, 'echo');
  expect(outcome).toEqual({ text: expect.stringMatching(/Redirect to http:\S+ not followed/), isError: true });
  expect(elsewhere.met).toEqual([]);
});

it.for([
  ['refuses', /status 401: it wants other credentials/],
  ['breaks', /broke the connection off/],
  ['page', /Unexpected content type: text\/html/],
  ['huge', /an answer of over 10485760 bytes/],
  ['huge-event', /the answer was broken off/],
  ['breaks-off', /the answer was broken off/],
] as const)('a call fails, and says how: %s', async ([behaviour, message]) => {
  const http = await httpServer();
  const server = await serverOf({ url: http.url, headers: { authorization: AUTHORIZATION } });
  http.behaviour = behaviour;
  const outcome = await callOf(server, 'echo');
  expect(outcome).toEqual({ text: expect.stringMatching(message), isError: true });
  expect(outcome.text).not.toContain('the-key-of-the-test');
  await expect.poll(() => http.open.size).toBe(0);
  http.behaviour = 'json';
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
});

it.for(['127.0.0.1', 'localhost'])('a private address needs the operator’s word: %s', async (host) => {
  const http = await httpServer();
  const url = http.url.replace('127.0.0.1', host);
  const clocks = { retryAfter: 60_000, retryAtMost: 60_000 };
  const server = await serverOf({ url }, { isTrusted: false, clocks });
  expect(server.state.state).toBe('failed');
  expect(server.state.message).toMatch(/is refused: a server that was set over the API needs a public address/);
  expect(http.met).toEqual([]);
});

it.for(['{"hello": "world"}', '<!doctype html><p>A page', '{"jsonrpc":"2.0","id":0,"result":{}}'])(
  'what is no MCP server is said in words: %s',
  async (body) => {
    const type = body.startsWith('{') ? 'application/json' : 'text/html';
    const other = createServer((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const server = await serverOf({ url: `http://127.0.0.1:${port}/mcp` });
      expect(server.state.state).toBe('failed');
      expect(server.state.message).toMatch(/^[^[{]{1,200}$/);
    } finally {
      other.close();
      other.closeAllConnections();
    }
  },
);

it('a server that is not there is tried again until it is', async () => {
  const port = await freePort();
  const { log, lines } = testLog();
  const server = await serverOf({ url: `http://127.0.0.1:${port}/mcp` }, { log });
  expect(server.state).toMatchObject({ state: 'failed', message: expect.stringMatching(/127\.0\.0\.1/) });
  expect(server.tools).toEqual([]);
  await expect.poll(() => lines.filter((line) => line.includes('is not there')).length).toBeGreaterThan(2);
  await httpServer('json', port);
  await expect.poll(() => server.state.state).toBe('connected');
  expect(await callOf(server, 'echo')).toEqual({ text: 'echo: hello', isError: false });
});
