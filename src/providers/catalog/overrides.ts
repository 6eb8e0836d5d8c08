/** What the price package does not know of models, and the short names. */

/** Short names; each stands for `provider/model`. */
export const ALIASES: Readonly<Record<string, string>> = {
  sonnet: 'anthropic/claude-sonnet-5',
  opus: 'anthropic/claude-opus-5-5',
  haiku: 'anthropic/claude-haiku-4-5',
  gpt: 'openai/gpt-5.5',
  'gpt-mini': 'openai/gpt-5.4-mini',
  gemini: 'google/gemini-3.8-flash',
  'gemini-pro': 'google/gemini-3.1-pro-preview',
  grok: 'xai/grok-4.6',
  mistral: 'mistral/mistral-medium-latest',
  codestral: 'mistral/codestral-latest',
  deepseek: 'deepseek/deepseek-v4-flash',
  command: 'cohere/command-a-03-2025',
  sonar: 'perplexity/sonar',
};

interface Abilities {
  vision?: boolean;
  tools?: boolean;
  reasoning?: boolean;
  /** Tokens. */
  maxOutput?: number;
}

/**
 * Abilities by family of names; the first match holds, and a prefix such as `anthropic/` (openrouter) is allowed.
 * From the vendors' model pages; a family that is not here is unknown, not incapable.
 */
export const ABILITIES: ReadonlyArray<readonly [RegExp, Abilities]> = [
  [/(^|\/)claude-(2|v1|instant)/, { vision: false, tools: false, reasoning: false, maxOutput: 4096 }],
  [/(^|\/)claude-3-(opus|sonnet|haiku)/, { vision: true, tools: true, reasoning: false, maxOutput: 4096 }],
  [/(^|\/)claude-3[.-]5/, { vision: true, tools: true, reasoning: false, maxOutput: 8192 }],
  [/(^|\/)claude-(3[.-]7|sonnet-4|haiku-4)/, { vision: true, tools: true, reasoning: true, maxOutput: 64_000 }],
  [/(^|\/)claude-/, { vision: true, tools: true, reasoning: true }],
  [/(^|\/)gpt-oss/, { vision: false, tools: true, reasoning: true }],
  [/(^|\/)gpt-(4o|4\.1|4-turbo)/, { vision: true, tools: true, reasoning: false }],
  [/(^|\/)gpt-3\.5/, { vision: false, tools: true, reasoning: false, maxOutput: 4096 }],
  [/(^|\/)gpt-([5-9]|\d\d)/, { vision: true, tools: true, reasoning: true, maxOutput: 128_000 }],
  [/(^|\/)o[134](-|$)/, { tools: true, reasoning: true, maxOutput: 100_000 }],
  [/(^|\/)gemini-(2\.5|[3-9])/, { vision: true, tools: true, reasoning: true, maxOutput: 65_536 }],
  [/(^|\/)gemini-/, { vision: true, tools: true, reasoning: false, maxOutput: 8192 }],
  [/(^|\/)grok-4.*non-reasoning/, { vision: true, tools: true, reasoning: false }],
  [/(^|\/)grok-4/, { vision: true, tools: true, reasoning: true }],
  [/(^|\/)deepseek-(reasoner|v4)/, { vision: false, tools: true, reasoning: true }],
  [/(^|\/)deepseek-chat/, { vision: false, tools: true, reasoning: false }],
  [/(^|\/)magistral/, { tools: true, reasoning: true }],
  [/(^|\/)(mistral-(large|medium|small)|codestral|devstral|ministral)/, { tools: true, reasoning: false }],
  [/(^|\/)command-(a|r)/, { vision: false, tools: true }],
  [/(^|\/)sonar.*(reasoning|deep)/, { tools: false, reasoning: true }],
  [/(^|\/)sonar/, { tools: false, reasoning: false }],
];
