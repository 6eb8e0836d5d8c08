import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

const TOKEN = {
  token: 'Hi',
  logprob: -0.5,
  bytes: [72, 105],
  top_logprobs: [{ token: 'Yo', logprob: -1, bytes: null }],
};
const CALL = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"sea"}' } };
const TOOLS = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object' } } }];

/** A vendor of Chat Completions: what it got, and what it says. */
const bodies: Json[] = [];
const vendor = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (request.method === 'GET') return void response.end('{"data":[]}');
  const body: Json = JSON.parse(text);
  bodies.push(body);
  const message = { role: 'assistant', content: 'Hi', ...(body.tools ? { tool_calls: [CALL] } : {}) };
  const choice = { index: 0, message, logprobs: { content: [TOKEN] }, finish_reason: 'stop' };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ choices: [choice], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }),
  );
});

let server: TestServer;
let client: OpenAI;

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  server = await startTestServer({ FIREWORKS_API_KEY: 'key', FIREWORKS_BASE_URL: url });
  const { body } = await server.call('/api/keys', { name: 'test', scopes: ['chat'] });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: body.secret, maxRetries: 0 });
});

afterAll(async () => {
  await server.stop();
  vendor.close();
});

const ASKED = {
  model: 'fireworks/accounts/fireworks/models/gpt-oss-120b',
  messages: [{ role: 'user' as const, content: 'Hello' }],
};

it('parameters reach a provider that takes them, and what it says of them comes back', async () => {
  const sent = {
    ...{ top_p: 0.5, stop: ['END'], seed: 7, frequency_penalty: 0.25, presence_penalty: -0.5 },
    ...{ logit_bias: { '42': -100 }, logprobs: true, top_logprobs: 1, parallel_tool_calls: false },
    ...{ reasoning_effort: 'minimal' as const, response_format: { type: 'json_object' as const } },
  };
  const call = client.chat.completions.create({ ...ASKED, ...sent, tools: TOOLS });
  const { data, response } = await call.withResponse();
  expect(bodies.at(-1)).toMatchObject({ ...sent, reasoning_effort: 'low' });
  expect(data.choices[0]?.logprobs?.content).toEqual([TOKEN]);
  expect(response.headers.get('x-profclaw-provider')).toBe('fireworks');
  expect(response.headers.get('x-profclaw-warnings')).toBeNull();
});

it('an answer with calls says that it ends for them, whatever the provider says', async () => {
  const { choices } = await client.chat.completions.create({ ...ASKED, tools: TOOLS });
  expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [CALL] } });
  const plain = await client.chat.completions.create(ASKED);
  expect(plain.choices[0]?.finish_reason).toBe('stop');
});

it('what a model does not take is named, in either of OpenAI’s wires', async () => {
  const chat = client.chat.completions.create({ ...ASKED, model: 'demo', top_p: 0.5, seed: 1 });
  const warnings = (headers: Headers): string[] => JSON.parse(headers.get('x-profclaw-warnings') ?? '[]');
  expect(warnings((await chat.withResponse()).response.headers).map((one) => one.split(':')[0])).toEqual([
    'top_p',
    'seed',
  ]);
  const responses = client.responses.create({ model: 'demo', input: 'Hello', top_p: 0.5, store: false });
  expect(warnings((await responses.withResponse()).response.headers).map((one) => one.split(':')[0])).toEqual([
    'top_p',
  ]);
});

it('effort reaches it through Responses as well', async () => {
  await client.responses.create({ model: ASKED.model, input: 'Hi', store: false, reasoning: { effort: 'high' } });
  expect(bodies.at(-1)).toMatchObject({ reasoning_effort: 'high' });
});
