import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError, says } from '../contract/helpers.ts';
import { openAiAnswer, openAiDeltas, openAiStream, sse } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

const AT = '/api/chat/providers';
const CHAT = '/api/chat/completions';
const PACKAGE = '@ai-sdk/openai-compatible';
const KEY = 'acme-key-0123456789';
const HIDDEN = 'query-secret-0123';
const TOOL = { name: 'sum', parameters: { type: 'object', properties: { a: { type: 'number' } } } };

interface Seen {
  path: string;
  headers: IncomingHttpHeaders;
  body: Json;
  /** Resolves when the connection of this call has closed. */
  closed: Promise<void>;
}

const seen: Seen[] = [];
const script: ((response: ServerResponse) => void)[] = [];
const upstream = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const closed = new Promise<void>((resolve) => response.on('close', () => resolve()));
  seen.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text), closed });
  const act = script.shift();
  if (act) act(response);
  else
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(openAiAnswer({ content: 'Hello' })));
});

const stream =
  (pieces: string[], end = true) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) response.write(piece);
    if (end) response.end();
  };
const refuse =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

let server: TestServer;
let settings: object;
const asked = (more: object = {}): object => says('Hi', { model: 'custom:acme/m-1', ...more });

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const baseURL = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  settings = {
    name: 'Acme',
    package: PACKAGE,
    apiKey: KEY,
    headers: { 'x-team': 'blue-team' },
    options: { name: 'acme', baseURL, queryParams: { token: HIDDEN }, includeUsage: true },
    defaultModel: 'm-default',
  };
  server = await startTestServer({
    PROFCLAW_PROVIDERS: JSON.stringify({ 'custom:acme': settings }),
    PROFCLAW_FIRST_BYTE_TIMEOUT: '1',
    PROFCLAW_CONNECT_TIMEOUT: '1',
    PROFCLAW_IDLE_TIMEOUT: '1',
  });
});
beforeEach(() => {
  seen.length = 0;
  script.length = 0;
});
afterAll(async () => {
  await server.stop();
  upstream.closeAllConnections();
  upstream.close();
});

describe(`a provider of ${PACKAGE}`, () => {
  it('answers whole, called with its options, key and headers', async () => {
    script.push(refuse(200, openAiAnswer({ content: 'Hello', reasoning_content: 'Hm' })));
    const { status, body } = await server.call(CHAT, asked({ temperature: 0.5, maxTokens: 9 }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      provider: 'custom:acme',
      model: 'm-1',
      message: { content: 'Hello' },
      reasoning: 'Hm',
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 3, totalTokens: 10, cost: null },
    });
    expect(seen).toMatchObject([
      {
        path: `/v1/chat/completions?token=${HIDDEN}`,
        headers: { authorization: `Bearer ${KEY}`, 'x-team': 'blue-team' },
        body: { model: 'm-1', temperature: 0.5, max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
      },
    ]);
  });

  it('streams text and reasoning as they come', async () => {
    script.push(
      stream(
        openAiStream([
          { reasoning_content: 'Let me ' },
          { reasoning_content: 'see' },
          { content: 'Hel' },
          { content: 'lo' },
        ]),
      ),
    );
    const { events } = await server.stream(CHAT, asked({ stream: true }));
    const joined = (field: string): string => events.flatMap((event) => event[field] ?? []).join('');
    expect(joined('reasoning')).toBe('Let me see');
    expect(joined('content')).toBe('Hello');
    expect(events.at(-1)).toMatchObject({ done: true, finishReason: 'stop', usage: { totalTokens: 10 } });
  });

  it('hands on a piece before the next one has come', async () => {
    const upstreamEnds = Promise.withResolvers<void>();
    script.push((response) => {
      stream(openAiDeltas([{ content: 'first' }]), false)(response);
      void upstreamEnds.promise.then(() => response.end(openAiStream([{ content: 'last' }]).join('')));
    });
    const response = await fetch(server.url + CHAT, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked({ stream: true })),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain('first');
    upstreamEnds.resolve();
    expect((await reader.read()).value).toContain('last');
    await reader.cancel();
  });

  it.each([true, false])('calls tools and takes the results (stream: %s)', async (streamed) => {
    const call = { id: 'call_1', type: 'function', function: { name: 'sum', arguments: '{"a":1}' } };
    const answer = streamed
      ? stream(openAiStream([{ tool_calls: [{ index: 0, ...call }] }], 'tool_calls'))
      : refuse(200, openAiAnswer({ content: null, reasoning_content: 'I add', tool_calls: [call] }, 'tool_calls'));
    script.push(answer);
    const tools = { tools: [TOOL], toolChoice: 'required' };
    const { events } = await server.stream(CHAT, asked({ ...tools, stream: streamed }));
    const last = events.at(-1);
    expect(last.finishReason).toBe('tool-calls');
    const message = streamed
      ? { role: 'assistant', content: '', toolCalls: events.flatMap((event) => event.toolCall ?? []) }
      : last.message;
    expect(message.toolCalls).toMatchObject([{ id: 'call_1', name: 'sum', arguments: { a: 1 } }]);
    expect(seen[0]?.body).toMatchObject({
      tools: [{ type: 'function', function: TOOL }],
      tool_choice: 'required',
    });
    const messages = [{ role: 'user', content: 'Add' }, message, { role: 'tool', toolCallId: 'call_1', content: '1' }];
    const second = await server.call(CHAT, asked({ tools: [TOOL], messages }));
    expect(second.body.message.content).toBe('Hello');
    expect(seen[1]?.body.messages.slice(1)).toMatchObject([
      { role: 'assistant', ...(streamed ? {} : { reasoning_content: 'I add' }), tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: '1' },
    ]);
  });

  it('takes pictures, inline and by address', async () => {
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image', image: 'data:image/png;base64,AAAA' },
      { type: 'image', image: 'https://a.example/b.png' },
    ];
    const { status } = await server.call(CHAT, says(content, { model: 'custom:acme/m' }));
    expect(status).toBe(200);
    expect(seen[0]?.body.messages[0].content).toMatchObject([
      { type: 'text' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
    ]);
  });

  it('says in warnings what it does not take', async () => {
    // Without a file, what this package cannot carry is refused with its own words.
    const content = [{ type: 'file', file: 'data:application/zip;base64,AAAA' }];
    const answer = await server.call(CHAT, says(content, { model: 'custom:acme/m' }));
    expectError(answer, 400, 'invalid_request', /Acme: .*application\/zip/);
    expect(seen).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it.each([true, false])('is told with status and words, without any secret (stream: %s)', async (streamed) => {
    script.push(refuse(400, { error: { message: `No: ${KEY} and ${HIDDEN}`, code: 'bad' } }));
    const answer = await server.call(CHAT, asked({ stream: streamed }));
    expectError(answer, 400, 'provider_rejected', 'Acme: No: [key] and [key]');
    expect(answer.body.details).toMatchObject({ providerStatus: 400 });
  });

  it.each([
    [401, { error: { message: 'Bad key' } }, 502, 'provider_auth'],
    [404, { error: { message: 'The model does not exist', code: 'model_not_found' } }, 404, 'model_not_found'],
    [400, { error: { message: 'Too long', code: 'context_length_exceeded' } }, 400, 'context_length_exceeded'],
    [418, 'no JSON at all', 400, 'provider_rejected'],
    [200, 'no JSON at all', 502, 'provider_protocol'],
  ])('%s %j is %s %s', async (status, body, ours, code) => {
    script.push(refuse(status, body));
    expectError(await server.call(CHAT, asked()), ours, code, 'Acme: ');
  });

  it('is tried again if that could help', async () => {
    script.push(
      refuse(503, { error: { message: 'Busy' } }),
      refuse(429, { error: { message: 'Slow' } }, { 'retry-after': '0' }),
    );
    const { body } = await server.call(CHAT, asked());
    expect(body.message.content).toBe('Hello');
    expect(seen).toHaveLength(3);
  });

  it('is not tried again when the provider asks for more time than a call has', async () => {
    script.push(refuse(429, { error: { message: 'Slow down' } }, { 'retry-after': '77' }));
    const answer = await server.call(CHAT, asked({ model: 'custom:acme/limited' }));
    expectError(answer, 429, 'provider_rate_limited', 'Slow down');
    expect(answer.headers.get('retry-after')).toBe('77');
    expect(seen).toHaveLength(1);
  });

  it('in the middle of a stream is its last event, after all that came before', async () => {
    script.push(stream([...openAiDeltas([{ content: 'Hel' }]), sse({ error: { message: `Broken ${KEY}` } })]));
    const { events } = await server.stream(CHAT, asked({ stream: true }));
    expect(events[0]).toEqual({ content: 'Hel' });
    expect(events.at(-1)).toMatchObject({ done: true, partial: true, error: expect.stringContaining('Broken [key]') });
  });

  it('is a provider that does not begin, or stops in the middle', async () => {
    script.push(() => undefined);
    expectError(
      await server.call(CHAT, asked({ model: 'custom:acme/mute' })),
      504,
      'provider_timeout',
      'Acme did not begin',
    );
    await seen[0]?.closed;
    script.push(stream(openAiDeltas([{ content: 'Hel' }]), false));
    const { events } = await server.stream(CHAT, asked({ model: 'custom:acme/mute', stream: true }));
    expect(events.at(-1)).toMatchObject({ code: 'provider_timeout', error: expect.stringContaining('in the middle') });
    await seen[1]?.closed;
  });

  it.each([true, false])('is a caller who leaves: the call is ended (stream: %s)', async (streamed) => {
    const patient = await startTestServer({ PROFCLAW_PROVIDERS: JSON.stringify({ 'custom:acme': settings }) });
    const reached = Promise.withResolvers<void>();
    script.push((response) => {
      if (streamed) stream(openAiDeltas([{ content: 'Hel' }]), false)(response);
      reached.resolve();
    });
    const caller = new AbortController();
    const call = fetch(patient.url + CHAT, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked({ stream: streamed })),
      signal: caller.signal,
    }).then((response) => response.text());
    await reached.promise;
    caller.abort();
    await expect(call).rejects.toThrow();
    // Nothing else ends it: the provider does not, and the limits of this server are longer than this test may take.
    await seen[0]?.closed;
    await patient.stop();
  });

  it('is a package without what it needs, told when it is configured or called', async () => {
    await server.call(`${AT}/custom:bare/configure`, { package: PACKAGE, options: { name: 'bare' } });
    const answer = await server.call(CHAT, asked({ model: 'custom:bare/m' }));
    expectError(answer, 502, 'provider_protocol', /^custom:bare: ./);
    await server.call(`${AT}/custom:bare`, undefined, { method: 'DELETE' });
  });
});

describe('its settings', () => {
  it('are listed without options and key; it is well when it loads', async () => {
    const found = (await server.call(AT)).body.providers.at(-1);
    expect(found).toMatchObject({
      type: 'custom:acme',
      name: 'Acme',
      configured: true,
      baseUrl: null,
      defaultModel: 'm-default',
    });
    const health = await server.call(`${AT}/custom:acme/health`, {});
    expect(health.body).toMatchObject({ healthy: true, message: 'OK' });
    expect((await server.call(`${AT}/custom:acme/models`)).body).toEqual({ models: [] });
    expect(JSON.stringify([found, health.body])).not.toMatch(new RegExp(`${KEY}|${HIDDEN}`));
    expect(seen).toEqual([]);
  });

  it('can be given over the API, and take effect at once', async () => {
    const { status } = await server.call(`${AT}/custom:late/configure?verify=true`, settings);
    expect(status).toBe(200);
    expect((await server.call(CHAT, asked({ model: 'custom:late/x' }))).body).toMatchObject({
      provider: 'custom:late',
    });
    await server.call(`${AT}/custom:late/configure`, { apiKey: 'another-key-9876' });
    await server.call(CHAT, asked({ model: 'custom:late/x' }));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`, 'Bearer another-key-9876']);
    await server.call(`${AT}/custom:late`, undefined, { method: 'DELETE' });
  });
});
