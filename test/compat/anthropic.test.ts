import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSilences } from '../../src/compat/silences.ts';
import { anthropicFake } from '../matrix/anthropic.ts';
import { type Fakes, keyOf, sse, startFakes, TOOLS, type Vendor } from '../matrix/fake.ts';
import { geminiFake } from '../matrix/gemini.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// Anthropic's own client, unmodified, against a real server.

const CLAUDE: Vendor = { name: 'anthropic', type: 'anthropic', fake: anthropicFake('claude-opus-4-6') };
const GEMINI: Vendor = { name: 'google', type: 'google', fake: geminiFake('gemini-3-pro') };
const NONE = { inOrder: [], anywhere: [], calls: [] };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let fakes: Fakes;
let server: TestServer;
let secret: string;
let client: Anthropic;

async function makeKey(fields: object): Promise<string> {
  const { body } = await server.call('/api/keys', { name: 'K', scopes: ['chat'], ...fields });
  return body.secret;
}

beforeAll(async () => {
  fakes = await startFakes([CLAUDE, GEMINI]);
  server = await startTestServer({
    ANTHROPIC_BASE_URL: `${fakes.url}/anthropic`,
    ANTHROPIC_API_KEY: keyOf('anthropic'),
    GOOGLE_BASE_URL: `${fakes.url}/google`,
    GEMINI_API_KEY: keyOf('google'),
  });
  secret = await makeKey({});
  client = new Anthropic({ baseURL: server.url, apiKey: secret, maxRetries: 0 });
});

afterAll(async () => {
  await server.stop();
  await fakes.stop();
});

const tools = TOOLS.map(({ parameters, ...tool }) => ({
  ...tool,
  input_schema: { ...parameters, type: 'object' as const },
}));
const asked = (content: Anthropic.MessageParam['content']): Anthropic.MessageParam => ({ role: 'user', content });
const demo = (content: string) => ({ model: 'demo', max_tokens: 100, messages: [asked(content)] });

describe('an answer', () => {
  it('is whole, with what an answer of Anthropic’s has', async () => {
    const { data, response, request_id } = await client.messages.create(demo('/say Hello there')).withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      ...{ type: 'message', role: 'assistant', stop_reason: 'end_turn', stop_sequence: null },
      content: [{ type: 'text', text: 'Hello there' }],
      usage: { output_tokens: 2, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    });
    expect(data.usage.input_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-profclaw-provider')).toBe('demo');
    expect(response.headers.get('request-id')).toBe(request_id);
  });

  it('ends with max_tokens where they are used up', async () => {
    const message = await client.messages.create({ ...demo('/say One two three four'), max_tokens: 2 });
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ text: 'One two' }] });
  });

  it('comes as events in their order', async () => {
    const types: string[] = [];
    const text = '/reason Hm hm\n/say Well now\n/tool look {"at":"it"}';
    const tool = { name: 'look', input_schema: { type: 'object' as const } };
    for await (const event of await client.messages.create({ ...demo(text), tools: [tool], stream: true }))
      types.push(event.type === 'content_block_delta' ? event.delta.type : event.type);
    const block = (...deltas: string[]): string[] => ['content_block_start', ...deltas, 'content_block_stop'];
    expect(types.filter((type, i) => type !== types[i - 1])).toEqual([
      'message_start',
      ...block('thinking_delta', 'signature_delta'),
      ...block('text_delta'),
      ...block('input_json_delta'),
      ...['message_delta', 'message_stop'],
    ]);
  });

  it('is put together by messages.stream()', async () => {
    const texts: string[] = [];
    const stream = client.messages
      .stream(demo('/reason Hm\n/say Well now\n/stream 2'))
      .on('text', (t) => texts.push(t));
    const message = await stream.finalMessage();
    expect(message).toMatchObject({
      stop_reason: 'end_turn',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: expect.stringMatching(/^profclaw:/) },
        { type: 'text', text: 'Well now' },
      ],
    });
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(texts.length).toBeGreaterThan(1);
  });
});

describe('a round with tools', () => {
  for (const { name, type, fake } of [CLAUDE, GEMINI]) {
    for (const stream of [false, true]) {
      it(`goes back to ${name} as it came, ${stream ? 'streamed' : 'whole'}`, async () => {
        const ask = (messages: Anthropic.MessageParam[]) => {
          const body = { model: `${type}/${fake.model}`, max_tokens: 1000, messages, tools };
          return stream ? client.messages.stream(body).finalMessage() : client.messages.create(body);
        };
        const calls = TOOLS.map(({ name: tool }, i) => ({ name: tool, args: { place: `P${name}${stream}${i}` } }));
        const plan = { reasoning: `thought-${name}-${stream ? 1 : 2}`, text: 'Let me see.', calls };
        fakes.expect(plan, NONE);
        const first = await ask([asked('Where?')]);
        expect(first.stop_reason).toBe('tool_use');
        const uses = first.content.filter((block) => block.type === 'tool_use');
        expect(uses.map(({ input }) => input)).toEqual(calls.map(({ args }) => args));
        const thoughts = first.content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : []));
        expect(thoughts.join('')).toBe(plan.reasoning);
        // The fake refuses what is not exactly what it gave.
        fakes.expect({ reasoning: '', text: 'There.', calls: [] }, { ...NONE, inOrder: ['R0', 'R1'] });
        const results = uses.map(({ id }, i) => ({ type: 'tool_result' as const, tool_use_id: id, content: `R${i}` }));
        const second = await ask([asked('Where?'), { role: 'assistant', content: first.content }, asked(results)]);
        expect(second.stop_reason).toBe('end_turn');
        expect(second.content[0]).toMatchObject({ type: 'text', text: 'There.' });
      });
    }
  }

  it('has Anthropic’s own signatures as they are, and ours for others', async () => {
    const signed = async ({ type, fake, name }: Vendor): Promise<string[]> => {
      fakes.expect({ reasoning: `thought-${name}-9`, text: 'So.', calls: [] }, NONE);
      const body = { model: `${type}/${fake.model}`, max_tokens: 1000, messages: [asked('Why?')] };
      const { content } = await client.messages.create(body);
      return content.flatMap((block) => (block.type === 'thinking' ? [block.signature] : []));
    };
    expect(await signed(CLAUDE)).toEqual([expect.stringMatching(/^sealed-anthropic-/)]);
    expect(await signed(GEMINI)).toEqual([expect.stringMatching(/^profclaw:/)]);
  });

  it('is led by the tool runner', async () => {
    const seen: unknown[] = [];
    const runner = client.beta.messages.toolRunner({
      ...demo('/tool weigh {"what":"feather"}\n/next\n/say Light'),
      tools: [
        {
          ...{ type: 'custom', name: 'weigh', description: 'Weighs', input_schema: { type: 'object' } },
          run: (input: unknown) => {
            seen.push(input);
            return '1 g';
          },
          parse: (input: unknown) => input,
        },
      ],
    });
    expect((await runner).content).toMatchObject([{ type: 'text', text: 'Light' }]);
    expect(seen).toEqual([{ what: 'feather' }]);
  });

  it('takes pictures, documents and a system prompt', async () => {
    fakes.expect(
      { reasoning: '', text: 'Seen.', calls: [] },
      { ...NONE, anywhere: ['Be brief.', PIXEL, 'What is it?'] },
    );
    const message = await client.messages.create({
      ...{ model: 'anthropic/claude-opus-4-6', max_tokens: 100 },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      metadata: { user_id: 'u' },
      messages: [
        asked([
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          { type: 'text', text: 'What is it?' },
        ]),
      ],
    });
    expect(message.content).toMatchObject([{ type: 'text', text: 'Seen.' }]);
  });
});

describe('countTokens', () => {
  it('gives an estimate that grows with the text', async () => {
    const count = async (text: string): Promise<number> =>
      (await client.messages.countTokens({ model: 'demo', messages: [asked(text)] })).input_tokens;
    const few = await count('Hello');
    expect(few).toBeGreaterThan(0);
    expect(await count('Hello there '.repeat(50))).toBeGreaterThan(few + 50);
  });
});

describe('an error', () => {
  const failure = (content: Json): Promise<Json> =>
    client.messages.create({ ...demo(''), ...content }).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('names every problem of a request', async () => {
    const error = await failure({
      messages: [asked([{ type: 'tool_result', tool_use_id: 'x', content: 'y' }])],
      tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }],
      mcp_servers: [{}],
      tool_chioce: 1,
    });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error.requestID).toMatch(/^req_/);
    const { message } = error.error.error;
    expect(message).toMatch(/tools\.0\.type: web_search_20250305 is a tool of Anthropic’s own/);
    expect(message).toMatch(/tool_chioce: there is no such field/);
    expect(message).toMatch(/mcp_servers: servers of tools/);
    expect(message).not.toMatch(/max_uses|input_schema: is missing/);
    const stray = await failure({ messages: [asked([{ type: 'tool_result', tool_use_id: 'x', content: 'y' }])] });
    expect(stray.error.error.message).toMatch(/messages\.0\.content\.0\.tool_use_id: no tool_use block before it/);
  });

  it('is of the class of its status', async () => {
    expect(await failure({ model: 'no-such-model-at-all' })).toBeInstanceOf(Anthropic.NotFoundError);
    const messages = (order: string) => ({ messages: [asked(order)] });
    expect(await failure(messages('/fail 429 Slow down'))).toBeInstanceOf(Anthropic.RateLimitError);
    expect(await failure({ max_tokens: undefined })).toBeInstanceOf(Anthropic.BadRequestError);
  });

  it('is one of authentication for a wrong key, in either header, and of the rate for one that is used up', async () => {
    const ask = (options: object) =>
      new Anthropic({ baseURL: server.url, maxRetries: 0, ...options }).messages.create(demo('/say A'));
    const wrong = `profclaw_${'x'.repeat(43)}`;
    await expect(ask({ apiKey: wrong })).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await expect(ask({ apiKey: null, authToken: wrong })).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    const limited = await makeKey({ rateLimit: 1 });
    expect(await ask({ apiKey: null, authToken: limited })).toMatchObject({ content: [{ text: 'A' }] });
    const error: Json = await ask({ apiKey: limited }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect(error.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
    expect(error.requestID).toMatch(/^req_/);
  });

  it('in the middle of a stream is its last event', async () => {
    const stream = client.messages.stream(demo('/say Well\n/cut 500 Broken'));
    const error: Json = await stream.finalMessage().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error.error).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });
});

describe('a caller who leaves', () => {
  it('ends the call of the provider', async () => {
    const { promise: left, resolve: leave } = Promise.withResolvers<boolean>();
    const vendor = createServer((_, response) => {
      response.on('close', () => leave(true));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const events = [
        { type: 'message_start', message: { usage: { input_tokens: 3 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'And' } },
      ];
      for (const event of events) response.write(sse(event, event.type));
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
    const { port } = vendor.address() as AddressInfo;
    const own = await startTestServer({ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` });
    const { body } = await own.call('/api/keys', { name: 'K', scopes: ['chat'] });
    const there = new Anthropic({ baseURL: own.url, apiKey: body.secret });
    const stream = there.messages.stream({ model: 'claude-opus-4-6', max_tokens: 9, messages: [asked('Go on')] });
    stream.on('text', () => stream.abort());
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    expect(await left).toBe(true);
    await own.stop();
    vendor.close();
  });
});

describe('a silence', () => {
  it('is told of until the next item comes, and the source is ended with its reader', async () => {
    let isEnded = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    async function* source() {
      try {
        yield 1;
        await promise;
        yield 2;
        yield 3;
      } finally {
        isEnded = true;
      }
    }
    const seen: unknown[] = [];
    for await (const item of withSilences(source(), 1)) {
      seen.push(item);
      if (item === undefined) resolve();
      if (item === 2) break;
    }
    expect(seen.filter((item) => item !== undefined)).toEqual([1, 2]);
    expect(seen).toContain(undefined);
    expect(isEnded).toBe(true);
  });
});
