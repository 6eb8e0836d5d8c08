import { describe, expect, it } from 'vitest';
import { lowerWith } from '../../test/protocol.ts';
import { EFFORTS } from './chat-model.ts';
import { PROFILES, type VendorType } from './profiles.ts';
import { PROTOCOLS } from './wire/wires.ts';

/** What each effort becomes in a request to one of a vendor's models, on the wire that the model takes. */
function words(type: VendorType, model: string, wire = wireOf(type, model)): unknown[] {
  return EFFORTS.map((effort) => {
    const { body } = lowerWith(PROTOCOLS[wire], { model, effort }, PROFILES[type].quirks);
    return body.reasoning_effort ?? body.reasoning;
  });
}

function wireOf(type: VendorType, model: string) {
  const { wire, otherWire } = PROFILES[type];
  return otherWire?.models.test(model) ? otherWire.wire : wire;
}

const NOTHING = [undefined, undefined, undefined, undefined];
const upTo = (most: string): string[] => ['low', 'medium', 'high', most];
const inObjects = (efforts: string[]): object[] => efforts.map((effort) => ({ effort }));

describe('openai, azure: effort', () => {
  it.each([
    ['high', ['o1', 'o3', 'o3-mini', 'o4-mini-2025-04-16', 'gpt-5', 'gpt-5-nano', 'gpt-5-codex', 'gpt-5.1-codex-max']],
    ['xhigh', ['gpt-5.2', 'gpt-5.3-codex', 'gpt-5.4-mini-2026-03-17', 'gpt-5.5']],
    ['max', ['gpt-5.6', 'gpt-5.6-terra', 'gpt-6-sol', 'gpt-6.1-luna']],
  ])('max is %s for %j', (most, models) => {
    for (const model of models) {
      expect(words('openai', model), model).toEqual(inObjects(upTo(most)));
      expect(words('azure', model), model).toEqual(inObjects(upTo(most)));
      // Behind an address that names the deployment.
      expect(words('azure', model, 'openai-chat'), model).toEqual(upTo(most));
    }
  });

  it.each([
    ['gpt-4o', 'gpt-4.1', 'gpt-3.5-turbo', 'chatgpt-4o-latest'],
    ['o1-mini', 'o1-preview', 'o1-pro', 'o3-pro', 'o3-deep-research', 'o4-mini-deep-research'],
    ['gpt-5-chat-latest', 'gpt-5.2-chat-latest', 'gpt-5-search-api', 'gpt-5-pro', 'gpt-5.4-pro-2026-03-05'],
  ])('none for %s and the like, which take none or others', (...models) => {
    for (const model of models) expect(words('openai', model), model).toEqual(NOTHING);
  });

  it('not with tools on the chat wire, where newer models refuse both together', () => {
    const tools = [{ name: 'f', description: undefined, parameters: { type: 'object' } }];
    const sent = (model: string, wire: 'openai-chat' | 'openai-responses') =>
      lowerWith(PROTOCOLS[wire], { model, tools, effort: 'low' }, PROFILES.azure.quirks).body;
    for (const model of ['gpt-5.2', 'gpt-5.4', 'gpt-5.6', 'gpt-6-sol']) {
      expect(sent(model, 'openai-chat'), model).not.toHaveProperty('reasoning_effort');
      expect(sent(model, 'openai-responses'), model).toMatchObject({ reasoning: { effort: 'low' } });
    }
    expect(sent('gpt-5.1', 'openai-chat')).toMatchObject({ reasoning_effort: 'low' });
  });
});

it('xai: effort for Grok 4.3 and later', () => {
  for (const model of ['grok-4.3', 'grok-4.5']) expect(words('xai', model), model).toEqual(inObjects(upTo('high')));
  expect(words('xai', 'grok-4.6')).toEqual(inObjects(upTo('xhigh')));
  const others = ['grok-3', 'grok-3-mini', 'grok-4', 'grok-4-0709', 'grok-4-fast-reasoning', 'grok-4-1-fast-reasoning'];
  for (const model of [...others, 'grok-4.20-0309-reasoning', 'grok-4.20', 'grok-4.3-non-reasoning']) {
    expect(words('xai', model), model).toEqual(NOTHING);
  }
});

it.each([
  ['groq', 'openai/gpt-oss-120b'],
  ['groq', 'qwen/qwen3.8-27b'],
  ['together', 'openai/gpt-oss-20b'],
  ['fireworks', 'accounts/fireworks/models/gpt-oss-120b'],
  ['cerebras', 'gpt-oss-120b'],
  ['mistral', 'mistral-large-4'],
  ['perplexity', 'sonar-reasoning-pro'],
  ['perplexity', 'sonar-deep-research'],
] as const)('%s: effort for %s', (type, model) => {
  expect(words(type, model)).toEqual(upTo('high'));
});

it.each([
  ['groq', 'llama-3.3-70b-versatile'],
  ['groq', 'qwen/qwen3.6-27b'],
  ['together', 'meta-llama/Llama-3.3-70B-Instruct-Turbo'],
  ['fireworks', 'accounts/fireworks/models/kimi-k2-thinking'],
  ['cerebras', 'zai-glm-4.7'],
  ['mistral', 'mistral-large-latest'],
  ['mistral', 'codestral-latest'],
  ['deepseek', 'deepseek-chat'],
  ['deepseek', 'deepseek-reasoner'],
  ['perplexity', 'sonar-pro'],
] as const)('%s: no effort for %s', (type, model) => {
  expect(words(type, model)).toEqual(NOTHING);
});

it('mistral: effort switches reasoning on', () => {
  for (const model of ['mistral-small-latest', 'mistral-medium-latest', 'mistral-medium-3.5']) {
    expect(words('mistral', model), model).toEqual([undefined, undefined, 'high', 'high']);
  }
});

it('deepseek: effort has no medium', () => {
  for (const model of ['deepseek-v4-flash', 'deepseek-v4-pro', 'deepseek-flash']) {
    expect(words('deepseek', model), model).toEqual(['low', 'high', 'high', 'max']);
  }
});

describe('openrouter: effort', () => {
  it.each([
    ['openai/gpt-5', 'openai/gpt-5.4-mini', 'openai/o4-mini', 'openai/gpt-oss-120b:free', 'openai/gpt-6-sol'],
    ['anthropic/claude-sonnet-4.6', 'anthropic/claude-opus-5', 'anthropic/claude-haiku-5.5'],
    ['google/gemini-2.5-flash', 'google/gemini-3.1-pro-preview', 'x-ai/grok-4.6:nitro'],
  ])('for %s and the like', (...models) => {
    for (const model of models) expect(words('openrouter', model), model).toEqual(inObjects(upTo('high')));
  });

  it.each([
    ['openrouter/auto', 'meta-llama/llama-3.3-70b-instruct', 'sakana/fugu-ultra', 'x-ai/grok-4'],
    ['openai/gpt-4o', 'openai/gpt-5-pro', 'openai/gpt-5.2-chat', 'openai/o1-mini'],
    ['anthropic/claude-3.7-sonnet', 'anthropic/claude-sonnet-4.5', 'google/gemini-3-pro-preview'],
  ])('not for %s and the like', (...models) => {
    for (const model of models) expect(words('openrouter', model), model).toEqual(NOTHING);
  });
});
