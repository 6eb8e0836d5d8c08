import { asNumber, asObject, isObject, type JsonObject } from '../../core/json.ts';
import type { Usage } from '../types.ts';

/** Token counts in the form of Chat Completions; undefined if there are none in it. */
export function readUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const prompt = asNumber(usage.prompt_tokens);
  const completion = asNumber(usage.completion_tokens);
  if (prompt === undefined && completion === undefined) return undefined;
  const promptTokens = prompt ?? 0;
  const completionTokens = completion ?? 0;
  const totalTokens = asNumber(usage.total_tokens) ?? promptTokens + completionTokens;
  return { promptTokens, completionTokens, totalTokens, ...partsOf(usage) };
}

function partsOf(usage: JsonObject): Partial<Usage> {
  const input = asObject(usage.prompt_tokens_details);
  const output = asObject(usage.completion_tokens_details);
  const cachedTokens =
    asNumber(input.cached_tokens) ?? asNumber(usage.prompt_cache_hit_tokens) ?? asNumber(usage.cached_tokens);
  const cacheWriteTokens = asNumber(input.cache_write_tokens);
  const reasoningTokens = asNumber(output.reasoning_tokens) ?? asNumber(usage.reasoning_tokens);
  return {
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}
