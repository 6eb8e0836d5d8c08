import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

const SUITE = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance/dist/index.js');
const ACCESS_KEY = 'a-long-access-key-for-this-test-0123456789';
const TOOLS = [
  'ask',
  'send_message',
  'list_models',
  'list_conversations',
  'read_conversation',
  'start_run',
  'get_run',
  'cancel_run',
];

let server: TestServer;
let locked: TestServer;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
  locked = await startTestServer({ PROFCLAW_ACCESS_KEY: ACCESS_KEY });
});
afterAll(async () => {
  for (const client of open) await client.close();
  await server.stop();
  await locked.stop();
});

async function older(url = server.url, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } });
  // Its optional fields are typed for a compiler with other settings.
  await client.connect(transport as Parameters<Client['connect']>[0]);
  open.push(client);
  return client;
}

async function modern(url = server.url): Promise<ModernClient> {
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL('/mcp', url)));
  open.push(client);
  return client;
}

async function call(client: Client | ModernClient, name: string, args: Json = {}): Promise<Json> {
  const result: Json = await client.callTool({ name, arguments: args });
  expect(result.isError, JSON.stringify(result.content)).toBeFalsy();
  return result.structuredContent;
}

async function keyOf(...scopes: string[]): Promise<Record<string, string>> {
  const login = await locked.call('/api/auth/verify-access-key', { key: ACCESS_KEY });
  const cookie = login.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const { status, body } = await locked.call('/api/keys', undefined, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'K', scopes }),
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return { authorization: `Bearer ${body.secret}` };
}

describe.each([
  ['the older client', older],
  ['the newer client', modern],
] as const)('%s', (_, connect) => {
  let client: Client | ModernClient;
  beforeAll(async () => {
    client = await connect();
  });

  it('sees who it talks to, and the tools with schemas and hints', async () => {
    expect(client.getServerVersion()).toMatchObject({ name: 'profclaw', version: 'test' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(TOOLS);
    for (const tool of tools) {
      expect(tool.title).toBeTruthy();
      expect(tool.description).toBeTruthy();
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
    }
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]));
    expect(hints.get_run).toMatchObject({ readOnlyHint: true });
    expect(hints.cancel_run).toMatchObject({ readOnlyHint: false, destructiveHint: true });
  });

  it('asks', async () => {
    const result: Json = await client.callTool({ name: 'ask', arguments: { prompt: '/say Hello', model: 'demo' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Hello' }]);
    expect(result.structuredContent).toMatchObject({ answer: 'Hello', provider: 'demo', finish_reason: 'stop' });
  });

  it('begins a conversation, goes on with it, finds and reads it', async () => {
    const first = await call(client, 'send_message', { content: '/say Quokka one', model: 'demo' });
    const { conversation_id: id } = first;
    expect(await call(client, 'send_message', { conversation_id: id, content: '/say Two' })).toMatchObject({
      conversation_id: id,
      answer: 'Two',
    });
    const found = await call(client, 'list_conversations', { q: 'Quokka' });
    expect(found.conversations.map((one: Json) => one.id)).toContain(id);
    const whole = await call(client, 'read_conversation', { id });
    expect(whole.messages.map(({ role, text }: Json) => [role, text])).toEqual([
      ['user', '/say Quokka one'],
      ['assistant', 'Quokka one'],
      ['user', '/say Two'],
      ['assistant', 'Two'],
    ]);
    expect(whole).toMatchObject({ has_more: false, next_before: null });
    const cut = await call(client, 'read_conversation', { id, limit: 1 });
    expect(cut).toMatchObject({ has_more: true, messages: [{ text: 'Two' }], next_before: expect.any(Number) });
    const before = await call(client, 'read_conversation', { id, before: cut.next_before });
    expect(before.messages).toHaveLength(3);
  });

  it('cuts what is long, and says so', async () => {
    const long = 'x'.repeat(30_000);
    const message = { content: `/say ${long}`, model: 'demo' };
    const { conversation_id: id } = await call(client, 'send_message', message);
    await call(client, 'send_message', { conversation_id: id, ...message });
    const read = await call(client, 'read_conversation', { id });
    expect(read.has_more).toBe(true);
    expect(read.messages.at(-1).text).toMatch(/x\n\[cut: 10000 of 30000 characters left out\]$/);
    expect(JSON.stringify(read).length).toBeLessThan(70_000);
  });

  it('starts a run, sees what it waits for, and stops it', async () => {
    const content = '/say Let me\n/tool write_file {"path": "a.txt", "content": "A"}\n/next\n/say Done';
    const run = await call(client, 'start_run', { content, model: 'demo', wait_seconds: 20 });
    expect(run).toMatchObject({
      status: 'waiting_approval',
      answer: 'Let me',
      max_steps: 20,
      pending_approvals: [{ tool: 'write_file', call: expect.stringContaining('a.txt') }],
      how_to_answer: expect.stringContaining('/api/chat/tools/approve'),
    });
    expect(await call(client, 'get_run', { id: run.run_id })).toEqual(run);
    expect(await call(client, 'cancel_run', { id: run.run_id })).toMatchObject({ status: 'cancelled' });
    const again: Json = await client.callTool({ name: 'cancel_run', arguments: { id: run.run_id } });
    expect(again).toMatchObject({ isError: true, _meta: { 'profclaw/error': { code: 'conflict' } } });
  });

  it('sees a run to its end', async () => {
    const content = '/tool list_directory {"path": "."}\n/next\n/say Done';
    const started = await call(client, 'start_run', { content, model: 'demo', effort: 'low' });
    const run = await call(client, 'get_run', { id: started.run_id, wait_seconds: 20 });
    expect(run).toMatchObject({ status: 'completed', answer: expect.stringContaining('Done'), max_steps: 5 });
    expect(run.tool_calls).toMatchObject([{ name: 'list_directory', status: 'success' }]);
  });

  it('lists models', async () => {
    const { models, total } = await call(client, 'list_models', { limit: 1 });
    expect(models).toHaveLength(1);
    expect(total).toBeGreaterThan(1);
    const demo = await call(client, 'list_models', { q: 'DEMO' });
    expect(demo.models.map((one: Json) => one.name)).toContain('demo/demo');
  });

  it.for([
    ['ask', { prompt: 'x', temprature: 1 }, /temprature/],
    ['ask', {}, /prompt/],
    ['ask', { prompt: 'x', model: 'no-such-model' }, /no-such-model.*\(model_not_found\)/s],
    ['ask', { prompt: '/fail 429 Slow down', model: 'demo' }, /\(provider_rate_limited\)/],
    ['read_conversation', { id: 'conv_none' }, /conv_none.*\(not_found\)/],
    ['get_run', { id: 'run_none', wait_seconds: 1 }, /run_none.*\(not_found\)/],
    ['start_run', { content: 'x', security_mode: 'yolo' }, /security_mode/],
  ] as const)('is told what is wrong: %s %o', async ([name, args, text]) => {
    const result: Json = await client.callTool({ name, arguments: args });
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toMatch(text);
  });

  it('has no tool that answers approvals', async () => {
    await expect(client.callTool({ name: 'answer_approval', arguments: {} })).rejects.toMatchObject({ code: -32_602 });
  });

  it('is told the progress, if it asks', async () => {
    const told: Json[] = [];
    const onprogress = (one: Json): void => void told.push(one);
    const wanted = { name: 'ask', arguments: { prompt: '/say Hello\n/stream 3', model: 'demo' } };
    // The one signature is the older client's, the other the newer one's.
    if (client instanceof Client) await client.callTool(wanted, undefined, { onprogress });
    else await client.callTool(wanted, { onprogress });
    expect(told[0]).toMatchObject({ progress: expect.any(Number), message: expect.stringContaining('characters') });
  });
});

describe('the versions of the protocol', () => {
  it.for(['2025-11-25', '2025-06-18', '2025-03-26'])('%s shakes hands', async (protocolVersion) => {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const { status, text } = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect(status).toBe(200);
    expect(text).toContain(`"protocolVersion":"${protocolVersion}"`);
  });

  it('the newest needs no handshake', async () => {
    const client = await modern();
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  });
});

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Json> {
  const response = await fetch(`${server.url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

describe('what is refused', () => {
  it.for([
    ['{', 400, -32_700],
    [[{ jsonrpc: '2.0', id: 1, method: 'ping' }], 400, -32_600],
  ] as const)('%o', async ([body, status, code]) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } });
  });

  it.for(['GET', 'DELETE'])('%s', async (method) => {
    const response = await fetch(`${server.url}/mcp`, { method, headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    await response.text();
  });

  it('another site’s page', async () => {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect(await post(ping, { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
  });
});

describe('keys', () => {
  it('are needed, and a wrong one is none', async () => {
    for (const headers of [{}, { authorization: 'Bearer profclaw_wrong' }]) {
      await expect(older(locked.url, headers)).rejects.toThrow(/unauthenticated|401/);
      const response = await fetch(`${locked.url}/mcp`, { method: 'POST', headers, body: '{}' });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await response.json()).toMatchObject({ error: { data: { code: 'unauthenticated' } } });
    }
  });

  it.for([
    [['chat'], ['ask', 'send_message', 'list_models']],
    [['tools'], ['list_models', 'start_run', 'cancel_run']],
    [['conversations:read'], ['list_models', 'list_conversations', 'read_conversation', 'get_run']],
  ] as const)('with %o see %o', async ([scopes, names]) => {
    const client = await older(locked.url, await keyOf(...scopes));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(names);
    const other = TOOLS.find((name) => !tools.some((tool) => tool.name === name)) ?? '';
    const refusal: Json = await client.callTool({ name: other, arguments: {} }).catch((error: unknown) => error);
    expect(String(refusal.message ?? refusal.content[0].text)).toMatch(/not found/);
  });

  it('with tools alone do not begin conversations', async () => {
    const client = await older(locked.url, await keyOf('tools'));
    const result: Json = await client.callTool({ name: 'start_run', arguments: { content: 'x', model: 'demo' } });
    expect(result).toMatchObject({ isError: true, _meta: { 'profclaw/error': { code: 'forbidden' } } });
  });
});

/** What a server can pass without the suite's own tools, resources and prompts. */
const IN_SCOPE = ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'];

/** What it cannot, by how the names begin. */
const OUT_OF_SCOPE = {
  'logging-': 'no logging',
  'completion-': 'no completions of arguments',
  'tools-call-': 'calls tools of the suite’s own',
  'json-schema-2020-12': 'looks at a tool of the suite’s own',
  'elicitation-': 'asks the client from a tool of the suite’s own',
  'server-sse-': 'no sessions, so nothing to come back to',
  'resources-': 'no resources',
  'prompts-': 'no prompts',
};

async function suite(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [SUITE, ...args], { cwd: '/tmp', stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece) => {
      output += piece;
    });
  await new Promise((resolve) => child.on('close', resolve));
  return stripVTControlCharacters(output);
}

describe.skipIf(!existsSync(SUITE))('the conformance suite of the protocol', () => {
  it.for(IN_SCOPE)('%s', async (scenario) => {
    const output = await suite('server', '--url', `${server.url}/mcp`, '--scenario', scenario);
    expect(output).toMatch(/Passed: [1-9]\d*\/\d+, 0 failed, 0 warnings/);
  });

  it('has no other scenario that we should pass', async () => {
    const output = await suite('list', '--server');
    const scenarios = [...output.matchAll(/^ *- (\S+) \[/gm)].map(([, name]) => name ?? '');
    const left = scenarios.filter((name) => !Object.keys(OUT_OF_SCOPE).some((start) => name.startsWith(start)));
    expect(left).toEqual(IN_SCOPE);
  });
});
