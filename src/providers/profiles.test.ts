import { describe, expect, it } from 'vitest';
import { PROFILES, type VendorType } from './profiles.ts';

function wireOf(type: VendorType, model: string): string {
  const { wire, otherWire } = PROFILES[type];
  return otherWire?.models.test(model) ? otherWire.wire : wire;
}

describe('which wire a model takes', () => {
  it.each([
    ['openai', ['o1', 'o4-mini', 'gpt-5', 'gpt-5.5', 'gpt-5-codex', 'gpt-5.2-pro', 'gpt-6', 'gpt-12-mini']],
    ['azure', ['gpt-5-nano', 'o3']],
    [
      'xai',
      ['grok-3-mini', 'grok-3-mini-fast', 'grok-4', 'grok-4-0709', 'grok-4.6', 'grok-4-fast-reasoning', 'grok-10'],
    ],
  ] as const)('%s: openai-responses for %j', (type, models) => {
    for (const model of models) expect(wireOf(type, model), model).toBe('openai-responses');
  });

  it.each([
    ['openai', ['gpt-4o', 'gpt-4.1', 'gpt-3.5-turbo', 'gpt-5-chat-latest', 'gpt-5-search-api', 'chatgpt-4o-latest']],
    ['azure', ['gpt-35-turbo', 'gpt-4o', 'my-deployment', 'grok-4-fast-non-reasoning']],
    ['xai', ['grok-3', 'grok-3-fast', 'grok-4-1-fast-non-reasoning', 'grok-2-vision']],
    ['openrouter', ['openai/gpt-5', 'x-ai/grok-4']],
  ] as const)('%s: openai-chat for %j', (type, models) => {
    for (const model of models) expect(wireOf(type, model), model).toBe('openai-chat');
  });
});
