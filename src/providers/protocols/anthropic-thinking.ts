import type { JsonObject } from '../../core/json.ts';
import type { ChatRequest } from '../chat-model.ts';
import type { Cacheable } from './anthropic-cache.ts';
import { askedEffort, thinkingBudget } from './effort.ts';

/**
 * Models that decide themselves how much to think and take all four efforts
 * (https://platform.claude.com/docs/en/build-with-claude/effort).
 */
const ADAPTIVE = /claude-((opus|sonnet)-4[-.][6-9]|(opus|sonnet|haiku|fable|mythos)-([5-9]|\d\d))(?!\d)/;
/** Those before them, which are given a budget (https://platform.claude.com/docs/en/build-with-claude/extended-thinking). */
const BUDGETED = /claude-(3[-.]7-sonnet|(opus|sonnet|haiku)-4)(?!\d)/;
/** Less is refused. */
const MIN_BUDGET = 1024;

/** What a request has already got when it comes to thinking. */
interface Lowered {
  messages: Cacheable['messages'];
  maxTokens: number;
  /** Some of its parameters say how words are chosen: not taken together with thinking. */
  samples: boolean;
}

/**
 * The fields that say how hard to think; none if the model is not known to take any. How words are chosen comes first:
 * it is asked for, the effort is a hint
 * (https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility).
 */
export function lowerThinking(request: ChatRequest, { messages, maxTokens, samples }: Lowered): JsonObject {
  const effort = askedEffort(request);
  if (effort === undefined) return {};
  if (ADAPTIVE.test(request.model)) {
    // Some leave the text of their thinking out if it is not asked for.
    const thinking = samples ? {} : { thinking: { type: 'adaptive', display: 'summarized' } };
    return { output_config: { effort }, ...thinking };
  }
  if (!BUDGETED.test(request.model) || samples || !mayThink(messages)) return {};
  const budget = thinkingBudget(effort, maxTokens);
  return budget < MIN_BUDGET ? {} : { thinking: { type: 'enabled', budget_tokens: budget } };
}

/**
 * In a tool loop that did not begin with thinking, another model's say, a budget is refused ("a final `assistant`
 * message must start with a thinking block").
 */
function mayThink(messages: Cacheable['messages']): boolean {
  const asked = messages.findLastIndex(({ role, content }) => role === 'user' && !content.some(isResult));
  const first = messages[asked + 1]?.content[0];
  return first === undefined || isThinking(first);
}

function isResult(block: JsonObject): boolean {
  return block.type === 'tool_result';
}

/** Is this a block of thinking, to be read or not? */
export function isThinking(block: JsonObject): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}
