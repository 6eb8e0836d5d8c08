import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ALIASES } from '../../src/providers/catalog/overrides.ts';
import { PROFILES } from '../../src/providers/profiles.ts';
import { VENDOR_TYPES } from '../../src/providers/registry.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { expectError, neverAnswered, says } from './helpers.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const PATH = '/api/chat/completions';
const CLOUD = VENDOR_TYPES.filter((type) => type !== 'ollama');

let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.stop());

/** Asks with a model's name and says who was really asked for what, as the caller and as the upstream saw it. */
async function chosen(server: TestServer, model: string | undefined): Promise<string> {
  upstream.sent.length = 0;
  const { status, body } = await server.call(PATH, says('Hi', model === undefined ? {} : { model }));
  if (status !== 200) return `${status} ${body.code}`;
  const answered = `${body.provider}/${body.model}`;
  if (body.provider === 'demo') return answered;
  expect(upstream.sent).toHaveLength(1);
  const [sent] = upstream.sent;
  const asked = sent?.body.model ?? /\/models\/(.*):/.exec(sent?.path ?? '')?.[1];
  expect(`${sent?.provider}/${asked}`).toBe(answered);
  return answered;
}

/** A describe block with one server of its own. */
function withProviders(title: string, types: string[], body: (server: () => TestServer) => void): void {
  describe(title, () => {
    let server: TestServer;
    beforeAll(async () => {
      upstream.reset();
      server = await startTestServer({
        AZURE_OPENAI_DEPLOYMENT_NAME: 'my-deployment',
        ...upstream.environment(...types),
      });
    });
    beforeEach(() => upstream.reset());
    afterAll(() => server.stop());
    body(() => server);
  });
}

withProviders('everything configured', [...CLOUD, 'ollama'], (server) => {
  it.each([
    [undefined, 'anthropic/claude-sonnet-5'],
    // provider/model: the first slash only, and only behind a type.
    ['groq/llama-9', 'groq/llama-9'],
    ['openrouter/anthropic/claude-sonnet-4.6', 'openrouter/anthropic/claude-sonnet-4.6'],
    ['together/meta-llama/Llama-9', 'together/meta-llama/Llama-9'],
    ['fireworks/accounts/fireworks/models/x', 'fireworks/accounts/fireworks/models/x'],
    ['openai/openai/x', 'openai/openai/x'],
    ['openrouter/openrouter/auto', 'openrouter/openrouter/auto'],
    ['azure/my-deployment', 'azure/my-deployment'],
    ['google/gemini-99', 'google/gemini-99'],
    ['cohere/command-99', 'cohere/command-99'],
    ['ollama/llama3.2:3b', 'ollama/llama3.2:3b'],
    ['demo/demo', 'demo/demo'],
    ['demo', 'demo/demo'],
    ['demo/other', '404 model_not_found'],
    ['groq/', '404 model_not_found'],
    ['/llama', '404 model_not_found'],
    ['nobody/llama', '404 model_not_found'],
    ['GROQ/llama', '404 model_not_found'],
    // Ids of the catalogue, at their own vendor although others sell them too.
    ['claude-sonnet-5', 'anthropic/claude-sonnet-5'],
    ['claude-sonnet-4-6', 'anthropic/claude-sonnet-4-6'],
    ['gpt-4o', 'openai/gpt-4o'],
    ['o3', 'openai/o3'],
    ['gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['grok-4', 'xai/grok-4'],
    ['mistral-large-latest', 'mistral/mistral-large-latest'],
    ['codestral-latest', 'mistral/codestral-latest'],
    ['command-r', 'cohere/command-r'],
    ['sonar', 'perplexity/sonar'],
    ['deepseek-chat', 'deepseek/deepseek-chat'],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'together/meta-llama/Llama-3.3-70B-Instruct-Turbo'],
    ['openai/gpt-4o', 'openai/gpt-4o'],
    // Families: newer than any catalogue.
    ['claude-omega-77', 'anthropic/claude-omega-77'],
    ['gpt-77', 'openai/gpt-77'],
    ['o9-mini', 'openai/o9-mini'],
    ['gemini-77-ultra', 'google/gemini-77-ultra'],
    ['grok-77', 'xai/grok-77'],
    ['mistral-omega', 'mistral/mistral-omega'],
    ['codestral-omega', 'mistral/codestral-omega'],
    ['ministral-omega', 'mistral/ministral-omega'],
    ['magistral-omega', 'mistral/magistral-omega'],
    ['command-omega', 'cohere/command-omega'],
    ['sonar-omega', 'perplexity/sonar-omega'],
    ['deepseek-omega', 'deepseek/deepseek-omega'],
    // Nobody's.
    ['claude', '404 model_not_found'],
    ['omega', '404 model_not_found'],
    ['gptx', '404 model_not_found'],
    ['oxygen', '404 model_not_found'],
    // Names that every JavaScript object has.
    ['constructor', '404 model_not_found'],
    ['__proto__', '404 model_not_found'],
    ['toString', '404 model_not_found'],
    ['constructor/x', '404 model_not_found'],
  ])('%s → %s', async (model, expected) => expect(await chosen(server(), model)).toBe(expected));

  it.each(Object.entries(ALIASES))('alias %s → %s', async (alias, target) => {
    expect(await chosen(server(), alias)).toBe(target);
    expect(await chosen(server(), alias.toUpperCase())).toBe(target);
  });

  it('lists the aliases, each for a type and a model', async () => {
    const { aliases } = (await server().call('/api/chat/models')).body;
    expect(aliases).toEqual(ALIASES);
    for (const name of ['sonnet', 'opus', 'haiku', 'gpt', 'gemini', 'grok']) expect(aliases).toHaveProperty(name);
  });
});

withProviders('nothing configured', [], (server) => {
  it.each([
    [undefined, 'demo/demo'],
    ['demo', 'demo/demo'],
    ['omega', '404 model_not_found'],
    ['ollama/llama3.2:3b', '502 provider_unavailable'],
    ['ollama/anything', '502 provider_unavailable'],
  ])('%s → %s', async (model, expected) => expect(await chosen(server(), model)).toBe(expected));

  it.each([
    ...CLOUD.map((type) => [`${type}/some-model`, type, PROFILES[type].keyVariables[0]] as const),
    ...Object.entries(ALIASES).map(([alias, target]) => {
      const type = target.split('/')[0] as (typeof CLOUD)[number];
      return [alias, type, PROFILES[type].keyVariables[0]] as const;
    }),
    ['claude-sonnet-5', 'anthropic', 'ANTHROPIC_API_KEY'],
    ['claude-omega-77', 'anthropic', 'ANTHROPIC_API_KEY'],
    ['gpt-4o', 'openai', 'OPENAI_API_KEY'],
    ['o9', 'openai', 'OPENAI_API_KEY'],
    ['gemini-2.5-pro', 'google', 'GEMINI_API_KEY'],
    ['grok-4', 'xai', 'XAI_API_KEY'],
    ['codestral-latest', 'mistral', 'MISTRAL_API_KEY'],
    ['command-r', 'cohere', 'COHERE_API_KEY'],
    ['sonar-pro', 'perplexity', 'PERPLEXITY_API_KEY'],
    ['deepseek-chat', 'deepseek', 'DEEPSEEK_API_KEY'],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 'together', 'TOGETHER_API_KEY'],
  ] as const)('%s is 503 and names what to set', async (model, provider, variable) => {
    const answer = await server().call(PATH, says('Hi', { model }));
    expectError(answer, 503, 'provider_not_configured', variable);
    expect(answer.body.details).toMatchObject({ provider, variable });
    expect(upstream.sent).toHaveLength(0);
  });

  it.each([
    ['claud-sonet-5', 'claude-sonnet-5'],
    ['gtp-4o', 'gpt-4o'],
    ['sonet', 'sonnet'],
    ['gemni', 'gemini'],
    ['demmo', 'demo'],
  ])('%s is 404 and suggests %s', async (model, meant) => {
    const answer = await server().call(PATH, says('Hi', { model }));
    expectError(answer, 404, 'model_not_found', model);
    expect(answer.body.details.suggestions).toContain(meant);
    expect(answer.body.details.suggestions.length).toBeLessThanOrEqual(5);
  });

  it('a name that is near to nothing has no suggestions, also a very long one', async () => {
    for (const model of ['ζζζζ', 'x'.repeat(300)]) {
      const answer = await server().call(PATH, says('Hi', { model }));
      expectError(answer, 404, 'model_not_found');
      expect(answer.body.details.suggestions).toEqual([]);
    }
  });
});

describe('the default provider', () => {
  it('follows the order of the contract', () => {
    expect(VENDOR_TYPES.join(', ')).toBe(
      'anthropic, openai, azure, google, groq, xai, mistral, deepseek, together, fireworks, cerebras, openrouter, cohere, perplexity, ollama',
    );
  });

  // One server; the winner of each round is switched off, so that the next one must follow.
  it('is the first configured one, then the next …, at last Ollama, then the demo', async () => {
    upstream.reset();
    upstream.lists.set('ollama', ['local:latest']);
    const server = await startTestServer({
      AZURE_OPENAI_DEPLOYMENT_NAME: 'my-deployment',
      ...upstream.environment(...CLOUD, 'ollama'),
    });
    for (const type of VENDOR_TYPES) {
      const model = { azure: 'my-deployment', ollama: 'local:latest' }[type as string] ?? PROFILES[type].defaultModel;
      expect(await chosen(server, undefined)).toBe(`${type}/${model}`);
      expect((await server.call('/api/chat/providers')).body).toMatchObject({ default: type });
      await server.call(`/api/chat/providers/${type}/configure`, { enabled: false });
    }
    expect(await chosen(server, undefined)).toBe('demo/demo');
    await server.stop();
  });

  it('is Ollama only if it answers and has a model', async () => {
    upstream.reset();
    const server = await startTestServer(upstream.environment('ollama'));
    expect(await chosen(server, undefined)).toBe('503 no_provider');
    await server.stop();
    upstream.refusing.set('ollama', 'go away');
    const refused = await startTestServer(upstream.environment('ollama'));
    expect(await chosen(refused, undefined)).toBe('demo/demo');
    await refused.stop();
  });
});

withProviders('only azure', ['azure'], (server) => {
  it.each([
    [undefined, 'azure/my-deployment'],
    ['gpt-4o', 'azure/gpt-4o'],
    ['gpt-77', 'azure/gpt-77'],
    ['o9', 'azure/o9'],
    ['openai/gpt-4o', '503 provider_not_configured'],
    ['gpt', '503 provider_not_configured'],
    ['claude-omega-77', '503 provider_not_configured'],
  ])('%s → %s', async (model, expected) => expect(await chosen(server(), model)).toBe(expected));
});

withProviders('only groq and openrouter: nobody stands in for another', ['groq', 'openrouter'], (server) => {
  it.each([
    [undefined, 'groq/openai/gpt-oss-120b'],
    ['gpt-4o', '503 provider_not_configured'],
    ['claude-sonnet-5', '503 provider_not_configured'],
    ['sonnet', '503 provider_not_configured'],
    ['grok-77', '503 provider_not_configured'],
    ['anthropic/claude-sonnet-5', '503 provider_not_configured'],
    ['openai/gpt-oss-120b', '503 provider_not_configured'],
  ])('%s → %s', async (model, expected) => expect(await chosen(server(), model)).toBe(expected));

  it('an id of a live list goes to who lists it', async () => {
    upstream.lists.set('groq', ['brand-new-model', 'vendor/other']);
    await server().call('/api/chat/providers/groq/models?refresh=true');
    expect(await chosen(server(), 'brand-new-model')).toBe('groq/brand-new-model');
    expect(await chosen(server(), 'vendor/other')).toBe('groq/vendor/other');
    expect(await chosen(server(), 'brand-new')).toBe('404 model_not_found');
  });
});

withProviders('ollama beside deepseek and azure', ['ollama', 'deepseek', 'azure'], (server) => {
  const LIST = ['llama3.2:3b', 'llama3:latest', 'deepseek-r1:14b', 'mistral-nemo:latest', 'command-zeta:7b'];
  it.each([
    ['llama3.2:3b', 'ollama/llama3.2:3b'],
    ['llama3', 'ollama/llama3:latest'],
    ['llama3:latest', 'ollama/llama3:latest'],
    ['deepseek-r1:14b', 'ollama/deepseek-r1:14b'],
    ['mistral-nemo', 'ollama/mistral-nemo:latest'],
    ['command-zeta:7b', 'ollama/command-zeta:7b'],
    ['llama3.2', '404 model_not_found'],
    ['deepseek-chat', 'deepseek/deepseek-chat'],
    ['ollama/llama3', 'ollama/llama3'],
  ])('%s → %s, whether its list is known or not', async (model, expected) => {
    upstream.lists.set('ollama', LIST);
    await server().call('/api/chat/providers/ollama/configure', { enabled: true });
    expect(await chosen(server(), model)).toBe(expected);
    await server().call('/api/chat/providers/ollama/models');
    expect(await chosen(server(), model)).toBe(expected);
  });
});

describe('a hanging provider', () => {
  it('does not keep a named model waiting', async () => {
    upstream.reset();
    const send = neverAnswered();
    const server = await startTestServer(upstream.environment('ollama', 'groq', 'anthropic'));
    // Asks for its list behind the caller's back.
    await server.call('/api/chat/providers');
    expect(send).toHaveBeenCalled();
    for (const model of [undefined, 'groq/x', 'sonnet', 'claude-sonnet-5', 'claude-omega-77']) {
      expect(await chosen(server, model)).toMatch(/^(groq|anthropic)\//);
    }
    await server.stop();
    send.mockRestore();
  });
});

describe('aliases of one’s own', () => {
  it('stand beside the built-in ones and win over them', async () => {
    const environment = upstream.environment('groq', 'anthropic');
    const server = await startTestServer({ ...environment, PROFCLAW_ALIASES: 'Quick=groq/llama-9,sonnet=groq/other' });
    expect(await chosen(server, 'quick')).toBe('groq/llama-9');
    expect(await chosen(server, 'sonnet')).toBe('groq/other');
    expect(await chosen(server, 'opus')).toBe(ALIASES.opus);
    await server.stop();
  });
});

withProviders('only a reseller of a model that its vendor does not list', ['groq'], (server) => {
  it('asks the reseller', async () => expect(await chosen(server(), 'mistral-saba-24b')).toBe('groq/mistral-saba-24b'));
});
