import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

// Requests as editors, agents and chat pages send them, with fields that the vendors' own references do not have, and
// what of them reaches a provider.

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = `data:image/png;base64,${PIXEL}`;
const MARK = { cache_control: { type: 'ephemeral' as const } };

/** Speaks both wires; `got` is the last request. */
let got: Json;
const vendor = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  response.setHeader('content-type', 'application/json');
  if (request.method === 'GET') return void response.end('{"data":[]}');
  got = JSON.parse(text);
  const isChat = request.url?.endsWith('/chat/completions');
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Done' }, finish_reason: 'stop' }];
  const message = { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Done' }] };
  const usage = { input_tokens: 1, output_tokens: 1, prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  response.end(JSON.stringify(isChat ? { id: 'c', choices, usage } : { ...message, stop_reason: 'end_turn', usage }));
});

let server: TestServer;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  server = await startTestServer({
    ...{ OPENROUTER_API_KEY: 'k', OPENROUTER_BASE_URL: url },
    ...{ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: url },
  });
  // What programs send that were given no key.
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'not-provided', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'not-provided', maxRetries: 0 });
});

afterAll(async () => {
  await server.stop();
  vendor.closeAllConnections();
  vendor.close();
});

async function chat(body: Json): Promise<string[]> {
  const { response } = await openai.chat.completions.create({ model: 'openrouter/org/m', ...body }).withResponse();
  return JSON.parse(response.headers.get('x-profclaw-warnings') ?? '[]');
}

describe('a key that is none of ours', () => {
  it('is as good as none: enough where none is needed, and no more', async () => {
    expect(await chat({ messages: [{ role: 'user', content: 'x' }] })).toEqual([]);
    const locked = await startTestServer({ PROFCLAW_ACCESS_KEY: 'a-long-access-key-for-this-test-0123456789' });
    const there = { apiKey: 'not-provided', maxRetries: 0 };
    const request = { model: 'demo', messages: [{ role: 'user' as const, content: 'x' }] };
    await expect(
      new OpenAI({ ...there, baseURL: `${locked.url}/v1` }).chat.completions.create(request),
    ).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(
      new Anthropic({ ...there, baseURL: locked.url }).messages.create({ ...request, max_tokens: 9 }),
    ).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    await locked.stop();
  });

  it('which begins like ours is refused', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'profclaw_none', maxRetries: 0 });
    await expect(client.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe('chat completions', () => {
  it('with marks for a cache, on texts, tools and messages', async () => {
    const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } }, ...MARK };
    const messages = [
      { role: 'system', content: [{ type: 'text', text: 'Be brief', ...MARK }] },
      { role: 'user', content: [{ type: 'text', text: 'Hello', ...MARK }], ...MARK },
    ];
    expect(await chat({ messages, tools: [tool], ...MARK })).toEqual([]);
    expect(JSON.stringify(got)).toMatch(/Be brief.*Hello.*look/);
    expect(JSON.stringify(got.messages)).not.toContain('profclaw');
  });

  it('with a picture in the result of a tool', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '' } };
    const content = [
      { type: 'text', text: 'It is' },
      { type: 'image_url', image_url: { url: IMAGE, detail: null } },
    ];
    const messages = [
      { role: 'user', content: 'Look' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content },
    ];
    await chat({ messages });
    expect(got.messages[2]).toMatchObject({
      role: 'tool',
      tool_call_id: 'c1',
      content: expect.stringContaining('It is'),
    });
    expect(JSON.stringify(got.messages)).toContain(PIXEL);
  });

  it('with what gateways write into their answers', async () => {
    const answer = {
      ...{ id: 'm1', role: 'assistant', content: 'Well', function_call: null, audio: null, refusal: null },
      ...{ tool_calls: null, annotations: [], provider_specific_fields: { a: 1 }, thinking_blocks: [] },
      ...{ reasoning: 'Hm', reasoning_details: [] },
    };
    await chat({ messages: [{ role: 'user', content: 'x' }, answer, { role: 'user', content: 'y' }] });
    expect(got.messages.map(({ role, content }: Json) => [role, content])).toEqual([
      ['user', 'x'],
      ['assistant', 'Well'],
      ['user', 'y'],
    ]);
  });

  it('with empty texts, which a provider does not get', async () => {
    const content = [
      { type: 'text', text: '' },
      { type: 'text', text: 'Hello' },
    ];
    await chat({
      messages: [
        { role: 'system', content: '' },
        { role: 'user', content },
      ],
    });
    expect(got.messages).toHaveLength(1);
    expect(JSON.stringify(got.messages)).not.toContain('"text":""');
  });

  it('with parameters of other servers: sent on, or named', async () => {
    const other = { num_ctx: 4096, min_p: 0.1, repeat_penalty: 1.1, top_logprobs: 0, usage: { include: true } };
    const messages = [{ role: 'user', content: 'x' }];
    const warnings = await chat({ messages, ...other, stop: ['a', 'b', 'c', 'd', 'e'] });
    expect(warnings.map((one) => one.split(':')[0])).toEqual(['min_p', 'repeat_penalty', 'num_ctx']);
    expect(got.stop).toEqual(['a', 'b', 'c', 'd', 'e']);
    const model = 'anthropic/claude-sonnet-4-5';
    await chat({ model, messages, top_k: 40 });
    expect(got).toMatchObject({ top_k: 40 });
    expect(got).not.toHaveProperty('thinking');
    for (const reasoning of [{ effort: 'high' }, { enabled: true }, { max_tokens: 2000 }]) {
      await chat({ model, messages, reasoning, include_reasoning: true });
      expect(got).toHaveProperty('thinking');
    }
  });
});

describe('models', () => {
  it('are found by any name that can be asked for, and listed for clients that say their version', async () => {
    expect(await openai.models.retrieve('demo')).toMatchObject({ id: 'demo', owned_by: 'demo' });
    await expect(openai.models.retrieve('no-such-model')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const { data } = await openai.models.list({ query: { client_version: '0.120.0' } });
    expect(data.map(({ id }) => id)).toContain('demo/demo');
  });
});

describe('messages', () => {
  const claude = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 9000 };

  it('of a coding agent: its many tools, marks, betas and its own fields', async () => {
    const tool = (name: string): Json => ({
      ...{ name, description: 'x', eager_input_streaming: true, defer_loading: false },
      input_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: {} },
    });
    const tools = Array.from({ length: 200 }, (_, index) => tool(`tool_${index}`));
    const found = [
      { type: 'text', text: 'Found' },
      { type: 'tool_reference', tool_name: 'tool_7' },
    ];
    const body: Json = {
      ...{ ...claude, tools: [...tools, { ...tool('Bash'), ...MARK }] },
      system: [
        { type: 'text', text: 'A header of its own' },
        { type: 'text', text: 'You are an agent', cache_control: { type: 'ephemeral', ttl: '1h', scope: 'global' } },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Look', ...MARK }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: found, ...MARK }] },
        { role: 'system', content: 'Remember' },
      ],
      ...{ metadata: { user_id: 'u' }, thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      ...{ diagnostics: { previous_message_id: 'm' }, betas: ['claude-code-20250219'] },
    };
    const { response } = await anthropic.beta.messages.create(body, { query: { beta: 'true' } }).withResponse();
    expect(JSON.parse(response.headers.get('x-profclaw-warnings') ?? '[]')).toEqual([
      'context_management: there is no such thing here; left out',
    ]);
    expect(got.tools).toHaveLength(201);
    expect(JSON.stringify(got.messages)).toContain('The tool tool_7 can be used.');
    const { max_tokens: _, metadata: __, context_management: ___, diagnostics: ____, ...counted } = body;
    expect((await anthropic.beta.messages.countTokens(counted)).input_tokens).toBeGreaterThan(200);
  });

  it('with fields that ask for nothing', async () => {
    const nothing: Json = { system: null, tools: null, tool_choice: null, mcp_servers: [], fallbacks: [] };
    await anthropic.messages.create({ ...claude, ...nothing, messages: [{ role: 'user', content: 'x' }] });
    expect(got.messages).toHaveLength(1);
    const call = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } };
    const asked = [
      { role: 'user', content: 'Look' },
      { role: 'assistant', tool_calls: [call] },
    ];
    await chat({ messages: [...asked, { role: 'tool', tool_call_id: 'c1', content: null }] });
    expect(got.messages[2]).toMatchObject({ role: 'tool', content: '' });
    const some: Json = { ...nothing, mcp_servers: [{}] };
    await expect(
      anthropic.messages.create({ ...claude, ...some, messages: [{ role: 'user', content: 'x' }] }),
    ).rejects.toThrow('mcp_servers: servers of tools are set up at this server');
  });

  it('with documents in pieces and results of a search', async () => {
    const source = { type: 'content', content: [{ type: 'text', text: 'Piece' }] };
    const content: Json = [
      { type: 'document', title: 'Paper', source },
      { type: 'search_result', title: 'Page', source: 'https://a.example', content: [{ type: 'text', text: 'Hit' }] },
      { type: 'text', text: 'And?' },
    ];
    await anthropic.messages.create({ ...claude, messages: [{ role: 'user', content }] });
    const texts = got.messages[0].content.map(({ text }: Json) => text);
    expect(texts).toEqual(['Paper', 'Piece', 'Page\n\nhttps://a.example\n\nHit', 'And?']);
  });

  it('with tools that models of Anthropic’s know: any model is told what they are', async () => {
    const tools: Json = [
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 9000, ...MARK },
    ];
    await anthropic.messages.create({
      ...{ model: 'openrouter/org/m', max_tokens: 9, tools },
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(got.tools.map((one: Json) => one.function.name)).toEqual(['bash', 'str_replace_based_edit_tool']);
    expect(Object.keys(got.tools[1].function.parameters.properties)).toContain('insert_text');
  });

  it('and its helper carries their calls out', async () => {
    const seen: Json[] = [];
    const never = (): string => expect.fail('another command was called');
    const view = (command: Json): string => {
      seen.push(command);
      return 'empty';
    };
    const handlers = { view, create: never, str_replace: never, insert: never, delete: never, rename: never };
    const runner = anthropic.beta.messages.toolRunner({
      ...{ model: 'demo', max_tokens: 99, tools: [betaMemoryTool(handlers as Json)] },
      messages: [{ role: 'user', content: '/tool memory {"command":"view","path":"/memories"}\n/next\n/say Nothing' }],
    });
    expect((await runner).content).toEqual([{ type: 'text', text: 'Nothing' }]);
    expect(seen).toEqual([{ command: 'view', path: '/memories' }]);
  });
});
