import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import type { Json } from '../server.ts';
import { type Reply, type Scripted, type Sent, startScripted } from './script.ts';

// Every vendor's own model list, in the form in which that vendor gives it.

const TYPES = Object.keys(PROFILES) as VendorType[];
/** Where a base URL ends, if not with the type's name. */
const VERSION: Partial<Record<VendorType, string>> = { cohere: '/v2' };

let upstream: Scripted;
beforeAll(async () => {
  upstream = await startScripted((url) =>
    Object.fromEntries(
      TYPES.flatMap((type) => [
        [`${type.toUpperCase()}_BASE_URL`, `${url}/${type}${VERSION[type] ?? ''}`],
        ...PROFILES[type].keyVariables.slice(0, 1).map((name) => [name, 'sk-0123456789']),
      ]),
    ),
  );
});
afterAll(() => upstream.stop());
afterEach(() => upstream.answer('never'));

/** The list of a type, as `GET /providers/:type/models` gives it. */
async function listOf(type: VendorType, reply: Reply | ((sent: Sent) => Reply)): Promise<Json[]> {
  upstream.answer(reply);
  const { status, body } = await upstream.server.call(`/api/chat/providers/${type}/models?refresh=true`);
  expect(status).toBe(200);
  return body.models;
}

const openAiLike = (...ids: string[]) => ({
  json: { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) },
});
const ids = (models: Json[]): string[] => models.map(({ id }) => id);

const FORMS: Record<
  Exclude<VendorType, 'perplexity'>,
  { path: string; reply: Reply; chat: string[]; first?: object }
> = {
  anthropic: {
    path: '/anthropic/models?limit=1000',
    reply: {
      json: {
        data: [
          {
            type: 'model',
            id: 'claude-next-1',
            display_name: 'Claude Next',
            max_input_tokens: 1_000_000,
            max_tokens: 128_000,
            capabilities: { image_input: { supported: true }, thinking: { supported: false } },
          },
        ],
        has_more: false,
      },
    },
    chat: ['claude-next-1'],
    first: { name: 'Claude Next', contextWindow: 1_000_000, maxOutput: 128_000 },
  },
  openai: {
    path: '/openai/models',
    reply: openAiLike(
      'gpt-9',
      'text-embedding-3-small',
      'whisper-1',
      'tts-1-hd',
      'gpt-4o-mini-tts',
      'gpt-4o-transcribe',
      'dall-e-3',
      'gpt-image-1',
      'sora-2',
      'omni-moderation-latest',
      'gpt-realtime',
      'gpt-audio',
      'babbage-002',
      'gpt-3.5-turbo-instruct',
      'computer-use-preview',
      'o9-mini',
    ),
    chat: ['gpt-9', 'o9-mini'],
  },
  azure: {
    path: '/azure/models',
    reply: {
      json: {
        data: [
          { id: 'gpt-9', capabilities: { chat_completion: true, inference: true } },
          { id: 'ada-search', capabilities: { chat_completion: false, embeddings: true } },
        ],
      },
    },
    chat: ['gpt-9'],
  },
  google: {
    path: '/google/models?pageSize=1000',
    reply: {
      json: {
        models: [
          {
            name: 'models/gemini-9',
            displayName: 'Gemini 9',
            inputTokenLimit: 1_048_576,
            outputTokenLimit: 65_536,
            supportedGenerationMethods: ['generateContent', 'countTokens'],
            thinking: true,
          },
          { name: 'models/gemini-embedding-002', supportedGenerationMethods: ['embedContent'] },
          { name: 'models/gemini-9-tts', supportedGenerationMethods: ['generateContent'] },
          { name: 'models/gemini-9-image', supportedGenerationMethods: ['generateContent'] },
          { name: 'models/mixer-1', supportedGenerationMethods: ['predict'] },
        ],
      },
    },
    chat: ['gemini-9'],
    first: { name: 'Gemini 9', contextWindow: 1_048_576, maxOutput: 65_536 },
  },
  groq: {
    path: '/groq/models',
    reply: {
      json: {
        data: [
          { id: 'llama-9', active: true, context_window: 131_072, max_completion_tokens: 32_768 },
          { id: 'gpt-oss-safeguard-20b', active: true },
          { id: 'meta-llama/llama-guard-5', active: true },
          { id: 'whisper-large-v3', active: true },
          { id: 'playai-tts', active: true },
          { id: 'gone', active: false },
        ],
      },
    },
    chat: ['llama-9', 'gpt-oss-safeguard-20b'],
    first: { contextWindow: 131_072, maxOutput: 32_768 },
  },
  xai: {
    path: '/xai/models',
    reply: openAiLike('grok-9', 'grok-2-image-1212', 'grok-imagine-video'),
    chat: ['grok-9'],
  },
  mistral: {
    path: '/mistral/models',
    reply: {
      json: {
        data: [
          {
            id: 'mistral-next',
            type: 'base',
            max_context_length: 131_072,
            capabilities: { completion_chat: true, function_calling: true, vision: false },
          },
          { id: 'mistral-reader', capabilities: { completion_chat: false } },
        ],
      },
    },
    chat: ['mistral-next'],
    first: { contextWindow: 131_072 },
  },
  deepseek: { path: '/deepseek/models', reply: openAiLike('deepseek-next'), chat: ['deepseek-next'] },
  together: {
    path: '/together/models',
    reply: {
      json: [
        { id: 'meta/llama-9', type: 'chat', display_name: 'Llama 9', context_length: 131_072 },
        { id: 'black/flux-9', type: 'image', context_length: 0 },
        { id: 'm2-bert', type: 'embedding' },
        { id: 'salesforce/rank', type: 'rerank' },
        { id: 'meta/llama-base', type: 'language' },
        { id: 'meta/sentinel', type: 'moderation' },
      ],
    },
    chat: ['meta/llama-9'],
    first: { name: 'Llama 9', contextWindow: 131_072 },
  },
  fireworks: {
    path: '/fireworks/models',
    reply: {
      json: {
        data: [
          {
            id: 'accounts/f/m9',
            supports_chat: true,
            supports_image_input: true,
            supports_tools: true,
            context_length: 9000,
          },
          { id: 'accounts/f/painter', supports_chat: false },
        ],
      },
    },
    chat: ['accounts/f/m9'],
    first: { contextWindow: 9000 },
  },
  cerebras: { path: '/cerebras/models', reply: openAiLike('glm-next'), chat: ['glm-next'] },
  openrouter: {
    path: '/openrouter/models',
    reply: {
      json: {
        data: [
          {
            id: 'acme/nine',
            name: 'Acme: Nine',
            context_length: 200_000,
            architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
            top_provider: { max_completion_tokens: 8000 },
            supported_parameters: ['tools', 'max_tokens'],
          },
          { id: 'acme/painter', architecture: { output_modalities: ['image'] } },
        ],
      },
    },
    chat: ['acme/nine'],
    first: { name: 'Acme: Nine', contextWindow: 200_000, maxOutput: 8000 },
  },
  cohere: {
    path: '/cohere/v1/models?page_size=1000&endpoint=chat',
    reply: {
      json: {
        models: [
          { name: 'command-next', endpoints: ['chat'], context_length: 256_000, features: ['tools', 'reasoning'] },
          { name: 'ranker', endpoints: ['rerank'] },
        ],
      },
    },
    chat: ['command-next'],
    first: { contextWindow: 256_000 },
  },
  ollama: {
    path: '/ollama/api/tags',
    reply: {
      json: {
        models: [{ name: 'qwen9:8b', model: 'qwen9:8b' }, { name: 'nomic-embed-text:latest' }, { name: 'bge-m3' }],
      },
    },
    chat: ['qwen9:8b'],
  },
};

describe('a list has the chat models, with what it says of them', () => {
  it.each(Object.entries(FORMS) as [VendorType, (typeof FORMS)['openai']][])('%s', async (type, form) => {
    const models = await listOf(type, form.reply);
    expect(ids(models)).toEqual(form.chat);
    if (form.first) expect(models[0]).toMatchObject(form.first);
    expect(upstream.sent[0]).toMatchObject({ method: 'GET', path: form.path });
  });

  it.each<[VendorType, object]>([
    ['anthropic', { supportsVision: true, supportsReasoning: false }],
    ['google', { supportsReasoning: true }],
    ['mistral', { supportsTools: true, supportsVision: false }],
    ['fireworks', { supportsTools: true, supportsVision: true }],
    ['openrouter', { supportsTools: true, supportsVision: true, supportsReasoning: false }],
    ['cohere', { supportsTools: true, supportsReasoning: true }],
  ])('%s says what its models can do', async (type, abilities) => {
    const form = FORMS[type as keyof typeof FORMS];
    expect((await listOf(type, form.reply))[0]).toMatchObject(abilities);
  });
});

describe('ollama', () => {
  const tags = { json: { models: ['a:1b', 'b:2b'].map((name) => ({ name })) } };
  const facts = (model: string) => ({
    json: {
      model_info: { 'llama.context_length': model === 'a:1b' ? 4096 : 131_072 },
      capabilities: model === 'a:1b' ? ['completion'] : ['completion', 'tools', 'vision', 'thinking'],
    },
  });

  it('tells window and abilities by /api/show, asked for all side by side', async () => {
    const models = await listOf('ollama', ({ path, body }) => (path.endsWith('/api/show') ? facts(body.model) : tags));
    expect(models).toMatchObject([
      { id: 'a:1b', contextWindow: 4096, supportsTools: false, supportsVision: false, supportsReasoning: false },
      { id: 'b:2b', contextWindow: 131_072, supportsTools: true, supportsVision: true, supportsReasoning: true },
    ]);
  });

  it('is asked for eight models at a time, and lists two thousand at most', async () => {
    const names = ['x'.repeat(301), ...Array.from({ length: 2500 }, (_, n) => `m${n}`)];
    const list = { json: { models: names.map((name) => ({ name })) } };
    const models = await listOf('ollama', ({ path }) => (path.endsWith('/api/show') ? 'never' : list));
    expect(models).toHaveLength(2000);
    expect(models[0]?.id).toBe('m0');
    expect(upstream.sent.filter(({ path }) => path.endsWith('/api/show'))).toHaveLength(8);
  });

  it('has its list all the same if /api/show does not answer', async () => {
    const models = await listOf('ollama', ({ path }) => (path.endsWith('/api/show') ? 'never' : tags));
    expect(models).toMatchObject([
      { id: 'a:1b', contextWindow: null },
      { id: 'b:2b', contextWindow: null },
    ]);
  });
});

describe('perplexity has no list', () => {
  const check = async (): Promise<Json> =>
    (await upstream.server.call('/api/chat/providers/perplexity/health', {})).body;

  it('its health is whether it refuses an empty request with anything but a bad key', async () => {
    upstream.answer({
      status: 400,
      json: { error: { message: 'messages must not be empty', type: 'bad_request', code: 400 } },
    });
    expect(await check()).toMatchObject({ healthy: true });
    expect(upstream.sent[0]).toMatchObject({
      method: 'POST',
      path: '/perplexity/chat/completions',
      body: { messages: [] },
    });
    upstream.answer({ status: 401, json: { error: { message: 'Invalid API key', type: 'unauthorized', code: 401 } } });
    expect(await check()).toMatchObject({ healthy: false, message: expect.stringMatching(/Invalid API key/) });
  });

  it('its models are the catalogue', async () => {
    expect(ids(await listOf('perplexity', 'never'))).toContain('sonar');
  });
});

describe('azure', () => {
  it('lists at /openai/models with the version, and beside a deployment that the base URL names', async () => {
    const other = await startScripted((url) => ({
      AZURE_OPENAI_API_KEY: 'az-0123456789',
      AZURE_OPENAI_ENDPOINT: `${url}/openai/deployments/mine`,
      AZURE_OPENAI_API_VERSION: '2024-10-21',
    }));
    try {
      other.answer(FORMS.azure.reply);
      const { body } = await other.server.call('/api/chat/providers/azure/models');
      expect(ids(body.models)).toContain('gpt-9');
      expect(ids(body.models)).not.toContain('ada-search');
      expect(other.sent[0]?.path).toBe('/openai/models?api-version=2024-10-21');
    } finally {
      await other.stop();
    }
  });
});

describe('asking', () => {
  it('all are asked side by side, and an answer is kept', async () => {
    upstream.answer(({ path }) => FORMS[path.split('/')[1] as keyof typeof FORMS]?.reply ?? 'never');
    const check = (type: string) => upstream.server.call(`/api/chat/providers/${type}/health`, {});
    await Promise.all(Object.keys(FORMS).map(check));
    const asked = upstream.sent.filter(({ method }) => method === 'GET').length;
    expect(asked).toBe(Object.keys(FORMS).length);
    await upstream.server.call('/api/chat/models');
    await upstream.server.call('/api/chat/providers/groq/models');
    expect(upstream.sent.filter(({ method }) => method === 'GET')).toHaveLength(asked);
  });
});
