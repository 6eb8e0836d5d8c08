import type { MatchLogic, ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices';
import { ABILITIES } from './catalog-overrides.ts';
import { isVendorType } from './profile-of.ts';
import { PROFILES, type VendorType } from './profiles.ts';
import { PROVIDER_TYPES, type ProviderType, type Usage } from './types.ts';

/** One model as `GET /models` shows it. What nobody knows is null, never a guess. Prices are USD per million tokens. */
export interface CatalogModel {
  id: string;
  name: string;
  provider: ProviderType;
  contextWindow: number | null;
  maxOutput: number | null;
  supportsVision: boolean | null;
  supportsTools: boolean | null;
  supportsReasoning: boolean | null;
  costPer1MInput: number | null;
  costPer1MOutput: number | null;
}

/** What is not a chat model: the package prices these too. */
const NOT_CHAT =
  /embed|whisper|tts|realtime|transcribe|image|voice|ocr|audio|computer-use|guard|live|moderation|^(ada|babbage|curie|davinci)|text-/i;

type Prices = typeof import('@pydantic/genai-prices');

let loading: Promise<Prices> | undefined;

/** The data is 0.8 MB of code that a server that only serves local models never needs. */
function prices(): Promise<Prices> {
  loading ??= import('@pydantic/genai-prices');
  return loading;
}

/** Every chat model that the catalogue knows, of one provider or of all; what vendors have retired is left out. */
export async function catalogModels(only?: ProviderType): Promise<CatalogModel[]> {
  const { findProvider } = await prices();
  return PROVIDER_TYPES.filter(isVendorType)
    .filter((type) => only === undefined || only === type)
    .flatMap((type) =>
      (findProvider({ providerId: packageName(type) })?.models ?? [])
        .filter((model) => !model.deprecated && !NOT_CHAT.test(model.id) && isServed(type, model.id))
        .map((model) => toCatalogModel(type, sendableId(model), model)),
    );
}

/** What the catalogue knows of one model, also of one under a dated name; all null if nothing. */
export async function describeModel(provider: ProviderType, id: string): Promise<CatalogModel> {
  const known = await findModel(provider, id);
  return toCatalogModel(provider, id, known?.model);
}

/** Does the catalogue know this model of this provider? Matches by the package's own rules, aliases and dates included. */
export async function isCatalogued(provider: ProviderType, id: string): Promise<boolean> {
  return (await findModel(provider, id)) !== undefined;
}

/**
 * What an answer cost in USD, or null if the price is not known. Counts cached and cache-write tokens at their own
 * price. A local model costs nothing that we could know: null as well.
 */
export async function costOf(provider: ProviderType, model: string, usage: Usage): Promise<number | null> {
  const known = await findModel(provider, model);
  if (!known) return null;
  const tokens = pricedTokens(provider, usage);
  const usd = flatCost(known, tokens) ?? (await packageCost(known, model, tokens));
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

const FLAT_PRICES = new Set(['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok']);

/**
 * The same for a model with one plain price for each kind of token, which most have; undefined for others. The
 * package takes ten times as long, a tenth of the server's own time for an answer.
 */
function flatCost({ model }: Known, tokens: PricedTokens): number | undefined {
  const rates = model.prices;
  if (Array.isArray(rates)) return undefined;
  for (const name in rates) if (!FLAT_PRICES.has(name)) return undefined;
  const {
    input_mtok: input,
    output_mtok: output,
    cache_read_mtok: read = input,
    cache_write_mtok: write = input,
  } = rates;
  if (typeof input !== 'number' || typeof output !== 'number') return undefined;
  if (typeof read !== 'number' || typeof write !== 'number') return undefined;
  const { input_tokens: all, output_tokens: said, cache_read_tokens: cached, cache_write_tokens: written } = tokens;
  return ((all - cached - written) * input + said * output + cached * read + written * write) / 1e6;
}

/** The counts under the package's names; cache reads and writes are inside the input. */
interface PricedTokens {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cache_write_tokens: number;
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
function writtenTokens({ promptTokens, completionTokens, totalTokens, reasoningTokens = 0 }: Usage): number {
  const isBesideReasoning = totalTokens === promptTokens + completionTokens + reasoningTokens;
  return completionTokens + (isBesideReasoning ? reasoningTokens : 0);
}

function isBeside(provider: ProviderType): boolean {
  return isVendorType(provider) && PROFILES[provider].wire === 'anthropic-messages';
}

interface Known {
  provider: Provider;
  model: ModelInfo;
}

/** Matching a name tries a hundred patterns; the same few names come with every request. */
const found = new Map<string, Known | undefined>();
const MAX_FOUND = 1000;

async function findModel(type: ProviderType, id: string): Promise<Known | undefined> {
  const key = `${type}/${id}`;
  if (!found.has(key)) {
    if (found.size >= MAX_FOUND) found.clear();
    found.set(key, await searchModel(type, id));
  }
  return found.get(key);
}

async function searchModel(type: ProviderType, id: string): Promise<Known | undefined> {
  if (!isVendorType(type) || !isServed(type, id)) return undefined;
  const { findProvider } = await prices();
  const provider = findProvider({ providerId: packageName(type) });
  if (!provider) return undefined;
  const own = provider.models.find((model) => matches(model.match, id.toLowerCase()));
  if (own) return only(provider, own);
  for (const fallback of provider.fallback_model_providers ?? []) {
    const other = findProvider({ providerId: fallback });
    const model = other?.models.find((candidate) => matches(candidate.match, id.toLowerCase()));
    if (other && model) return only(other, model);
  }
  return undefined;
}

/** A provider with nothing but the model: what counts the price would go through all of them again, each time. */
function only(provider: Provider, model: ModelInfo): Known {
  return { provider: { ...provider, models: [model] }, model };
}

function matches(logic: MatchLogic, id: string): boolean {
  if ('equals' in logic) return id === logic.equals.toLowerCase();
  if ('starts_with' in logic) return id.startsWith(logic.starts_with.toLowerCase());
  if ('ends_with' in logic) return id.endsWith(logic.ends_with.toLowerCase());
  if ('contains' in logic) return id.includes(logic.contains.toLowerCase());
  if ('regex' in logic) return new RegExp(logic.regex).test(id);
  return 'and' in logic ? logic.and.every((part) => matches(part, id)) : logic.or.some((part) => matches(part, id));
}

/** The package's own id is not always one that the vendor takes (fireworks): then the match says which is. */
function sendableId(model: ModelInfo): string {
  const exact = exactNames(model.match);
  return exact.length === 0 || exact.includes(model.id) ? model.id : (exact[0] ?? model.id);
}

function exactNames(logic: MatchLogic): string[] {
  if ('equals' in logic) return [logic.equals];
  return 'or' in logic ? logic.or.flatMap((part) => ('equals' in part ? [part.equals] : [])) : [];
}

function packageName(type: VendorType): string {
  return (PROFILES[type].catalogue || undefined)?.name ?? type;
}

/** Is a model of this name, which the package has, one of the vendor's? */
function isServed(type: VendorType, id: string): boolean {
  const { catalogue } = PROFILES[type];
  return catalogue !== false && (catalogue?.models?.test(id) ?? true);
}

function toCatalogModel(provider: ProviderType, id: string, model: ModelInfo | undefined): CatalogModel {
  const rates = model && currentPrices(model);
  const abilities = ABILITIES.find(([pattern]) => pattern.test(id))?.[1];
  return {
    id,
    name: model?.name ?? id,
    provider,
    contextWindow: model?.context_window ?? null,
    maxOutput: abilities?.maxOutput ?? null,
    supportsVision: abilities?.vision ?? null,
    supportsTools: abilities?.tools ?? null,
    supportsReasoning: abilities?.reasoning ?? null,
    costPer1MInput: rates ? basePrice(rates.input_mtok) : null,
    costPer1MOutput: rates ? basePrice(rates.output_mtok) : null,
  };
}

/** A model may have several price lists; the last one that has begun holds. */
function currentPrices(model: ModelInfo): ModelPrice {
  if (!Array.isArray(model.prices)) return model.prices;
  const today = new Date().toISOString().slice(0, 10);
  const begun = model.prices.filter(
    ({ constraint }) => !constraint || (constraint.type === 'start_date' && constraint.start_date <= today),
  );
  return begun.at(-1)?.prices ?? {};
}

function basePrice(price: ModelPrice[string]): number | null {
  if (price === undefined) return null;
  return typeof price === 'number' ? price : price.base;
}

/** Sums of binary fractions end in noise; a billionth of a dollar is below any price. */
function roundMoney(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
