import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { issuePaths, says } from './helpers.ts';
import { openAiAnswer, sse, startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';
const MODEL = 'fireworks/accounts/fireworks/models/gpt-oss-120b';
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } };
const TOKEN = { token: 'Hi', logprob: -0.5, bytes: [72, 105], top_logprobs: [] };

let upstream: Upstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer(upstream.environment('fireworks', 'groq', 'deepseek'));
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await server.stop();
  await upstream.stop();
});

const GIVEN = {
  ...{ topP: 0.5, topK: 7, stop: 'END', seed: 11, frequencyPenalty: 0.25, presencePenalty: -0.25 },
  ...{ logitBias: { 42: -100 }, logprobs: 1, parallelToolCalls: false, effort: 'max' },
  responseFormat: { type: 'json-schema', schema: SCHEMA, description: 'Where', strict: true },
  tools: [{ name: 'look', parameters: { type: 'object' }, strict: true }],
};
const TAKEN = {
  ...{ top_p: 0.5, top_k: 7, stop: ['END'], seed: 11, frequency_penalty: 0.25, presence_penalty: -0.25 },
  ...{
    logit_bias: { 42: -100 },
    logprobs: true,
    top_logprobs: 1,
    parallel_tool_calls: false,
    reasoning_effort: 'high',
  },
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'answer', schema: SCHEMA, description: 'Where', strict: true },
  },
  tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' }, strict: true } }],
};

it('all parameters reach a provider that takes them, and nothing else does', async () => {
  const { status, body, headers } = await server.call(PATH, says('Hi', { model: MODEL, ...GIVEN }));
  expect(status).toBe(200);
  const { model: _, messages: __, ...sent } = upstream.sent[0]?.body ?? {};
  expect(sent).toEqual(TAKEN);
  expect(body).not.toHaveProperty('warnings');
  expect(headers.get('x-profclaw-warnings')).toBeNull();
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  await server.call(PATH, says('Hi', { model: MODEL, stop: ['a', 'b'], responseFormat: { type: 'json' } }));
  expect(upstream.sent[1]?.body).toMatchObject({ stop: ['a', 'b'], response_format: { type: 'json_object' } });
  await server.call(PATH, says('Hi', { model: MODEL }));
  expect(Object.keys(upstream.sent[2]?.body ?? {}).toSorted()).toEqual(['messages', 'model']);
});

it('logprobs come back, whole and streamed', async () => {
  const answer: Json = openAiAnswer({ content: 'Hi' });
  answer.choices[0].logprobs = { content: [TOKEN] };
  upstream.replies.push({ json: answer });
  const whole = await server.call(PATH, says('Hi', { model: MODEL, logprobs: 0 }));
  expect(upstream.sent[0]?.body).toMatchObject({ logprobs: true, top_logprobs: 0 });
  expect(whole.body.logprobs).toEqual([TOKEN]);
  const choice = { index: 0, delta: { content: 'Hi' }, logprobs: { content: [TOKEN] }, finish_reason: 'stop' };
  upstream.replies.push({ pieces: [sse({ choices: [choice] }), 'data: [DONE]\n\n'] });
  const { events } = await server.stream(PATH, says('Hi', { model: MODEL, logprobs: 0, stream: true }));
  expect(events).toMatchObject([{ content: 'Hi' }, { logprobs: [TOKEN] }, { done: true, finishReason: 'stop' }]);
  expect(events.at(-1)).not.toHaveProperty('logprobs');
});

it('what the model does not take is named in the answer and in a header, of a stream before it begins', async () => {
  const asked = says('Hi', { model: 'groq/some-model', topK: 5, logitBias: { 1: 1 }, seed: 3 });
  const { body, headers } = await server.call(PATH, asked);
  const named = ['topK', 'logitBias'].map((name) => `${name}: some-model does not take it; left out`);
  expect(body.warnings).toEqual(named);
  expect(JSON.parse(headers.get('x-profclaw-warnings') ?? '')).toEqual(named);
  expect(upstream.sent[0]?.body).toMatchObject({ seed: 3 });
  const streamed = await fetch(server.url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, stream: true }),
  });
  expect(JSON.parse(streamed.headers.get('x-profclaw-warnings') ?? '')).toEqual(named);
  await streamed.body?.cancel();
});

it('in a conversation too', async () => {
  const { body: made } = await server.call('/api/chat/conversations', {});
  const conversationId: string = (made.conversation ?? made).id;
  const { tools: _, ...given } = GIVEN;
  const asked = says('Hi', { model: MODEL, conversationId, ...given });
  expect((await server.call(PATH, asked)).status).toBe(200);
  const { tools: __, parallel_tool_calls: ___, ...taken } = TAKEN;
  expect(upstream.sent[0]?.body).toMatchObject(taken);
  const other = says('Hi', { model: 'groq/some-model', conversationId, topK: 5 });
  const { body, headers } = await server.call(PATH, other);
  expect(body.warnings).toEqual(['topK: some-model does not take it; left out']);
  expect(JSON.parse(headers.get('x-profclaw-warnings') ?? '')).toEqual(body.warnings);
  const streamed = await fetch(server.url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...other, stream: true }),
  });
  expect(JSON.parse(streamed.headers.get('x-profclaw-warnings') ?? '')).toEqual(body.warnings);
  await streamed.text();
});

it('names everything that is wrong at once', async () => {
  const wrong = {
    ...{ topP: 2, topK: 0, stop: [], seed: 0.5, frequencyPenalty: 3, presencePenalty: -3 },
    ...{ logitBias: { x: 1 }, logprobs: 21, parallelToolCalls: 'no', effort: 'minimal', top_p: 1 },
    responseFormat: { type: 'json_object' },
  };
  const answer = await server.call(PATH, says('Hi', { model: MODEL, ...wrong }));
  expect(answer.status).toBe(400);
  const paths = issuePaths(answer).map((path: string) => path.split('.')[0]);
  expect(new Set(paths)).toEqual(new Set(Object.keys(wrong)));
  const named = await server.call(PATH, says('Hi', { responseFormat: { type: 'json-schema', name: 'a b' } }));
  expect(issuePaths(named)).toEqual(expect.arrayContaining(['responseFormat.schema', 'responseFormat.name']));
  expect(upstream.sent).toHaveLength(0);
});
