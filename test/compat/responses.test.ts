import { createOpenAI } from '@ai-sdk/openai';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled, tool } from '@openai/agents';
import { generateText, tool as sdkTool, stepCountIs, streamText } from 'ai';
import OpenAI, { BadRequestError } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import type { ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Json, startTestServer, type TestServer } from '../server.ts';

let server: TestServer;
let client: OpenAI;
let key: string;

beforeAll(async () => {
  server = await startTestServer();
  const made = await server.call('/api/keys', { name: 'responses', scopes: ['chat', 'conversations:read'] });
  key = made.body.secret as string;
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
  // Its types are those of an older client.
  setDefaultOpenAIClient(client as never);
  setTracingDisabled(true);
});
afterAll(async () => {
  await server.stop();
});

const LOOK = '/reason Where is it\n/say Let me look\n/tool weather {"city":"Rome"}\n/next\n/say Sunny there';
const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};

describe('the client of OpenAI', () => {
  it('gets a whole response', async () => {
    const response = await client.responses.create({
      model: 'demo',
      instructions: 'Be short',
      input: '/say Hello there',
      metadata: { a: 'b' },
    });
    expect(response.output_text).toBe('Hello there');
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      error: null,
      instructions: 'Be short',
      metadata: { a: 'b' },
      store: true,
    });
    expect(response.id).toMatch(/^resp_/);
    expect(response.usage?.total_tokens).toBe(
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    );
    expect(response.usage?.output_tokens).toBeGreaterThan(0);
  });

  it('reads the events of a stream, numbered from 0 and each in its place', async () => {
    const stream = await client.responses.create({ model: 'demo', input: LOOK, tools: [WEATHER], stream: true });
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    const kinds = events.map(({ type }) => type.replace('response.', ''));
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
    const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event] : []));
    expect(done.map(({ output_index }) => output_index)).toEqual([0, 1, 2]);
    const last = events.at(-1);
    expect(last?.type === 'response.completed' && last.response.output).toEqual(done.map(({ item }) => item));
  });

  it('puts together with its own helper what the whole response has', async () => {
    const stream = client.responses.stream({ model: 'demo', input: LOOK, tools: [WEATHER] });
    let said = '';
    stream.on('response.output_text.delta', ({ delta }) => {
      said += delta;
    });
    const final = await stream.finalResponse();
    expect(said).toBe('Let me look');
    expect(final.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
    expect(final.output[2]).toMatchObject({ name: 'weather', arguments: '{"city":"Rome"}', status: 'completed' });
  });

  it('gives a response’s items back as they came, with the results of its calls', async () => {
    const first = await client.responses.create({
      model: 'demo',
      input: LOOK,
      tools: [WEATHER],
      store: false,
      include: ['reasoning.encrypted_content'],
    });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(first.output[0]).toMatchObject({
      type: 'reasoning',
      encrypted_content: expect.stringMatching(/^profclaw:/),
    });
    const input: ResponseInputItem[] = [
      { role: 'user', content: LOOK },
      ...(first.output as ResponseInputItem[]),
      { type: 'function_call_output', call_id: call?.call_id ?? '', output: [{ type: 'input_text', text: 'sun' }] },
    ];
    const second = await client.responses.create({ model: 'demo', input, tools: [WEATHER], store: false });
    expect(second.output_text).toBe('Sunny there');
  });

  it('parses what has a form', async () => {
    const format = zodTextFormat(z.object({ city: z.string() }), 'place');
    const parsed = await client.responses.parse({
      model: 'demo',
      input: '/say {"city":"Rome"}',
      text: { format },
    });
    expect(parsed.output_parsed).toEqual({ city: 'Rome' });
  });

  it('is told that an answer is not whole, and why', async () => {
    const short = await client.responses.create({
      model: 'demo',
      input: '/say one two three four',
      max_output_tokens: 2,
    });
    expect(short).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect(short.output[0]).toMatchObject({ status: 'incomplete' });
  });

  it('is told of a failure in the middle by the last event', async () => {
    const stream = await client.responses.create({ model: 'demo', input: '/say half\n/cut 503 gone', stream: true });
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'provider_unavailable' }, output: [{ status: 'incomplete' }] },
    });
    await expect(client.responses.create({ model: 'demo', input: '/say half\n/cut 503 gone' })).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
  });

  it('is warned of what is left out', async () => {
    const { response } = await client.responses
      .create({
        model: 'demo',
        input: '/say a',
        store: true,
        truncation: 'auto',
        user: 'u',
        service_tier: 'auto',
        text: { verbosity: 'low' },
      })
      .withResponse();
    const warnings = JSON.parse(response.headers.get('x-profclaw-warnings') ?? '[]') as string[];
    expect(warnings.map((warning) => warning.split(' ')[0])).toEqual(['text.verbosity', 'truncation']);
  });

  it.for([
    ['input', { input: undefined }],
    ['input.0.id', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['input.0.type', { input: [{ type: 'computer_call', id: 'msg_1' }] }],
    ['input.0.content', { input: [{ role: 'user', content: [{ type: 'input_audio' }] }] }],
    [
      'input.1.call_id',
      {
        input: [
          { role: 'user', content: 'a' },
          { type: 'function_call_output', call_id: 'c', output: 'x' },
        ],
      },
    ],
    ['tools.0.type', { tools: [{ type: 'nonsense' }] }],
    ['tools.0.name', { tools: [{ type: 'custom' }] }],
    ['tool_choice', { tools: [{ type: 'web_search' }], tool_choice: 'required' }],
    ['tool_choice', { tool_choice: { type: 'function', name: 'none_such' } }],
    ['store', { background: true, store: false }],
    ['tools', { background: true, tools: [WEATHER] }],
    ['top_logprobs', { background: true, top_logprobs: 2 }],
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['previous_response_id', { previous_response_id: 'resp_1', conversation: 'conv_1' }],
    ['store', { conversation: 'conv_1', store: false }],
    ['max_tool_calls', { max_tool_calls: 0 }],
    ['temprature', { temprature: 1 }],
  ] as const)('is refused %s by its name', async ([param, fields]) => {
    const asked = client.responses.create({ model: 'demo', input: 'Hi', ...fields } as never);
    const error = await asked.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(BadRequestError);
    // An unknown parameter is named in the message, since its place is the whole body.
    expect(param === 'temprature' ? (error as Error).message : (error as BadRequestError).param).toContain(param);
  });
});

describe('an editor’s request', () => {
  it('has tools that take a text, and others that are not to be had', async () => {
    const patch = { type: 'custom', name: 'apply_patch', description: 'Edits', format: { type: 'text' } };
    const fields = {
      model: 'demo',
      instructions: 'Edit',
      tools: [patch, { type: 'web_search' }, { type: 'local_shell' }, WEATHER],
      store: false,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'p',
      client_metadata: { a: 'b' },
      parallel_tool_calls: false,
    };
    const asked = { role: 'user', content: '/tool apply_patch {"input":"*** Begin"}\n/next\n/say Done' };
    const ask = (body: object) =>
      client.responses.create({ ...fields, ...body } as never) as unknown as Promise<Json> & {
        withResponse(): Promise<{ data: Json; response: Response }>;
      };
    const { data, response } = await ask({ input: [asked] }).withResponse();
    expect(JSON.parse(response.headers.get('x-profclaw-warnings') ?? '[]')).toEqual(
      expect.arrayContaining([expect.stringContaining('web_search'), expect.stringContaining('local_shell')]),
    );
    expect(data.tools.map(({ type }: Json) => type)).toEqual(['custom', 'function']);
    const [call] = data.output;
    expect(call).toMatchObject({ type: 'custom_tool_call', name: 'apply_patch', input: '*** Begin' });
    const events: Json[] = [];
    for await (const event of (await ask({ input: [asked], stream: true })) as AsyncIterable<Json>) events.push(event);
    const types = events.map(({ type }) => type).filter((type) => type.includes('custom'));
    expect(types).toEqual(['response.custom_tool_call_input.delta', 'response.custom_tool_call_input.done']);
    const output = { type: 'custom_tool_call_output', call_id: call.call_id, output: 'ok' };
    expect((await ask({ input: [asked, ...data.output, output] })).output_text).toBe('Done');
    const first = await ask({ input: [asked], store: true });
    expect((await client.responses.retrieve(first.id)).output).toEqual(first.output);
  });
});

describe('OpenAI’s agents', () => {
  const asked: string[] = [];
  const weather = tool({
    name: 'weather',
    description: 'The weather of a city',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => {
      asked.push(city);
      return 'sun';
    },
  });
  const agent = new Agent({ name: 'Guide', instructions: 'Be kind', model: 'demo', tools: [weather] });

  it('carry out a tool and go on', async () => {
    asked.length = 0;
    const result = await run(agent, LOOK);
    expect(result.finalOutput).toBe('Sunny there');
    expect(asked).toEqual(['Rome']);
  });

  it('do so streamed', async () => {
    asked.length = 0;
    const result = await run(agent, LOOK, { stream: true });
    let said = '';
    for await (const piece of result.toTextStream()) said += piece;
    await result.completed;
    expect(said).toBe('Let me lookSunny there');
    expect(result.finalOutput).toBe('Sunny there');
    expect(asked).toEqual(['Rome']);
  });
});

describe('the AI SDK', () => {
  const options = { providerOptions: { openai: { store: false } }, stopWhen: stepCountIs(3) };
  const tools = {
    weather: sdkTool({ inputSchema: z.object({ city: z.string() }), execute: ({ city }) => `sun in ${city}` }),
  };
  const model = () => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: key })('demo');

  it('generates over several steps', async () => {
    const result = await generateText({ model: model(), prompt: LOOK, tools, ...options });
    expect(result.text).toBe('Sunny there');
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(result.steps[0]?.reasoningText).toBe('Where is it');
  });

  it('streams over several steps', async () => {
    const result = streamText({ model: model(), prompt: LOOK, tools, ...options });
    let said = '';
    for await (const piece of result.textStream) said += piece;
    expect(said).toBe('Let me lookSunny there');
    expect((await result.steps)[0]?.toolResults[0]?.output).toBe('sun in Rome');
  });
});
