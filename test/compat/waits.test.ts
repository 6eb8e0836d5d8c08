import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';

// What the vendors' own clients make of a wait that the server tells them.

/** In milliseconds; longer than the server waits itself, and no whole second. */
const WAIT_MS = 31_250;

let vendor: Server;
let server: TestServer;

beforeAll(async () => {
  vendor = createServer((_, response) => {
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after-ms': `${WAIT_MS}` });
    response.end('{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}');
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const { port } = vendor.address() as AddressInfo;
  server = await startTestServer({ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` });
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  await server.stop();
  vendor.close();
});

const messages = [{ role: 'user' as const, content: 'x' }];

const CLIENTS = [
  [
    'openai',
    (model: string, options: object) =>
      new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', ...options }).chat.completions.create({
        model,
        messages,
      }),
  ],
  [
    '@anthropic-ai/sdk',
    (model: string, options: object) =>
      new Anthropic({ baseURL: server.url, apiKey: 'none', ...options }).messages.create({
        ...{ model, messages, max_tokens: 9 },
      }),
  ],
] as const;

/** `fetch`, and how often it was called. */
function counted(): { fetch: typeof fetch; tries: number } {
  const counting = {
    tries: 0,
    fetch: ((...given) => {
      counting.tries += 1;
      return fetch(...given);
    }) as typeof fetch,
  };
  return counting;
}

it.for(CLIENTS)('%s waits for as long as the provider wants, to the millisecond', async ([, ask]) => {
  // The client's own wait is the only timer of exactly this length; it is not waited for.
  const original = globalThis.setTimeout;
  const timers = vi
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((work: () => void, ms?: number) =>
      original(work, ms === WAIT_MS ? 0 : ms)) as typeof setTimeout);
  const counting = counted();
  const options = { maxRetries: 1, fetch: counting.fetch };
  await expect(ask('anthropic/claude-opus-4-6', options)).rejects.toMatchObject({ status: 429 });
  expect(counting.tries).toBe(2);
  expect(timers.mock.calls.filter(([, ms]) => ms === WAIT_MS)).toHaveLength(1);
});

it.for(CLIENTS)('%s does not try again what cannot go well', async ([, ask]) => {
  const counting = counted();
  await expect(ask('google/gemini-3-pro', { maxRetries: 2, fetch: counting.fetch })).rejects.toMatchObject({
    status: 503,
  });
  expect(counting.tries).toBe(1);
});
