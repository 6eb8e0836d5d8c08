import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { HEARTBEAT, QUIET_MS } from '../../src/http/event-stream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const chunk = (text: string): string => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;

/** A provider that begins an answer and goes on when it is told. */
let answer = Promise.withResolvers<ServerResponse>();
const vendor = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk('Well'));
    answer.resolve(response);
  });
});

let server: TestServer;
/** What the client's connection brought, and who waits for more of it. */
let received = '';
let onNews = (): void => {};
let client: OpenAI;

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const { port } = vendor.address() as AddressInfo;
  server = await startTestServer({ OPENAI_API_KEY: 'key-of-it', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` });
  const { body } = await server.call('/api/keys', { name: 'test', scopes: ['chat'] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: body.secret, maxRetries: 0, fetch: listening });
});

afterEach(() => {
  vi.useRealTimers();
  received = '';
  answer = Promise.withResolvers();
});

afterAll(async () => {
  await server.stop();
  vendor.closeAllConnections();
  vendor.close();
});

/** As fetch, noting what comes. */
async function listening(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const decoder = new TextDecoder();
  const noting = new TransformStream<Uint8Array, Uint8Array>({
    transform: (bytes, controller) => {
      received += decoder.decode(bytes, { stream: true });
      onNews();
      controller.enqueue(bytes);
    },
  });
  return new Response(response.body?.pipeThrough(noting), { status: response.status, headers: response.headers });
}

function heartbeats(): number {
  return received.split(HEARTBEAT).length - 1;
}

/** A stream of the model that thinks long. */
function ask() {
  const messages = [{ role: 'user' as const, content: 'Think long' }];
  return client.chat.completions.create({ model: 'openai/gpt-4o-mini', messages, stream: true });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      onNews = resolve;
    });
  }
}

it('a chat completion that is quiet for a while is kept open by comments, which its client passes over', async () => {
  // Of the server, only what looks after quiet streams is on this clock.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const idle = vi.getTimerCount();
  const stream = await ask();
  let said = '';
  const read = (async () => {
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
  })();
  const provider = await answer.promise;
  await until(() => received.includes('Well'));
  await vi.advanceTimersByTimeAsync(QUIET_MS);
  await until(() => heartbeats() === 1);
  await vi.advanceTimersByTimeAsync(QUIET_MS);
  await until(() => heartbeats() === 2);
  // What has just said something is not quiet.
  await vi.advanceTimersByTimeAsync(QUIET_MS / 2);
  provider.write(chunk(', then'));
  await until(() => received.includes(', then'));
  await vi.advanceTimersByTimeAsync(QUIET_MS / 2);
  provider.end(`${chunk('.')}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`);
  await read;
  expect(said).toBe('Well, then.');
  expect(heartbeats()).toBe(2);
  expect(received.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(vi.getTimerCount(), 'nothing beats on').toBe(idle);
});

it('one whose caller has left beats no more', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const idle = vi.getTimerCount();
  const stream = await ask();
  const provider = await answer.promise;
  const left = new Promise<void>((resolve) => provider.on('close', () => resolve()));
  for await (const _ of stream) break;
  await left;
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(idle));
});
