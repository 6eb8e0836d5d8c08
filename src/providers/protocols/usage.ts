import type { Usage } from '../chat-model.ts';

/** Counts of tokens, as far as a provider gives them. */
interface Counts {
  prompt: number | undefined;
  completion: number | undefined;
  /** Absent: the sum of the two. */
  total?: number | undefined;
  cached?: number | undefined;
  written?: number | undefined;
  reasoning?: number | undefined;
}

/** The counts as our usage; undefined if the provider has counted neither prompt nor completion. */
export function usageOf({ prompt, completion, total, cached, written, reasoning }: Counts): Usage | undefined {
  if (prompt === undefined && completion === undefined) return undefined;
  const promptTokens = prompt ?? 0;
  const completionTokens = completion ?? 0;
  return {
    promptTokens,
    completionTokens,
    totalTokens: total ?? promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(written === undefined ? {} : { cacheWriteTokens: written }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
