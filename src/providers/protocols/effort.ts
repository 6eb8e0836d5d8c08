import type { ChatRequest, Effort } from '../chat-model.ts';
import type { EffortRule } from '../efforts.ts';
import type { Quirks } from '../profiles.ts';

/** Tokens, of which Google takes the first three for OpenAI's words (https://ai.google.dev/gemini-api/docs/openai). */
const BUDGETS: Readonly<Record<Effort, number>> = { low: 1024, medium: 8192, high: 24_576, max: 32_768 };

/** How hard to reason. Not if a call is forced: Anthropic and DeepSeek refuse to think before one that they must make. */
export function askedEffort({ effort, toolChoice }: ChatRequest): Effort | undefined {
  return toolChoice === undefined || toolChoice === 'auto' || toolChoice === 'none' ? effort : undefined;
}

/** The vendor's word for the effort that is asked for, and the rule that it is from; undefined: nothing is sent. */
export function effortWord(request: ChatRequest, quirks: Quirks): { word: string; rule: EffortRule } | undefined {
  const effort = askedEffort(request);
  const rule = quirks.effort?.find(({ models }) => models?.test(request.model) ?? true);
  const word = effort && rule?.words[effort];
  return rule && word !== undefined ? { word, rule } : undefined;
}

/**
 * Tokens for thinking where it is told as a number. It counts as part of the answer, so a quarter is left for words.
 * @param most tokens that the answer may have in all.
 */
export function thinkingBudget(effort: Effort, most: number): number {
  return Math.min(BUDGETS[effort], Math.floor((most * 3) / 4));
}
