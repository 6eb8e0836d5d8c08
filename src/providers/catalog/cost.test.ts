import { calcPrice } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import { catalogModels } from './catalog.ts';
import { costOf } from './cost.ts';

describe('the cost of an answer', () => {
  it.each([12_345, 128_001, 200_001, 272_000, 900_000])(
    'is what the price package says, for every model of the catalogue (%i tokens in)',
    async (input) => {
      const usage = { promptTokens: input, completionTokens: 678, totalTokens: input + 678, cachedTokens: 1000 };
      const tokens = { input_tokens: input, output_tokens: 678, cache_read_tokens: 1000 };
      let compared = 0;
      for (const { provider, id } of await catalogModels()) {
        if (provider === 'anthropic' || provider === 'azure') continue;
        const price = calcPrice(tokens, id, { providerId: provider === 'xai' ? 'x-ai' : provider });
        if (price === null || Object.keys(price.model_price).length === 0) continue;
        compared++;
        expect(await costOf(provider, id, usage), `${provider}/${id}`).toBeCloseTo(price.total_price, 8);
      }
      expect(compared).toBeGreaterThan(500);
    },
  );

  it('counts what Anthropic reports beside its input', async () => {
    const usage = {
      promptTokens: 100,
      completionTokens: 10,
      totalTokens: 110,
      cachedTokens: 1000,
      cacheWriteTokens: 200,
    };
    // 3 USD in, 15 out, 0.30 for a cache read and 3.75 for a write, per million.
    const usd = (100 * 3 + 10 * 15 + 1000 * 0.3 + 200 * 3.75) / 1e6;
    expect(await costOf('anthropic', 'claude-sonnet-4-6', usage)).toBeCloseTo(usd, 12);
  });

  it('counts reasoning that only the total has, and what the completion has but once', async () => {
    const counts = { promptTokens: 12, totalTokens: 241, reasoningTokens: 228 };
    // 0.30 USD in and 0.50 out, per million.
    const usd = (12 * 0.3 + 229 * 0.5) / 1e6;
    expect(await costOf('xai', 'grok-3-mini', { ...counts, completionTokens: 1 })).toBeCloseTo(usd, 12);
    expect(await costOf('xai', 'grok-3-mini', { ...counts, completionTokens: 229 })).toBeCloseTo(usd, 12);
  });

  it('is null, not 0, for what has no known price', async () => {
    const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2 };
    expect(await costOf('anthropic', 'claude-future-99', usage)).toBeNull();
    expect(await costOf('ollama', 'llama3', usage)).toBeNull();
    expect(await costOf('demo', 'demo', usage)).toBeNull();
  });

  it('does not fail for counts that contradict each other', async () => {
    const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2, cachedTokens: 50 };
    expect(await costOf('openai', 'gpt-4o', usage)).not.toBeNaN();
  });
});
