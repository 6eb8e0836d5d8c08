import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, says } from './helpers.ts';
import { openAiDeltas, openAiStream, sse, startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';
const MODEL = 'groq/some-model';

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('groq', 'openai', 'ollama'));
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

function post(body: object, options: RequestInit = {}): Promise<Response> {
  return fetch(server.url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stream: true, model: MODEL, ...body }),
    ...options,
  });
}

/** Streams and gives all events; every line must be a `data:` line with JSON and end with a blank one. */
async function events(body: object): Promise<Json[]> {
  const text = await (await post(body)).text();
  expect(text.endsWith('\n\n')).toBe(true);
  const blocks = text.slice(0, -2).split('\n\n');
  for (const block of blocks) expect(block).toMatch(/^data: \{[^\n]*\}$/);
  return blocks.map((block) => JSON.parse(block.slice('data: '.length)));
}

describe('POST /api/chat/completions, streamed', () => {
  it('is an event stream that nobody on the way holds back', async () => {
    const response = await post(says('Hi'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toMatch(/no-transform/);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    await response.text();
    expect(upstream.sent[0]?.body.stream).toBe(true);
  });

  it('passes content, reasoning and tool calls on and ends with the summary', async () => {
    upstream.replies.push({
      pieces: openAiStream(
        [
          { reasoning_content: 'Hm' },
          { content: 'Hel' },
          { content: 'lo "you"\n\nd\u2028' },
          { tool_calls: [{ index: 0, id: 'c1', function: { name: 'look', arguments: '{"a"' } }] },
          { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
        ],
        'tool_calls',
      ),
    });
    const tools = [{ name: 'look', parameters: { type: 'object' } }];
    const all = await events(says('Hi', { tools }));
    const origin = { provider: 'groq', model: 'some-model' };
    expect(all.slice(0, -1)).toEqual([
      { reasoning: 'Hm' },
      { content: 'Hel' },
      { content: 'lo "you"\n\nd\u2028' },
      { toolCall: { id: 'c1', name: 'look', arguments: { a: 1 } } },
    ]);
    expect(all.at(-1)).toEqual({
      done: true,
      id: expect.stringMatching(/^resp_/),
      provider: 'groq',
      model: 'some-model',
      usage: { promptTokens: 7, completionTokens: 3, totalTokens: 10, cost: null },
      finishReason: 'tool-calls',
      duration: expect.any(Number),
      parts: [
        { type: 'reasoning', text: 'Hm', origin },
        { type: 'text', text: 'Hello "you"\n\nd\u2028', origin },
        { type: 'tool-call', id: 'c1' },
      ],
    });
  });

  it('names warnings in the last event', async () => {
    const all = await events(says('Hi', { model: 'openai/o3', temperature: 1 }));
    expect(all.at(-1)).toMatchObject({ done: true, warnings: [expect.stringMatching(/temperature/)] });
  });

  it('says each delta when it comes, not at the end', async () => {
    upstream.replies.push({ pieces: openAiDeltas([{ content: 'now' }]), stall: true });
    const leave = new AbortController();
    const response = await post(says('Hi'), { signal: leave.signal });
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: {"content":"now"}\n\n');
    leave.abort();
    await reader.closed.catch(() => {});
  });

  it('an error before the first byte is a plain HTTP error', async () => {
    upstream.replies.push({ status: 401, json: { error: { message: 'bad key' } } });
    const response = await post(says('Hi'));
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expectError(
      { status: response.status, headers: response.headers, body: await response.json() },
      502,
      'provider_auth',
    );
  });

  it.each<[string, Upstream['replies'][number], string]>([
    ['breaks off', { pieces: openAiDeltas([{ content: 'half' }]), breakOff: true }, 'provider_unavailable'],
    ['ends too soon', { pieces: openAiDeltas([{ content: 'half' }]) }, 'provider_protocol'],
    [
      'reports an error',
      { pieces: [...openAiDeltas([{ content: 'half' }]), sse({ error: { message: 'boom', code: 429 } })] },
      'provider_rate_limited',
    ],
    [
      'turns to nonsense',
      { pieces: [...openAiDeltas([{ content: 'half' }]), 'data: nonsense\n\n'] },
      'provider_protocol',
    ],
  ])('an upstream that %s after the first byte ends the stream with the error', async (_, reply, code) => {
    upstream.replies.push(reply);
    const all = await events(says('Hi'));
    expect(all).toEqual([
      { content: 'half' },
      expect.objectContaining({ error: expect.stringMatching(/^Groq/), code, done: true, partial: true }),
    ]);
    expect(all[1].requestId).toMatch(/^req_/);
    expect(upstream.sent).toHaveLength(1);
  });

  it('is partial also when only a tool call had come', async () => {
    const called = { message: { tool_calls: [{ function: { name: 'look', arguments: {} } }] }, done: false };
    upstream.replies.push({ pieces: [`${JSON.stringify(called)}\n`, `${JSON.stringify({ error: 'boom' })}\n`] });
    const all = await events(says('Hi', { model: 'ollama/some-model' }));
    expect(all).toEqual([
      { toolCall: { id: expect.any(String), name: 'look', arguments: {} } },
      expect.objectContaining({ error: 'Ollama: boom', done: true, partial: true }),
    ]);
  });

  it('breaks off the upstream when the client leaves', async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>();
    const slow = createServer((_, response) => {
      response.on('close', close);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(openAiDeltas([{ content: 'now' }]).join(''));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as { port: number };
    const other = await startTestServer({ GROQ_API_KEY: 'k', GROQ_BASE_URL: `http://127.0.0.1:${port}/v1` });
    const leave = new AbortController();
    const response = await fetch(other.url + PATH, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(says('Hi', { model: MODEL, stream: true })),
      signal: leave.signal,
    });
    await response.body!.getReader().read();
    leave.abort();
    // It has no end of its own, and nobody else would break it off before the test is over.
    await closed;
    await other.stop();
    slow.closeAllConnections();
    slow.close();
  });
});

describe('the demo model, streamed', () => {
  it('obeys its orders', async () => {
    const { events: all } = await server.stream(PATH, {
      stream: true,
      model: 'demo',
      messages: [{ role: 'user', content: '/reason because\n/say one two three\n/length 2\n/tool go {"x":[1]}' }],
    });
    expect(all.filter((event) => 'reasoning' in event)).toEqual([{ reasoning: 'because' }]);
    expect(all.flatMap((event) => event.content ?? []).join('')).toBe('one two');
    expect(all.at(-2)).toMatchObject({ toolCall: { name: 'go', arguments: { x: [1] } } });
    expect(all.at(-1)).toMatchObject({ done: true, provider: 'demo', model: 'demo', finishReason: 'length' });
  });

  it('/cut fails in the middle', async () => {
    const { events: all } = await server.stream(
      PATH,
      says('/say some words\n/cut 529 Enough', { model: 'demo', stream: true }),
    );
    expect(all.flatMap((event) => event.content ?? []).join('')).toBe('some words');
    expect(all.at(-1)).toMatchObject({
      code: 'provider_unavailable',
      done: true,
      partial: true,
      error: 'Demo: Enough',
    });
  });
});
