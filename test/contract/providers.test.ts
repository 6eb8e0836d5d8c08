import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PROVIDER_TYPES } from '../../src/providers/chat-model.ts';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import { VENDOR_TYPES } from '../../src/providers/registry.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { expectError, issuePaths, method, neverAnswered, says } from './helpers.ts';
import { keyOf, startUpstream, type Upstream } from './upstream.ts';

const AT = '/api/chat/providers';
const SEED =
  'anthropic openai azure google ollama openrouter groq xai mistral cohere perplexity deepseek together cerebras fireworks';
const CLOUD = VENDOR_TYPES.filter((type) => type !== 'ollama');

let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(() => upstream.reset());
afterAll(() => upstream.stop());

async function statusOf(server: TestServer, type: string): Promise<Json> {
  return (await server.call(AT)).body.providers.find((provider: Json) => provider.type === type);
}

describe('GET /api/chat/providers', () => {
  it('has all types of the seed and the demo, each with every field', async () => {
    const server = await startTestServer();
    const { status, body } = await server.call(AT);
    expect(status).toBe(200);
    expect(body.default).toBe('demo');
    expect(body.providers.map(({ type }: Json) => type).toSorted()).toEqual([...SEED.split(' '), 'demo'].toSorted());
    for (const provider of body.providers) {
      expect(provider).toEqual({
        type: expect.toBeOneOf([...PROVIDER_TYPES]),
        name: expect.stringMatching(/./),
        configured: ['ollama', 'demo'].includes(provider.type),
        enabled: true,
        healthy: provider.type === 'demo' ? true : null,
        message: expect.stringMatching(/./),
        latencyMs: expect.toBeOneOf([null, 0]),
        checkedAt: null,
        defaultModel: expect.toBeOneOf([null, expect.any(String)]),
        baseUrl: expect.toBeOneOf([null, expect.stringMatching(/^https?:\/\//)]),
        keyFrom: expect.toBeOneOf([null, 'environment', 'stored']),
        stored: expect.any(Boolean),
        settings: expect.any(Object),
      });
    }
    await server.stop();
  });

  it('answers at once while every provider hangs, and never shows a key', async () => {
    const send = neverAnswered();
    const server = await startTestServer(upstream.environment(...VENDOR_TYPES));
    for (const path of [AT, '/api/chat/models', AT, '/api/chat/models?provider=ollama', '/health', '/ready']) {
      const { status, body } = await server.call(path);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain('0123456789abcdef');
    }
    // All were asked: who waited for them would never have come back.
    expect(send).toHaveBeenCalledTimes(VENDOR_TYPES.length);
    await server.stop();
    send.mockRestore();
  });

  it('asks behind the caller’s back: the next answer knows', async () => {
    upstream.lists.set('groq', ['a']);
    const server = await startTestServer(upstream.environment('groq'));
    expect(await statusOf(server, 'groq')).toMatchObject({ healthy: null });
    await expect.poll(async () => (await statusOf(server, 'groq')).healthy).toBe(true);
    await server.stop();
  });

  it('knows more once it has been told', async () => {
    upstream.lists.set('groq', ['a']);
    upstream.refusing.set('openai', `no such key ${keyOf('openai')}`);
    const server = await startTestServer(upstream.environment('groq', 'openai'));
    for (const type of ['groq', 'openai']) await server.call(`${AT}/${type}/health`, {});
    expect(await statusOf(server, 'groq')).toMatchObject({
      configured: true,
      healthy: true,
      message: 'OK',
      latencyMs: expect.any(Number),
      checkedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      baseUrl: `${upstream.url}/groq`,
    });
    expect(await statusOf(server, 'openai')).toMatchObject({
      configured: true,
      healthy: false,
      message: expect.stringMatching(/no such key/),
    });
    expect(JSON.stringify((await server.call(AT)).body)).not.toContain(keyOf('openai'));
    await server.stop();
  });
});

describe('configure', () => {
  let server: TestServer;
  const configure = (type: string, body: unknown, query = '') => server.call(`${AT}/${type}/configure${query}`, body);

  beforeAll(async () => {
    server = await startTestServer(upstream.environment('groq'));
  });
  afterAll(() => server.stop());

  it('changes what is given, keeps the rest, null clears', async () => {
    const key = keyOf('mistral');
    expect(await statusOf(server, 'mistral')).toMatchObject({ keyFrom: null, stored: false });
    const first = await configure('mistral', { apiKey: key, baseUrl: `${upstream.url}/mistral`, defaultModel: 'm1' });
    expect(first.status).toBe(200);
    expect(first.body).toEqual({
      success: true,
      message: expect.stringMatching(/configured/),
      provider: expect.objectContaining({ type: 'mistral', configured: true, defaultModel: 'm1' }),
    });
    expect(JSON.stringify(first.body)).not.toContain(key);
    await configure('mistral', { defaultModel: 'm2' });
    await server.call('/api/chat/completions', says('Hi', { model: 'mistral/x' }));
    expect(upstream.sent[0]).toMatchObject({ provider: 'mistral', headers: { authorization: `Bearer ${key}` } });
    expect(await statusOf(server, 'mistral')).toMatchObject({
      defaultModel: 'm2',
      configured: true,
      keyFrom: 'stored',
    });
    expect(await statusOf(server, 'groq')).toMatchObject({ keyFrom: 'environment', stored: false });
    await configure('mistral', { defaultModel: null });
    expect(await statusOf(server, 'mistral')).toMatchObject({ defaultModel: PROFILES.mistral.defaultModel });
    const cleared = await configure('mistral', { apiKey: null });
    expect(cleared.body).toMatchObject({
      success: true,
      message: expect.stringMatching(/MISTRAL_API_KEY/),
      provider: { configured: false },
    });
    const refused = await server.call('/api/chat/completions', says('Hi', { model: 'mistral/x' }));
    expectError(refused, 503, 'provider_not_configured', /MISTRAL_API_KEY/);
  });

  it('goes over the environment, which comes back when it is cleared', async () => {
    const used = async () => {
      upstream.sent.length = 0;
      await server.call('/api/chat/completions', says('Hi', { model: 'groq/x' }));
      return upstream.sent[0]?.headers.authorization;
    };
    expect(await used()).toBe(`Bearer ${keyOf('groq')}`);
    await configure('groq', { apiKey: 'mine' });
    expect(await used()).toBe('Bearer mine');
    await configure('groq', { apiKey: null });
    expect(await used()).toBe(`Bearer ${keyOf('groq')}`);
  });

  it('sends the headers that were set', async () => {
    await configure('groq', { headers: { 'x-team': 'blue' } });
    await server.call('/api/chat/completions', says('Hi', { model: 'groq/x' }));
    expect(upstream.sent[0]?.headers).toMatchObject({ 'x-team': 'blue', authorization: `Bearer ${keyOf('groq')}` });
    await configure('groq', { headers: null });
  });

  it('enabled false switches off, null on', async () => {
    await configure('groq', { enabled: false });
    const refused = await server.call('/api/chat/completions', says('Hi', { model: 'groq/x' }));
    expectError(refused, 503, 'provider_not_configured', /switched off/);
    expect(await statusOf(server, 'groq')).toMatchObject({ enabled: false, configured: false });
    await configure('groq', { enabled: null });
    expect(await statusOf(server, 'groq')).toMatchObject({ enabled: true, configured: true });
  });

  it.each<[string, object, string[]]>([
    ['baseUrl that is no URL', { baseUrl: 'not a url' }, ['baseUrl']],
    ['baseUrl of another scheme', { baseUrl: 'file:///etc/passwd' }, ['baseUrl']],
    ['baseUrl with a password', { baseUrl: 'https://a:b@example.com' }, ['baseUrl']],
    ['baseUrl of a wrong type', { baseUrl: 5 }, ['baseUrl']],
    ['a key with a line end', { apiKey: 'sk-x\n' }, ['apiKey']],
    ['an empty key', { apiKey: '' }, ['apiKey']],
    ['a header that is none', { headers: { 'a b': 'x' } }, ['headers.a b']],
    ['a header value with a line end', { headers: { a: 'x\r\ny: z' } }, ['headers.a']],
    ['enabled as text', { enabled: 'yes' }, ['enabled']],
    ['a resource that is no host name', { resourceName: 'evil.com/' }, ['resourceName']],
    ['an API version with a separator', { apiVersion: '1&x=2' }, ['apiVersion']],
    ['a deployment with a slash', { deploymentName: '../x' }, ['deploymentName']],
    ['a deployment that no URL can hold', { deploymentName: '\ud800' }, ['deploymentName']],
    ['an unknown field', { api_key: 'x' }, ['api_key']],
    ['several at once', { apiKey: 5, baseUrl: '', x: 1 }, ['apiKey', 'baseUrl', 'x']],
  ])('refuses %s', async (_, body, paths) => {
    expect(issuePaths(await configure('azure', body)).toSorted()).toEqual(paths);
    expect(await statusOf(server, 'azure')).toMatchObject({ configured: false, baseUrl: null });
  });

  it.each(['nobody', 'OpenAI', '__proto__', 'constructor', 'default'])('type %s is 404', async (type) => {
    for (const answer of [
      await configure(type, { apiKey: 'x' }),
      await server.call(`${AT}/${type}/health`, {}),
      await server.call(`${AT}/${type}/models`),
      await server.call(`${AT}/${type}`, undefined, method('DELETE')),
    ])
      expectError(answer, 404, 'not_found', type);
  });

  it('the demo has nothing to set', async () => {
    expectError(await configure('demo', { enabled: false }), 400, 'invalid_request');
  });

  it('verify=true saves only what the provider accepts', async () => {
    const good = { apiKey: keyOf('xai'), baseUrl: `${upstream.url}/xai` };
    upstream.refusing.set('xai', `bad key ${good.apiKey}`);
    const refused = await configure('xai', good, '?verify=true');
    expectError(refused, 502, 'provider_auth', /bad key/);
    expect(refused.body.error).not.toContain(good.apiKey);
    expect(await statusOf(server, 'xai')).toMatchObject({ configured: false, baseUrl: PROFILES.xai.baseUrl });
    upstream.refusing.clear();
    expect((await configure('xai', good, '?verify=true')).body.provider).toMatchObject({ configured: true });
    expectError(
      await configure('xai', { baseUrl: 'http://127.0.0.1:9' }, '?verify=true'),
      502,
      'provider_unavailable',
      /xAI/,
    );
    expect(await statusOf(server, 'xai')).toMatchObject({ baseUrl: `${upstream.url}/xai` });
    expectError(await configure('cerebras', {}, '?verify=true'), 503, 'provider_not_configured', /CEREBRAS_API_KEY/);
    expect(issuePaths(await configure('xai', {}, '?verify=maybe'))).toEqual(['query.verify']);
  });

  it('DELETE forgets what was stored, once', async () => {
    await configure('together', { apiKey: 'x' });
    const url = `${AT}/together`;
    expect(await server.call(url, undefined, method('DELETE'))).toMatchObject({ status: 200 });
    expect(await statusOf(server, 'together')).toMatchObject({ configured: false });
    expectError(await server.call(url, undefined, method('DELETE')), 404, 'not_found');
  });

  it('headers win over our own, and those that frame a message are refused', async () => {
    await configure('xai', { apiKey: 'own-key', baseUrl: upstream.url, headers: { Authorization: 'Bearer theirs' } });
    upstream.sent.length = 0;
    await server.call('/api/chat/completions', says('Hi', { model: 'xai/x' }));
    expect(upstream.sent[0]?.headers.authorization).toBe('Bearer theirs');
    for (const name of ['Host', 'content-length', 'Transfer-Encoding'])
      expectError(await configure('xai', { headers: { [name]: 'x' } }), 400, 'invalid_request');
    await server.call(`${AT}/xai`, undefined, method('DELETE'));
  });

  it('azure: resource, deployment and version make the address', async () => {
    await configure('azure', { apiKey: 'k', resourceName: 'my-res' });
    expect(await statusOf(server, 'azure')).toMatchObject({ baseUrl: 'https://my-res.openai.azure.com/openai/v1' });
    await configure('azure', { baseUrl: upstream.url, deploymentName: 'gpt-4o.mine', apiVersion: '2024-10-21' });
    await server.call('/api/chat/completions', says('Hi', { model: 'azure/gpt-4o.mine' }));
    expect(upstream.sent[0]).toMatchObject({
      path: '/openai/deployments/gpt-4o.mine/chat/completions?api-version=2024-10-21',
      headers: { 'api-key': 'k' },
    });
    // The deployment that is set is the default only: another one is called by its own name.
    await server.call('/api/chat/completions', says('Hi', { model: 'azure/other' }));
    expect(upstream.sent[1]?.path).toBe('/openai/deployments/other/chat/completions?api-version=2024-10-21');
    await server.call(`${AT}/azure`, undefined, method('DELETE'));
  });
});

describe('health', () => {
  it('is 200 either way', async () => {
    upstream.refusing.set('openai', 'bad key');
    const server = await startTestServer(upstream.environment('groq', 'openai', 'perplexity'));
    const health = async (type: string) => {
      const { status, body } = await server.call(`${AT}/${type}/health`, undefined, { method: 'POST' });
      expect(status).toBe(200);
      expect(Object.keys(body).toSorted()).toEqual(['healthy', 'latencyMs', 'message', 'provider']);
      expect(body.provider).toBe(type);
      return body;
    };
    expect(await health('groq')).toMatchObject({ healthy: true, message: 'OK', latencyMs: expect.any(Number) });
    expect(await health('perplexity')).toMatchObject({ healthy: true });
    expect(await health('demo')).toMatchObject({ healthy: true });
    expect(await health('openai')).toMatchObject({ healthy: false, message: 'OpenAI: bad key' });
    expect(await health('ollama')).toMatchObject({ healthy: false, message: expect.stringMatching(/Ollama/) });
    expect(await health('anthropic')).toMatchObject({
      healthy: false,
      message: expect.stringMatching(/ANTHROPIC_API_KEY/),
    });
    expect(upstream.sent).toHaveLength(0);
    await server.stop();
  });
});

describe('default', () => {
  it('is kept across a restart, model included', async () => {
    const environment = upstream.environment('groq', 'openai');
    const first = await startTestServer(environment);
    const set = await first.call(`${AT}/default`, { provider: 'groq', model: 'm9' });
    expect(set).toMatchObject({ status: 200, body: { success: true, provider: 'groq', model: 'm9' } });
    const second = await startTestServer(environment, first.home);
    for (const server of [first, second]) {
      expect((await server.call(AT)).body).toMatchObject({ default: 'groq', defaultModel: 'm9' });
      const { body } = await server.call('/api/chat/quick', { prompt: 'Hi' });
      expect(body).toMatchObject({ provider: 'groq', model: 'm9' });
    }
    await second.stop();
    await first.stop();
  });

  it('without a model is the provider’s own', async () => {
    const server = await startTestServer(upstream.environment('groq', 'openai'));
    const { body } = await server.call(`${AT}/default`, { provider: 'groq' });
    expect(body).toMatchObject({ provider: 'groq', model: PROFILES.groq.defaultModel });
    await server.call(`${AT}/groq/configure`, { defaultModel: 'mine' });
    expect((await server.call('/api/chat/quick', { prompt: 'Hi' })).body).toMatchObject({ model: 'mine' });
    await server.call(`${AT}/default`, { provider: 'demo' });
    expect((await server.call('/api/chat/quick', { prompt: 'Hi' })).body).toMatchObject({ provider: 'demo' });
    await server.stop();
  });

  it('must be configured, known and named', async () => {
    const server = await startTestServer(upstream.environment('groq'));
    expectError(await server.call(`${AT}/default`, { provider: 'openai' }), 409, 'conflict', /openai/);
    expect(issuePaths(await server.call(`${AT}/default`, { provider: 'nobody' }))).toEqual(['provider']);
    expect(issuePaths(await server.call(`${AT}/default`, {}))).toEqual(['provider']);
    expect(issuePaths(await server.call(`${AT}/default`, { provider: 'groq', model: '' }))).toEqual(['model']);
    expectError(await server.call(`${AT}/default`, { provider: 'demo', model: 'x' }), 404, 'model_not_found');
    expect((await server.call(AT)).body.default).toBe('groq');
    await server.stop();
  });

  it('goes with its provider', async () => {
    const server = await startTestServer(upstream.environment('groq'));
    await server.call(`${AT}/xai/configure`, { apiKey: 'k' });
    await server.call(`${AT}/default`, { provider: 'xai' });
    expect((await server.call(AT)).body.default).toBe('xai');
    await server.call(`${AT}/xai`, undefined, method('DELETE'));
    expect((await server.call(AT)).body.default).toBe('groq');
    await server.stop();
  });
});

describe('GET /api/chat/providers/:type/models', () => {
  it.each(VENDOR_TYPES.filter((type) => type !== 'perplexity'))('%s: live, cached, refreshed', async (type) => {
    const server = await startTestServer(upstream.environment(type));
    const ids = async (query = '') =>
      (await server.call(`${AT}/${type}/models${query}`)).body.models.map((model: Json) => model.id);
    upstream.lists.set(type, ['one', 'two']);
    expect(await ids()).toEqual(['one', 'two']);
    upstream.lists.set(type, ['three']);
    expect(await ids()).toEqual(['one', 'two']);
    expect(await ids('?refresh=false')).toEqual(['one', 'two']);
    expect(await ids('?refresh=true')).toEqual(['three']);
    expect(await ids()).toEqual(['three']);
    const { models } = (await server.call(`/api/chat/models?provider=${type}`)).body;
    expect(models).toContainEqual(expect.objectContaining({ id: 'three', provider: type, costPer1MInput: null }));
    expect(new Set(models.map((model: Json) => model.provider))).toEqual(new Set([type]));
    await server.stop();
  });

  it('errors are the provider’s; without a key 503', async () => {
    const server = await startTestServer(upstream.environment('groq'));
    upstream.refusing.set('groq', 'bad key');
    expectError(await server.call(`${AT}/groq/models`), 502, 'provider_auth', /bad key/);
    expectError(await server.call(`${AT}/openai/models`), 503, 'provider_not_configured', /OPENAI_API_KEY/);
    expectError(await server.call(`${AT}/ollama/models`), 502, 'provider_unavailable', /Ollama/);
    expect(issuePaths(await server.call(`${AT}/groq/models?refresh=1`))).toEqual(['query.refresh']);
    await server.stop();
  });

  it('the demo describes its grammar', async () => {
    const server = await startTestServer();
    const { body } = await server.call(`${AT}/demo/models`);
    expect(body.models).toEqual([
      expect.objectContaining({ id: 'demo', description: expect.stringMatching(/\/tool NAME/) }),
    ]);
    await server.stop();
  });
});

describe('GET /api/chat/models', () => {
  it('lists what every provider has, each with every field', async () => {
    const server = await startTestServer();
    const { models } = (await server.call('/api/chat/models')).body;
    const nullable = (type: unknown) => expect.toBeOneOf([null, expect.any(type)]);
    for (const model of models) {
      expect(model).toEqual({
        id: expect.stringMatching(/./),
        name: expect.stringMatching(/./),
        provider: expect.toBeOneOf([...PROVIDER_TYPES]),
        contextWindow: nullable(Number),
        maxOutput: nullable(Number),
        supportsVision: nullable(Boolean),
        supportsTools: nullable(Boolean),
        supportsReasoning: nullable(Boolean),
        costPer1MInput: nullable(Number),
        costPer1MOutput: nullable(Number),
      });
    }
    expect(new Set(models.map((model: Json) => `${model.provider}/${model.id}`)).size).toBe(models.length);
    for (const type of CLOUD.filter((vendor: VendorType) => vendor !== 'azure'))
      expect(models.filter((model: Json) => model.provider === type).length, type).toBeGreaterThan(0);
    const only = (await server.call('/api/chat/models?provider=anthropic')).body.models;
    expect(new Set(only.map((model: Json) => model.provider))).toEqual(new Set(['anthropic']));
    expect(issuePaths(await server.call('/api/chat/models?provider=nobody'))).toEqual(['query.provider']);
    await server.stop();
  });
});
