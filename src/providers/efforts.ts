import type { Effort } from './chat-model.ts';

/** The vendor's word for each effort; one that has none is left to the provider's default. */
export type EffortWords = Readonly<Partial<Record<Effort, string>>>;

/** How models on the wires of openai are told how hard to reason; those that no rule names are not told. */
export interface EffortRule {
  /** Which models; absent: all. */
  models?: RegExp;
  words: EffortWords;
  /** The field on openai's chat wire; `reasoning` is an object that has the word as `effort`. Absent: `reasoning_effort`. */
  as?: 'reasoning_effort' | 'reasoning';
  /** On openai's chat wire it is refused together with tools. */
  notWithTools?: boolean;
}

const UP_TO_HIGH: EffortWords = { low: 'low', medium: 'medium', high: 'high', max: 'high' };
const UP_TO_XHIGH: EffortWords = { ...UP_TO_HIGH, max: 'xhigh' };
const UP_TO_MAX: EffortWords = { ...UP_TO_HIGH, max: 'max' };

/**
 * https://developers.openai.com/api/docs/guides/reasoning. Models for chat, search and research, and the pro ones, take
 * one or two efforts of their own. Tools with effort on the chat wire: https://github.com/openai/openai-openapi/issues/541
 */
export const OPENAI_EFFORT: readonly EffortRule[] = [
  {
    models: /^(o1|o3|o3-mini|o4-mini|gpt-5(-mini|-nano|-codex)?|gpt-5\.1(-codex(-mini|-max)?)?)(-\d{4}-\d\d-\d\d)?$/,
    words: UP_TO_HIGH,
  },
  {
    models: /^gpt-5\.[2-5](-mini|-nano|-codex)?(-\d{4}-\d\d-\d\d)?$/,
    words: UP_TO_XHIGH,
    notWithTools: true,
  },
  {
    models:
      /^gpt-(5\.([6-9]|\d\d)|([6-9]|[12]\d)(\.\d+)?)(-(mini|nano|codex|astra|luna|sol|terra))?(-\d{4}-\d\d-\d\d)?$/,
    words: UP_TO_MAX,
    notWithTools: true,
  },
];

/** https://docs.x.ai/developers/model-capabilities/text/reasoning: Grok 4.3 and later; those before it refuse the field. */
export const XAI_EFFORT: readonly EffortRule[] = [
  { models: /^grok-4\.[345](?!\d)(?!.*non-reasoning)/, words: UP_TO_HIGH },
  { models: /^grok-4\.6(?!\d)(?!.*non-reasoning)/, words: UP_TO_XHIGH },
];

/** https://console.groq.com/docs/reasoning: the other Qwens know only on and off. */
export const GROQ_EFFORT: readonly EffortRule[] = [{ models: /(gpt-oss-\d+b|qwen3\.8-27b)$/, words: UP_TO_HIGH }];

/** https://docs.mistral.ai/studio/conversations/reasoning: most that can reason at all know on and off, and are off. */
export const MISTRAL_EFFORT: readonly EffortRule[] = [
  { models: /^mistral-large-4(-\d)?$/, words: UP_TO_HIGH },
  {
    models: /^mistral-(small-(latest|2603)|medium(-latest|-2604|-3-5|-3\.5)?)$/,
    words: { high: 'high', max: 'high' },
  },
];

/** https://api-docs.deepseek.com/guides/thinking_mode: it takes `medium` for `high` itself. */
export const DEEPSEEK_EFFORT: readonly EffortRule[] = [
  { models: /^deepseek-(v4|flash|pro)/, words: { low: 'low', medium: 'high', high: 'high', max: 'max' } },
];

/** OpenAI's open models, which are told alike wherever they run. */
export const GPT_OSS_EFFORT: readonly EffortRule[] = [{ models: /gpt-oss-\d+b/, words: UP_TO_HIGH }];

/** https://docs.perplexity.ai/api-reference/chat-completions-post */
export const PERPLEXITY_EFFORT: readonly EffortRule[] = [
  { models: /^sonar-(reasoning|deep-research)/, words: UP_TO_HIGH },
];

/**
 * https://openrouter.ai/docs/guides/best-practices/reasoning-tokens. Its list names efforts for some models, and
 * refuses others for those: so only families that take all three. Claude before 4.6 refuses to think in a tool loop
 * that another model began.
 */
export const OPENROUTER_EFFORT: readonly EffortRule[] = [
  {
    models: new RegExp(
      `^(${[
        'openai/(o3|o3-mini|o4-mini|gpt-oss-\\d+b|gpt-[5-9](\\.\\d+)?(-(mini|nano|codex|astra|luna|sol|terra))?)',
        'anthropic/claude-(opus|sonnet|haiku|fable)-(4\\.[6-9]|[5-9](\\.\\d+)?)',
        'google/gemini-(2\\.5|3\\.\\d+)-(pro|flash)(-preview)?',
        'x-ai/grok-4\\.[3-6]',
      ].join('|')})(:\\w+)?$`,
    ),
    words: UP_TO_HIGH,
    as: 'reasoning',
  },
];
