import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, says } from './helpers.ts';
import { openAiAnswer, PLAIN, startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('anthropic', 'openai', 'groq', 'perplexity', 'openrouter'));
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

describe('POST /api/chat/completions, whole', () => {
  it('answers in exactly the shape of the seed', async () => {
    const { status, body, headers } = await server.call(
      PATH,
      says('Explain async/await in TypeScript', { model: 'claude-sonnet-4-6', temperature: 0.7 }),
    );
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(body).toEqual({
      id: expect.stringMatching(/^resp_[0-9a-z]{24}$/),
      provider: 'anthropic',
      model: 'claude-sonnet-4-6',
      message: { role: 'assistant', content: PLAIN },
      finishReason: 'stop',
      usage: { promptTokens: 7, completionTokens: 3, totalTokens: 10, cost: expect.any(Number) },
      duration: expect.any(Number),
    });
    expect(Number.isInteger(body.duration) && body.duration >= 0).toBe(true);
    expect(upstream.sent).toHaveLength(1);
    expect(upstream.sent[0]).toMatchObject({
      provider: 'anthropic',
      body: {
        model: 'claude-sonnet-4-6',
        temperature: 0.7,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Explain async/await in TypeScript' }] }],
      },
    });
  });

  it('gives cost null, not 0, for a model that no catalogue knows', async () => {
    const { body } = await server.call(PATH, says('Hi', { model: 'claude-omega-77' }));
    expect(body).toMatchObject({ provider: 'anthropic', model: 'claude-omega-77', usage: { cost: null } });
  });

  it('passes reasoning and the finer counts on, apart from the answer', async () => {
    upstream.replies.push({
      json: openAiAnswer({ content: 'Four.', reasoning_content: 'Two and two…' }, 'stop', {
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 2 },
      }),
    });
    const { body } = await server.call(PATH, says('2+2?', { model: 'groq/some-model' }));
    const origin = { provider: 'groq', model: 'some-model' };
    expect(body.message).toEqual({
      role: 'assistant',
      content: 'Four.',
      parts: [
        { type: 'reasoning', text: 'Two and two…', origin },
        { type: 'text', text: 'Four.', origin },
      ],
    });
    expect(body.reasoning).toBe('Two and two…');
    expect(body.usage).toMatchObject({ cachedTokens: 5, reasoningTokens: 2 });
  });

  it.each([
    ['length', 'length'],
    ['content_filter', 'content-filter'],
    ['stop', 'stop'],
  ])('reads the finish reason %s as %s', async (theirs, ours) => {
    upstream.replies.push({ json: openAiAnswer({ content: 'x' }, theirs) });
    const { body } = await server.call(PATH, says('Hi', { model: 'groq/some-model', maxTokens: 5 }));
    expect(body.finishReason).toBe(ours);
    expect(upstream.sent[0]?.body.max_tokens).toBe(5);
  });

  it('puts systemPrompt before every other system message', async () => {
    await server.call(PATH, {
      model: 'groq/some-model',
      systemPrompt: 'first',
      messages: [
        { role: 'system', content: 'second' },
        { role: 'user', content: 'Hi' },
      ],
    });
    expect(upstream.sent[0]?.body.messages).toEqual([
      { role: 'system', content: 'first' },
      { role: 'system', content: 'second' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('sends images and files as the wire wants them', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', image: 'data:image/png;base64,aGk=' },
      { type: 'image', image: 'https://example.com/a.png' },
      { type: 'file', file: 'data:application/pdf;base64,aGk=', filename: 'a.pdf' },
    ];
    expect((await server.call(PATH, says(content, { model: 'openrouter/some-model' }))).status).toBe(200);
    expect(upstream.sent[0]?.body.messages[0].content).toEqual([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
    ]);
  });

  it('names in warnings what the model does not take, and leaves it out', async () => {
    const tools = [{ name: 'look', parameters: { type: 'object' } }];
    const reasoner = await server.call(PATH, says('Hi', { model: 'openai/o3', temperature: 0.5, maxTokens: 20 }));
    expect(reasoner.body.warnings).toEqual([expect.stringMatching(/temperature/)]);
    expect(upstream.sent[0]?.body).not.toHaveProperty('temperature');
    expect(upstream.sent[0]?.body.max_output_tokens).toBe(20);
    const searcher = await server.call(PATH, says('Hi', { model: 'perplexity/sonar', tools }));
    expect(searcher.body.warnings).toEqual([expect.stringMatching(/tools/)]);
    expect(upstream.sent[1]?.body).not.toHaveProperty('tools');
    const content = await server.call(PATH, says('Hi', { model: 'groq/some-model', temperature: 0.5 }));
    expect(content.body).not.toHaveProperty('warnings');
  });
});

it('names what is missing in plain words', async () => {
  const { body } = await server.call(PATH, { messages: [{ role: 'user' }, { role: 'tool', content: 'x' }] });
  expect(body.details.issues).toEqual([
    { path: 'messages.0.content', message: 'is missing' },
    { path: 'messages.1.toolCallId', message: 'is missing' },
  ]);
  expect((await server.call(PATH, {})).body.details.issues).toEqual([{ path: 'messages', message: 'is missing' }]);
});

it('an empty answer comes back as it was given', async () => {
  upstream.replies.push({ json: openAiAnswer({ content: '' }) });
  const { body } = await server.call(PATH, says('Hi', { model: 'groq/some-model' }));
  expect(body.message).toEqual({ role: 'assistant', content: '' });
  const messages = [{ role: 'user', content: 'Hi' }, body.message, { role: 'user', content: 'And?' }];
  expect((await server.call(PATH, { model: 'groq/some-model', messages })).status).toBe(200);
  expect(upstream.sent.at(-1)?.body.messages).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'user', content: 'And?' },
  ]);
});

describe('the caller’s own tools', () => {
  const tools = [{ name: 'weather', description: 'Of a town', parameters: { type: 'object', properties: {} } }];
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"town":"Bern"}' } };

  it('come back as calls, and their results go back to the model', async () => {
    upstream.replies.push({ json: openAiAnswer({ content: null, tool_calls: [call] }, 'tool_calls') });
    const question = { role: 'user', content: 'Weather?' };
    const first = await server.call(PATH, { model: 'groq/some-model', messages: [question], tools });
    expect(first.body).toMatchObject({
      finishReason: 'tool-calls',
      message: { content: '', toolCalls: [{ id: 'call_1', name: 'weather', arguments: { town: 'Bern' } }] },
    });
    expect(upstream.sent[0]?.body.tools).toEqual([{ type: 'function', function: tools[0] }]);

    const messages = [question, first.body.message, { role: 'tool', toolCallId: 'call_1', content: 'rain' }];
    const second = await server.call(PATH, { model: 'groq/some-model', messages, tools });
    expect(second.body.message.content).toBe(PLAIN);
    expect(upstream.sent[1]?.body.messages.slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ]);

    await server.call(PATH, { model: 'claude-sonnet-4-6', messages, tools });
    expect(upstream.sent[2]?.body.messages.slice(1)).toEqual([
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { town: 'Bern' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'rain' }] },
    ]);
  });

  it('keep arguments that are not JSON as what the model wrote', async () => {
    const cut = { ...call, function: { name: 'weather', arguments: '{"town":"Be' } };
    upstream.replies.push({ json: openAiAnswer({ tool_calls: [cut] }, 'tool_calls') });
    const { body } = await server.call(PATH, says('Weather?', { model: 'groq/some-model', tools }));
    expect(body.message.toolCalls).toEqual([
      { id: 'call_1', name: 'weather', arguments: {}, invalidArguments: '{"town":"Be' },
    ]);
  });

  it.each([
    ['auto', 'auto', { type: 'auto' }],
    ['none', 'none', { type: 'none' }],
    ['required', 'required', { type: 'any' }],
    ['weather', { type: 'function', function: { name: 'weather' } }, { type: 'tool', name: 'weather' }],
  ])('toolChoice %s reaches both wires', async (toolChoice, openai, anthropic) => {
    await server.call(PATH, says('Hi', { model: 'groq/some-model', tools, toolChoice }));
    await server.call(PATH, says('Hi', { model: 'claude-sonnet-4-6', tools, toolChoice }));
    expect(upstream.sent.map(({ body }) => body.tool_choice)).toEqual([openai, anthropic]);
  });

  it.each([
    ['another name', { tools, toolChoice: 'other' }],
    ['required without tools', { toolChoice: 'required' }],
  ])('toolChoice that is %s is refused', async (_, more) => {
    expect(issuePaths(await server.call(PATH, says('Hi', { model: 'groq/some-model', ...more })))).toContain(
      'toolChoice',
    );
    expect(upstream.sent).toHaveLength(0);
  });
});

describe('bad input is refused before anybody is asked', () => {
  const good = { role: 'user', content: 'Hi' };
  it.each<[string, object, string[]]>([
    ['no body fields', {}, ['messages']],
    ['no messages', { messages: [] }, ['messages']],
    ['too many messages', { messages: Array.from({ length: 2001 }, () => good) }, ['messages']],
    ['only system messages', { messages: [{ role: 'system', content: 'x' }] }, ['messages']],
    ['an unknown role', { messages: [{ role: 'god', content: 'x' }] }, ['messages.0.role']],
    ['empty content', { messages: [{ role: 'user', content: '' }] }, ['messages.0.content']],
    ['content of a wrong type', { messages: [{ role: 'user', content: 5 }] }, ['messages.0.content']],
    ['no parts', { messages: [{ role: 'user', content: [] }] }, ['messages.0.content']],
    [
      'an image that is no URL',
      { messages: [good, { role: 'user', content: [{ type: 'image', image: 'nope' }] }] },
      ['messages.1.content.0.image'],
    ],
    [
      'an image by http',
      { messages: [{ role: 'user', content: [{ type: 'image', image: 'http://example.com/a.png' }] }] },
      ['messages.0.content.0.image'],
    ],
    [
      'a part of an unknown type',
      { messages: [{ role: 'user', content: [{ type: 'video', video: 'x' }] }] },
      ['messages.0.content.0.type'],
    ],
    ['an assistant that says nothing', { messages: [good, { role: 'assistant', content: null }] }, ['messages.1']],
    [
      'a result of no call',
      { messages: [good, { role: 'tool', toolCallId: 'x', content: 'y' }] },
      ['messages.1.toolCallId'],
    ],
    ['temperature over 2', { messages: [good], temperature: 2.1 }, ['temperature']],
    ['temperature under 0', { messages: [good], temperature: -0.1 }, ['temperature']],
    ['temperature as text', { messages: [good], temperature: '1' }, ['temperature']],
    ['maxTokens 0', { messages: [good], maxTokens: 0 }, ['maxTokens']],
    ['maxTokens 1.5', { messages: [good], maxTokens: 1.5 }, ['maxTokens']],
    ['stream as text', { messages: [good], stream: 'yes' }, ['stream']],
    ['an unknown field', { messages: [good], max_tokens: 5 }, ['max_tokens']],
    [
      'everything at once',
      { messages: [], temperature: 9, maxTokens: -1, a: 1 },
      ['messages', 'temperature', 'maxTokens', 'a'],
    ],
    [
      'two tools of one name',
      { messages: [good], tools: [1, 2].map(() => ({ name: 'x', parameters: {} })) },
      ['tools'],
    ],
    ['a tool with a bad name', { messages: [good], tools: [{ name: 'a b', parameters: {} }] }, ['tools.0.name']],
    ['too many fallbacks', { messages: [good], fallbacks: Array.from({ length: 11 }, () => 'demo') }, ['fallbacks']],
    ['a fallback of a wrong type', { messages: [good], fallbacks: [1] }, ['fallbacks.0']],
  ])('%s', async (_, body, paths) => {
    const found = issuePaths(await server.call(PATH, { model: 'groq/some-model', ...body }));
    expect(found.toSorted()).toEqual(paths.toSorted());
    expect(upstream.sent).toHaveLength(0);
  });

  it('takes the bounds themselves', async () => {
    const messages = Array.from({ length: 2000 }, () => good);
    const bounds = [
      { messages },
      { messages: [good], temperature: 0 },
      { messages: [good], temperature: 2, maxTokens: 1 },
    ];
    for (const body of bounds) expect((await server.call(PATH, { model: 'demo', ...body })).status).toBe(200);
  });

  it('an unknown conversation is 404', async () => {
    expectError(await server.call(PATH, says('Hi', { conversationId: 'conv_none' })), 404, 'not_found', /conv_none/);
    expect(upstream.sent).toHaveLength(0);
  });
});

describe('the upstream’s failures', () => {
  it.each<[number, object, number, string]>([
    [400, { error: { message: 'no such parameter' } }, 400, 'provider_rejected'],
    [400, { error: { message: 'too long', code: 'context_length_exceeded' } }, 400, 'context_length_exceeded'],
    [400, { error: { message: 'filtered', code: 'content_filter' } }, 400, 'content_filtered'],
    [401, { error: { message: 'bad key sk-groq-0123456789abcdef' } }, 502, 'provider_auth'],
    [404, { error: { message: 'no model', code: 'model_not_found' } }, 404, 'model_not_found'],
  ])('%i %o becomes %i %s with the provider’s own words', async (status, json, ours, code) => {
    upstream.replies.push({ status, json });
    const answer = await server.call(PATH, says('Hi', { model: 'groq/some-model' }));
    expectError(answer, ours, code, /^Groq: (no|too|filtered|bad)/);
    expect(answer.body.error).not.toContain('sk-groq-0123456789abcdef');
    expect(upstream.sent).toHaveLength(1);
  });

  it('429 goes on with Retry-After when the wait is too long for us', async () => {
    upstream.replies.push({ status: 429, headers: { 'retry-after': '77' }, json: { error: { message: 'slow down' } } });
    const answer = await server.call(PATH, says('Hi', { model: 'groq/some-model' }));
    expectError(answer, 429, 'provider_rate_limited', /slow down/);
    expect(answer.headers.get('retry-after')).toBe('77');
  });

  it('tries a 503 again, at most twice', async () => {
    const busy = { status: 503, headers: { 'retry-after-ms': '1' }, json: { error: { message: 'busy' } } };
    upstream.replies.push(busy, busy);
    expect((await server.call(PATH, says('Hi', { model: 'groq/some-model' }))).status).toBe(200);
    upstream.replies.push(busy, busy, busy);
    expectError(await server.call(PATH, says('Hi', { model: 'groq/some-model' })), 502, 'provider_unavailable', /busy/);
    expect(upstream.sent).toHaveLength(6);
  });

  it('nonsense is provider_protocol', async () => {
    upstream.replies.push({ json: { choices: 'none' } });
    expectError(await server.call(PATH, says('Hi', { model: 'groq/some-model' })), 502, 'provider_protocol');
  });
});
