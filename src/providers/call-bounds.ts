import { describeModel } from './catalog/catalog.ts';
import { costOf } from './catalog/cost.ts';
import type { ProviderType, Usage } from './chat-model.ts';
import { defaultMaxTokens } from './protocols/anthropic-messages-request.ts';
import type { ModelRef, ProviderRegistry } from './registry.ts';

/** Assumed of a model of which nobody knows how much it may write. */
const USUAL_OUTPUT = 8192;

/**
 * How many tokens an answer has at most where the request does not say: what the wire then asks for, what the
 * provider's list says as far as it is known now, what the catalogue says, or else a guess.
 */
export async function mostOutput(registry: ProviderRegistry, { provider, model }: ModelRef): Promise<number> {
  if (provider === 'demo') return USUAL_OUTPUT;
  const profile = registry.profile(provider);
  if ('wire' in profile && profile.wire === 'anthropic-messages') return defaultMaxTokens(model);
  const live = registry.live.knownModels(provider).find(({ id }) => id === model)?.maxOutput;
  return live ?? (await describeModel(provider, model)).maxOutput ?? USUAL_OUTPUT;
}

/** What a call costs at most that reads and writes so many tokens, in USD; null if the price is not known. */
export async function mostCost(
  registry: ProviderRegistry,
  ref: ModelRef,
  input: number,
  output: number,
): Promise<number | null> {
  const counts = { completionTokens: output, totalTokens: input + output };
  const plain = await callCost(registry, ref, { ...counts, promptTokens: input });
  if (plain === null) return null;
  // Writing the input to a cache may cost more than reading it.
  const written = await callCost(registry, ref, { ...counts, promptTokens: 0, cacheWriteTokens: input });
  return Math.max(plain, written ?? 0);
}

/** What a call has cost in USD: null if the price is not known, nothing where nobody is paid. */
export async function callCost(
  registry: ProviderRegistry,
  { provider, model }: ModelRef,
  usage: Usage,
): Promise<number | null> {
  return isFree(registry, provider) ? 0 : await costOf(provider, model, usage);
}

/** The demo, and what is called without a key, such as Ollama: whoever asks for no name sends no bill. */
function isFree(registry: ProviderRegistry, provider: ProviderType): boolean {
  if (provider === 'demo') return true;
  // A package may find a key by itself.
  if ('package' in registry.profile(provider)) return false;
  const { apiKey, headers = {} } = registry.settings(provider);
  return !apiKey && Object.keys(headers).length === 0;
}
