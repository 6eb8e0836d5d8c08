import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Json, startTestServer, type TestServer } from '../server.ts';

const DEMO = 'demo/demo';
const TOOL = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather of a place.',
    parameters: { type: 'object', properties: { place: { type: 'string' } } },
  },
};
const TWO_STEPS = '/say Let me look\n/tool weather {"place": "Rome"}\n/next\n/say Sunny in Rome';

/** A provider that speaks OpenAI's wire: what it got, and when a caller left it. */
const upstream = { bodies: [] as Json[], left: Promise.withResolvers<void>(), url: '' };
const vendor = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (request.method === 'GET') return void response.end('{"data":[{"id":"org/model-x"}]}');
  const body: Json = JSON.parse(text);
  upstream.bodies.push(body);
  if (body.messages.at(-1).content === 'wait') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[{"index":0,"delta":{"content":"begun"}}]}\n\n');
    return void response.on('close', () => upstream.left.resolve());
  }
  const message = { role: 'assistant', content: '{"city":"Rome","warm":true}' };
  const logprobs = { content: [{ token: 'x', logprob: -0.5, bytes: [120], top_logprobs: [] }] };
  const usage = {
    ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ id: 'c', choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }], usage }));
});

let server: TestServer;
let client: OpenAI;

function openai(key: string): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0, timeout: 20_000 });
}

async function keyOf(fields: object = {}): Promise<string> {
  const { status, body } = await server.call('/api/keys', { name: 'test', scopes: ['chat'], ...fields });
  expect(status).toBe(201);
  return body.secret;
}

function ask(content: string): { model: string; messages: { role: 'user'; content: string }[] } {
  return { model: DEMO, messages: [{ role: 'user', content }] };
}

async function failure(promise: Promise<unknown>): Promise<Json> {
  return await promise.then(
    () => expect.fail('it went well'),
    (error: unknown) => error,
  );
}

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  upstream.url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  server = await startTestServer({ OPENROUTER_API_KEY: 'key-of-it', OPENROUTER_BASE_URL: upstream.url });
  client = openai(await keyOf());
});

afterAll(async () => {
  await server.stop();
  vendor.closeAllConnections();
  vendor.close();
});

describe('openai', () => {
  it('gets a whole answer, with reasoning, counts and provider', async () => {
    const { data, response } = await client.chat.completions
      .create({ ...ask('/reason Hm\n/say Hello'), user: 'u', store: true, metadata: { a: 'b' } })
      .withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      model: 'demo',
      choices: [
        {
          message: { role: 'assistant', content: 'Hello', refusal: null, reasoning_content: 'Hm' },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
    });
    expect(data.usage?.total_tokens).toBe((data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0));
    expect(response.headers.get('x-profclaw-provider')).toBe('demo');
  });

  it('gets chunks: the role first, the counts last', async () => {
    const chunks: Json[] = [];
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    for await (const chunk of await client.chat.completions.create({
      ...ask('/say One two three\n/stream 3'),
      ...options,
    }))
      chunks.push(chunk);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    const pieces = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').filter((piece) => piece !== '');
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe('One two three');
    expect(chunks.at(-2).choices[0].finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
  });

  it('calls tools of its own through runTools, streamed and whole', async () => {
    const asked: unknown[] = [];
    const run = {
      type: 'function' as const,
      function: {
        ...TOOL.function,
        parse: JSON.parse,
        function: (given: object) => {
          asked.push(given);
          return 'sunny';
        },
      },
    };
    const body = { ...ask(TWO_STEPS), tools: [run] } as Json;
    expect(await client.chat.completions.runTools(body).finalContent()).toBe('Sunny in Rome');
    expect(await client.chat.completions.runTools({ ...body, stream: true }).finalContent()).toBe('Sunny in Rome');
    expect(asked).toEqual([{ place: 'Rome' }, { place: 'Rome' }]);
  });

  it('puts a streamed message together', async () => {
    const stream = client.chat.completions.stream({ ...ask(TWO_STEPS), tools: [TOOL] });
    const message = await stream.finalMessage();
    expect(message.content).toBe('Let me look');
    expect(message.tool_calls?.[0]).toMatchObject({ function: { name: 'weather', arguments: '{"place":"Rome"}' } });
  });

  it('reads a structured answer, with counts in full', async () => {
    const schema = z.object({ city: z.string(), warm: z.boolean() });
    const { choices, usage } = await client.chat.completions.parse({
      model: 'openrouter/org/model-x',
      messages: [{ role: 'user', content: 'Where?' }],
      response_format: zodResponseFormat(schema, 'place'),
      temperature: 0.5,
    });
    expect(choices[0]?.message.parsed).toEqual({ city: 'Rome', warm: true });
    expect(usage).toEqual({
      ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 2 },
    });
    expect(upstream.bodies.at(-1)).toMatchObject({ model: 'org/model-x', temperature: 0.5 });
  });

  it('lists models and finds one, also with slashes in its id', async () => {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain(DEMO);
    const nested = ids.find((id) => /^openrouter\/.+\/.+/.test(id)) ?? expect.fail('none with slashes');
    expect(ids.some((id) => id.startsWith('anthropic/'))).toBe(false);
    expect(await client.models.retrieve(nested)).toMatchObject({ id: nested, object: 'model', owned_by: 'openrouter' });
    const plain = await server.call(`/v1/models/${nested}`);
    expect(plain.body.id).toBe(nested);
    const list = await server.call('/v1/models?limit=2', undefined, { headers: { 'anthropic-version': '2023-06-01' } });
    expect(list.body).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(list.body.data[0]).toMatchObject({ type: 'model', id: ids[0], display_name: expect.any(String) });
    const error = await failure(client.models.retrieve('openrouter/no/such'));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error.code).toBe('model_not_found');
  });
});

describe('errors are the client’s own', () => {
  it.for([
    ['n', { n: 2 }],
    ['functions', { functions: [] }],
    ['stop', { stop: 5 }],
    ['nonsense', { nonsense: 1 }],
    ['tools.0.type', { tools: [{ type: 'custom', custom: { name: 'x' } }] }],
    ['tool_choice', { tool_choice: { type: 'function', function: { name: 'x' } } }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['messages', { messages: [{ role: 'user', content: '' }] }],
    ['messages.0.role', { messages: [{ role: 'function', name: 'f', content: 'x' }] }],
    ['messages.0.content.0.type', { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }],
    ['messages.0.tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'x', content: 'y' }] }],
  ] as const)('%s', async ([param, wrong]) => {
    const error = await failure(client.chat.completions.create({ ...ask('x'), ...wrong } as Json));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, code: 'invalid_request', param, type: 'invalid_request_error' });
  });

  it('of keys, models and limits', async () => {
    const stranger = await failure(openai('profclaw_wrong').chat.completions.create(ask('x')));
    expect(stranger).toBeInstanceOf(OpenAI.AuthenticationError);
    const unknown = await failure(client.chat.completions.create({ ...ask('x'), model: 'no-such-model' }));
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(unknown.code).toBe('model_not_found');
    const limited = openai(await keyOf({ rateLimit: 1 }));
    const { response } = await limited.chat.completions.create(ask('/say x')).withResponse();
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    const refused = await failure(limited.chat.completions.create(ask('/say x')));
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
    expect(refused.headers.get('x-ratelimit-limit-requests')).toBe('1');
  });

  it('in the middle of a stream, after what was said', async () => {
    const stream = await client.chat.completions.create({ ...ask('/say Half\n/cut 503 Gone'), stream: true });
    let said = '';
    const error = await failure(
      (async () => {
        for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
      })(),
    );
    expect(said).toBe('Half');
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error.message).toContain('Gone');
  });

  it('and leaving ends the provider’s call', async () => {
    const messages = [{ role: 'user' as const, content: 'wait' }];
    const stream = await client.chat.completions.create({ model: 'openrouter/org/model-x', messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await upstream.left.promise;
  });
});

describe('@langchain/openai', () => {
  it('invokes, streams and binds tools', async () => {
    const model = new ChatOpenAI({
      ...{ model: DEMO, apiKey: client.apiKey ?? '', maxRetries: 0 },
      configuration: { baseURL: `${server.url}/v1` },
    });
    expect((await model.invoke('/say Hello')).content).toBe('Hello');
    let said = '';
    for await (const chunk of await model.stream('/say One two\n/stream 2')) said += chunk.content;
    expect(said).toBe('One two');
    const { tool_calls } = await model.bindTools([TOOL]).invoke('/tool weather {"place": "Rome"}');
    expect(tool_calls).toMatchObject([{ name: 'weather', args: { place: 'Rome' } }]);
  });
});

describe('ai with @ai-sdk/openai', () => {
  const tools = {
    weather: tool({
      description: 'The weather of a place.',
      inputSchema: z.object({ place: z.string() }),
      execute: async ({ place }) => `sunny in ${place}`,
    }),
  };
  const chat = (name: string) => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: client.apiKey ?? '' }).chat(name);

  it('generates and streams, with tools in several steps', async () => {
    const asked = { model: chat(DEMO), prompt: TWO_STEPS, tools, stopWhen: stepCountIs(3), maxRetries: 0 };
    const { text, steps } = await generateText(asked);
    expect(text).toBe('Sunny in Rome');
    expect(steps).toHaveLength(2);
    const streamed = streamText(asked);
    expect(await streamed.text).toBe('Sunny in Rome');
    expect((await streamed.steps)[0]?.toolResults[0]?.output).toBe('sunny in Rome');
  });

  it('reads an object', async () => {
    const schema = z.object({ city: z.string(), warm: z.boolean() });
    const asked = { model: chat('openrouter/org/model-x'), prompt: 'Where?', maxRetries: 0 };
    const { output } = await generateText({ ...asked, output: Output.object({ schema }) });
    expect(output).toEqual({ city: 'Rome', warm: true });
  });
});
