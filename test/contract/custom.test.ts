import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PROFILES } from '../../src/providers/profiles.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method, says } from './helpers.ts';
import { openAiAnswer, openAiStream, PLAIN, startUpstream, type Upstream } from './upstream.ts';

const AT = '/api/chat/providers';
const CHAT = '/api/chat/completions';
const KEY = 'acme-key-0123456789';
const TOOL = {
  name: 'sum',
  description: 'Adds',
  parameters: { type: 'object', properties: { a: { type: 'number' } } },
};

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(() => upstream.reset());
afterAll(() => upstream.stop());

const written = (settings: object): Record<string, string> => ({
  PROFCLAW_PROVIDERS: JSON.stringify({ 'custom:acme': settings }),
});
const acme = (more: object = {}): object => ({ baseUrl: `${upstream.url}/acme/v1`, apiKey: KEY, ...more });

async function listed(server: TestServer, type = 'custom:acme'): Promise<Json> {
  return (await server.call(AT)).body.providers.find((provider: Json) => provider.type === type);
}

/** The same vendor, written down and configured over the API: a server that has it. */
const WAYS: [string, (settings: object) => Promise<TestServer>][] = [
  ['PROFCLAW_PROVIDERS', (settings) => startTestServer(written(settings))],
  [
    'configure',
    async (settings) => {
      const server = await startTestServer();
      const { status } = await server.call(`${AT}/custom:acme/configure`, settings);
      expect(status).toBe(200);
      return server;
    },
  ],
];

describe.each(WAYS)('a sixteenth vendor by %s', (_way, start) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await start(
      acme({
        name: 'Acme AI',
        defaultModel: 'acme-large',
        headers: { 'x-team': 'blue-team' },
        quirks: { usageUnasked: true, reasoningModels: ['acme-think'], refusedSchemaKeywords: ['minItems'] },
      }),
    );
  });
  afterAll(() => server.stop());

  it('is none of the rows', () => {
    expect(Object.keys(PROFILES)).toHaveLength(15);
    expect(JSON.stringify(PROFILES)).not.toMatch(/acme/i);
  });

  it('is listed after the built-in ones, without its key', async () => {
    const { body } = await server.call(AT);
    expect(body.providers.at(-1)).toMatchObject({
      type: 'custom:acme',
      name: 'Acme AI',
      configured: true,
      enabled: true,
      defaultModel: 'acme-large',
      baseUrl: `${upstream.url}/acme/v1`,
    });
    expect(body).toMatchObject({ default: 'custom:acme', defaultModel: 'acme-large' });
    expect(JSON.stringify(body)).not.toContain(KEY);
  });

  it('answers whole, with its key and headers, and its price is not known', async () => {
    const { status, body } = await server.call(CHAT, says('Hi', { model: 'custom:acme/acme-small' }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      provider: 'custom:acme',
      model: 'acme-small',
      message: { content: PLAIN },
      usage: { promptTokens: 7, completionTokens: 3, cost: null },
    });
    expect(upstream.sent).toMatchObject([
      {
        path: '/acme/v1/chat/completions',
        headers: { authorization: `Bearer ${KEY}`, 'x-team': 'blue-team' },
        body: { model: 'acme-small' },
      },
    ]);
  });

  it('streams; its quirks are taken', async () => {
    const { events } = await server.stream(
      CHAT,
      says('Hi', { model: 'custom:acme/acme-think', stream: true, temperature: 1 }),
    );
    expect(events.flatMap(({ content }) => content ?? []).join('')).toBe(PLAIN);
    expect(events.at(-1)).toMatchObject({
      done: true,
      provider: 'custom:acme',
      warnings: [expect.stringContaining('temperature')],
    });
    expect(upstream.sent[0]?.body).toMatchObject({ stream: true });
    expect(upstream.sent[0]?.body).not.toHaveProperty('stream_options');
    expect(upstream.sent[0]?.body).not.toHaveProperty('temperature');
  });

  it('calls tools and takes their results', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'sum', arguments: '{"a":1}' } };
    upstream.replies.push(
      { pieces: openAiStream([{ tool_calls: [{ index: 0, ...call }] }], 'tool_calls') },
      { json: openAiAnswer({ content: 'One' }) },
    );
    const asked = { model: 'custom:acme/m', tools: [TOOL] };
    const first = await server.stream(CHAT, says('Add', { ...asked, stream: true }));
    expect(first.events.at(-1)).toMatchObject({ finishReason: 'tool-calls' });
    const toolCall = first.events.find((event) => event.toolCall).toolCall;
    expect(toolCall).toMatchObject({ id: 'call_1', name: 'sum', arguments: { a: 1 } });
    const messages = [
      { role: 'user', content: 'Add' },
      { role: 'assistant', content: '', toolCalls: [toolCall] },
      { role: 'tool', toolCallId: 'call_1', content: '1' },
    ];
    const second = await server.call(CHAT, { ...asked, messages });
    expect(second.body.message.content).toBe('One');
    expect(upstream.sent[1]?.body.messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: '1' },
    ]);
  });

  it('passes on what it refuses, with its name and without the key', async () => {
    upstream.replies.push({ status: 400, json: { error: { message: `Bad thing, ${KEY}` } } });
    const answer = await server.call(CHAT, says('Hi', { model: 'custom:acme/m' }));
    expectError(answer, 400, 'provider_rejected', 'Acme AI: Bad thing, [key]');
  });

  it('is a fallback and takes the name of its own list', async () => {
    upstream.lists.set('acme', ['acme-only']);
    await server.call(`${AT}/custom:acme/health`, {});
    upstream.replies.push({ status: 404, json: { error: { message: 'no such model' } } });
    const { body } = await server.call(CHAT, says('Hi', { model: 'custom:acme/x', fallbacks: ['acme-only'] }));
    expect(body).toMatchObject({ provider: 'custom:acme', model: 'acme-only' });
  });

  it('has health and a live list, which is in the list of all models', async () => {
    upstream.lists.set('acme', ['acme-small', 'acme-large']);
    const health = await server.call(`${AT}/custom:acme/health`, {});
    expect(health.body).toMatchObject({ provider: 'custom:acme', healthy: true, message: 'OK' });
    const models = (await server.call(`${AT}/custom:acme/models?refresh=true`)).body.models;
    expect(models).toMatchObject([
      { id: 'acme-small', provider: 'custom:acme', costPer1MInput: null },
      { id: 'acme-large', provider: 'custom:acme', costPer1MInput: null },
    ]);
    expect((await server.call('/api/chat/models?provider=custom:acme')).body.models).toEqual(models);
    const all = (await server.call('/api/chat/models')).body.models;
    expect(all).toEqual(expect.arrayContaining(models));
    upstream.refusing.set('acme', `wrong key ${KEY}`);
    const bad = await server.call(`${AT}/custom:acme/health`, {});
    expect(bad.body).toMatchObject({ healthy: false, message: expect.stringContaining('wrong key [key]') });
  });
});

describe('a custom provider', () => {
  it('stays over a restart, sealed, and goes with DELETE', async () => {
    const home = mkdtempSync(join(tmpdir(), 'profclaw-custom-'));
    const first = await startTestServer({}, home);
    await first.call(`${AT}/custom:acme/configure`, acme());
    await first.call(`${AT}/default`, { provider: 'custom:acme', model: 'kept' });
    await first.stop();
    const second = await startTestServer({}, home);
    expect((await second.call(CHAT, says('Hi'))).body).toMatchObject({ provider: 'custom:acme', model: 'kept' });
    expect((await second.call(`${AT}/custom:acme`, undefined, method('DELETE'))).status).toBe(200);
    expect(await listed(second)).toBeUndefined();
    expectError(await second.call(`${AT}/custom:acme`, undefined, method('DELETE')), 404, 'not_found');
    expectError(await second.call(`${AT}/custom:acme/models`), 404, 'not_found', 'custom:acme');
    expectError(await second.call(`${AT}/custom:acme/health`, {}), 404, 'not_found', 'custom:acme');
    expect((await second.call(CHAT, says('Hi'))).body).toMatchObject({ provider: 'demo' });
    await second.stop();
    rmSync(home, { recursive: true });
  });

  it('that is nowhere configured is named with what to do', async () => {
    const server = await startTestServer();
    const answer = await server.call(CHAT, says('Hi', { model: 'custom:nobody/m' }));
    expectError(answer, 503, 'provider_not_configured', /PROFCLAW_PROVIDERS.*custom:nobody\/configure/);
    const odd = await server.call(CHAT, says('Hi', { model: 'custom:No Body/m' }));
    expectError(odd, 404, 'model_not_found');
    expectError(await server.call(`${AT}/default`, { provider: 'custom:nobody' }), 409, 'conflict');
    expectError(await server.call(`${AT}/custom:No/configure`, {}), 404, 'not_found', 'custom:<name>');
    await server.stop();
  });

  it('has aliases, and its model names may have slashes', async () => {
    const server = await startTestServer({ ...written(acme()), PROFCLAW_ALIASES: 'fast=custom:acme/a/b:c' });
    expect((await server.call(CHAT, says('Hi', { model: 'fast' }))).body).toMatchObject({
      provider: 'custom:acme',
      model: 'a/b:c',
    });
    await server.stop();
  });

  it('is found by the names of its list, whether that is known or not', async () => {
    upstream.lists.set('acme', ['acme-only', 'gpt-acme']);
    const server = await startTestServer({ ...written(acme()), ...upstream.environment('azure') });
    const chosen = async (model: string): Promise<string> =>
      (await server.call(CHAT, says('Hi', { model }))).body.provider;
    expect(await chosen('acme-only')).toBe('custom:acme');
    // By its name it could be azure's, but the list says whose it is.
    expect(await chosen('gpt-acme')).toBe('custom:acme');
    await server.stop();
  });

  it('comes after the vendors and before Ollama as the default', async () => {
    upstream.lists.set('ollama', ['local:latest']);
    const server = await startTestServer({
      ...upstream.environment('groq', 'ollama'),
      PROFCLAW_PROVIDERS: JSON.stringify({
        'custom:zeta': { baseUrl: `${upstream.url}/zeta`, defaultModel: 'z' },
        'custom:acme': acme({ defaultModel: 'a' }),
      }),
    });
    for (const expected of ['groq', 'custom:acme', 'custom:zeta', 'ollama']) {
      expect((await server.call(CHAT, says('Hi'))).body).toMatchObject({ provider: expected });
      await server.call(`${AT}/${expected}/configure`, { enabled: false });
    }
    await server.stop();
  });

  it('speaks another wire, with that wire’s own header for the key', async () => {
    const server = await startTestServer(written(acme({ wire: 'anthropic-messages' })));
    const { body } = await server.call(CHAT, says('Hi', { model: 'custom:acme/m' }));
    expect(body.message.content).toBe(PLAIN);
    expect(upstream.sent).toMatchObject([
      { path: '/acme/v1/messages', headers: { 'x-api-key': KEY, 'anthropic-version': expect.stringMatching(/./) } },
    ]);
    await server.stop();
  });

  it('needs no key, and no list of models', async () => {
    upstream.refusing.set('acme', 'There is no list');
    const server = await startTestServer(written({ baseUrl: `${upstream.url}/acme`, modelsPath: false }));
    expect((await server.call(`${AT}/custom:acme/health`, {})).body).toMatchObject({ healthy: true });
    expect((await server.call(`${AT}/custom:acme/models`)).body).toEqual({ models: [] });
    await server.call(CHAT, says('Hi', { model: 'custom:acme/m' }));
    expect(upstream.sent[0]?.headers).not.toHaveProperty('authorization');
    await server.stop();
  });

  it('has what is stored over what is written down', async () => {
    const server = await startTestServer(written(acme({ name: 'Written' })));
    await server.call(`${AT}/custom:acme/configure`, { name: 'Stored' });
    expect(await listed(server)).toMatchObject({ name: 'Stored', baseUrl: `${upstream.url}/acme/v1` });
    await server.call(`${AT}/custom:acme`, undefined, method('DELETE'));
    expect(await listed(server)).toMatchObject({ name: 'Written' });
    await server.stop();
  });

  it('is tried first with verify, and not kept if it fails', async () => {
    upstream.refusing.set('acme', 'no');
    const server = await startTestServer();
    expectError(await server.call(`${AT}/custom:acme/configure?verify=true`, acme()), 502, 'provider_auth');
    expect(await listed(server)).toBeUndefined();
    await server.stop();
  });
});

describe('settings that do not fit', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());
  const configure = (body: object, type = 'custom:acme') => server.call(`${AT}/${type}/configure`, body);

  it('are refused with every issue, and nothing is kept', async () => {
    expect(issuePaths(await configure({}))).toEqual(['baseUrl']);
    expect(issuePaths(await configure({ resourceName: 'a', options: {}, factory: 'createA' }))).toEqual([
      'resourceName',
      'factory',
      'options',
      'baseUrl',
    ]);
    const both = {
      package: '@ai-sdk/openai-compatible',
      wire: 'gemini',
      baseUrl: 'http://a.example',
      modelsPath: '/m',
    };
    expect(issuePaths(await configure(both))).toEqual(['wire', 'modelsPath', 'baseUrl']);
    expect(issuePaths(await configure(acme({ wire: 'cohere-chat', modelsPath: false })))).toEqual(['modelsPath']);
    expect(await listed(server)).toBeUndefined();
  });

  it('are refused field by field: wires, quirks, paths', async () => {
    const answer = await configure({
      wire: 'smoke-signals',
      modelsPath: 'models',
      quirks: {
        reasoningModels: 'acme',
        reasoningBack: [{ models: [], as: 'reasoning' }],
        toolCallIds: { length: 0 },
        quick: true,
      },
    });
    expect(issuePaths(answer).toSorted()).toEqual([
      'modelsPath',
      'quirks.quick',
      'quirks.reasoningBack.0.models',
      'quirks.reasoningModels',
      'quirks.toolCallIds.length',
      'wire',
    ]);
    expect(answer.body.error).toContain('must be a path such as /models, or false');
    const name = await server.call(`${AT}/default`, { provider: 'custom:No' });
    expect(issuePaths(name)).toEqual(['provider']);
    expect(name.body.error).toMatch(/must be one of anthropic, .*, or custom:<name>/);
  });

  it('of custom providers are not for the vendors', async () => {
    expect(issuePaths(await configure({ wire: 'gemini', name: 'X' }, 'groq'))).toEqual(['name', 'wire']);
    expect(await listed(server, 'groq')).toMatchObject({ name: 'Groq' });
  });

  it.each([
    '../evil',
    './x',
    '/etc/passwd',
    'https://a.example/x.js',
    'data:text/javascript,1',
    'node:fs',
    'a@1.0.0',
    'A',
    'a/b/c',
    '../../node_modules/@ai-sdk/openai-compatible',
  ])('package %s is no name of a package', async (name) => {
    const { body } = await configure({ package: name });
    expect(body.details.issues).toEqual([{ path: 'package', message: 'must be the name of an npm package' }]);
  });

  it.each(['fs', 'left-pad-that-nobody-has', '@ai-sdk/nobody-has-this'])(
    'package %s is not installed',
    async (name) => {
      const answer = await configure({ package: name });
      expect(issuePaths(answer)).toEqual(['package']);
      expect(answer.body.error).toContain(`npm install ${name}`);
    },
  );

  it('a package may be absent while its provider is switched off', async () => {
    const off = await configure({ package: '@ai-sdk/nobody-has-this', enabled: false });
    expect(off.body).toMatchObject({ success: true, message: 'custom:acme is switched off' });
    expect(issuePaths(await configure({ enabled: true }))).toEqual(['package']);
    await server.call(`${AT}/custom:acme`, undefined, method('DELETE'));
  });

  it('a package must be one of the AI SDK’s providers', async () => {
    const none = await configure({ package: 'zod' });
    expect(issuePaths(none)).toEqual(['package']);
    expect(none.body.error).toContain('does not depend on @ai-sdk/provider');
    const noFactory = await configure({ package: '@ai-sdk/provider' });
    expect(issuePaths(noFactory)).toEqual(['package']);
    expect(noFactory.body.error).toContain('does not depend on @ai-sdk/provider');
    const helper = { package: '@ai-sdk/provider-utils', factory: 'createJsonResponseHandler' };
    expectError(
      await server.call(`${AT}/custom:acme/configure?verify=true`, helper),
      503,
      'provider_not_configured',
      /is not a provider/,
    );
    const wrongName = await configure({ package: '@ai-sdk/openai-compatible', factory: 'createOther' });
    expect(issuePaths(wrongName)).toEqual(['factory']);
    expect(wrongName.body.error).toContain('createOpenAICompatible');
  });
});
