import type { ModelPrice } from '@pydantic/genai-prices';
import type { ProviderType, Usage } from '../chat-model.ts';
import { PROFILES } from '../profiles.ts';
import { isVendorType } from '../settings/profile-of.ts';
import { findModel, type Known, prices } from './price-data.ts';

/**
 * What an answer cost in USD, or null if the price is not known. Counts cached and cache-write tokens at their own
 * price. A local model costs nothing that we could know: null as well.
 */
export async function costOf(provider: ProviderType, model: string, usage: Usage): Promise<number | null> {
  const known = await findModel(provider, model);
  if (!known) return null;
  const tokens = pricedTokens(provider, usage);
  const usd = plainCost(known, tokens) ?? (await packageCost(known, model, tokens));
  return usd === null ? null : roundMoney(usd);
}

async function packageCost(known: Known, model: string, tokens: PricedTokens): Promise<number | null> {
  const { calcPrice } = await prices();
  try {
    const price = calcPrice({ ...tokens }, model, { provider: known.provider });
    return price === null || Object.keys(price.model_price).length === 0 ? null : price.total_price;
  } catch {
    // The package refuses counts that contradict each other; an answer is worth more than its price.
    return null;
  }
}

const TOKEN_PRICES = new Set(['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok']);
/** Prices of what our counts never have. */
const NOT_COUNTED = /audio|image|video|hours|searches|pages|messages|_1h_/;

/**
 * The same for a model whose price is that of its tokens, as nearly all are; undefined for others. The package takes
 * ten times as long, a tenth of the server's own time for an answer.
 */
function plainCost({ model }: Known, tokens: PricedTokens): number | undefined {
  const rates = model.prices;
  if (Array.isArray(rates) || !isOfTokens(rates)) return undefined;
  const { input_tokens: all, output_tokens: said, cache_read_tokens: cached, cache_write_tokens: written } = tokens;
  const input = rateFor(rates.input_mtok, all);
  const output = rateFor(rates.output_mtok, all);
  const read = rates.cache_read_mtok === undefined ? input : rateFor(rates.cache_read_mtok, all);
  const write = rates.cache_write_mtok === undefined ? input : rateFor(rates.cache_write_mtok, all);
  if (input === undefined || output === undefined || read === undefined || write === undefined) return undefined;
  return ((all - cached - written) * input + said * output + cached * read + written * write) / 1e6;
}

/** Prices that were looked at before: there are no others than the package's. */
const areOfTokens = new WeakMap<ModelPrice, boolean>();

function isOfTokens(rates: ModelPrice): boolean {
  let isSo = areOfTokens.get(rates);
  if (isSo === undefined) {
    isSo = Object.keys(rates).every((name) => TOKEN_PRICES.has(name) || NOT_COUNTED.test(name));
    areOfTokens.set(rates, isSo);
  }
  return isSo;
}

/** The price of a kind of token, which may rise with the length of the input. */
function rateFor(price: ModelPrice[string], inputTokens: number): number | undefined {
  if (price === undefined || typeof price === 'number') return price;
  return price.tiers.findLast(({ start }) => inputTokens > start)?.price ?? price.base;
}

/** The counts under the package's names; cache reads and writes are inside the input. */
interface PricedTokens {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
}

/** All tokens that the model read, from a cache or not. */
export function inputTokens(provider: ProviderType, usage: Usage): number {
  return pricedTokens(provider, usage).input_tokens;
}

function pricedTokens(provider: ProviderType, usage: Usage): PricedTokens {
  const cached = usage.cachedTokens ?? 0;
  const written = usage.cacheWriteTokens ?? 0;
  // Anthropic counts them beside the input, and so does whoever reports more of them than input.
  const beside = isBeside(provider) || cached + written > usage.promptTokens;
  return {
    input_tokens: usage.promptTokens + (beside ? cached + written : 0),
    output_tokens: writtenTokens(usage),
    cache_read_tokens: cached,
    cache_write_tokens: written,
  };
}

/** All that the model wrote: xAI's chat counts reasoning beside the completion, which only its total shows. */
export function writtenTokens({ promptTokens, completionTokens, totalTokens, reasoningTokens = 0 }: Usage): number {
  const isBesideReasoning = totalTokens === promptTokens + completionTokens + reasoningTokens;
  return completionTokens + (isBesideReasoning ? reasoningTokens : 0);
}

function isBeside(provider: ProviderType): boolean {
  return isVendorType(provider) && PROFILES[provider].wire === 'anthropic-messages';
}

/** Sums of binary fractions end in noise; a billionth of a dollar is below any price. */
function roundMoney(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
