import type { ResponseFormat, Sampling } from './chat-model.ts';

/** What single providers call parameters, by our names. */
export type ParameterNames = Readonly<Partial<Record<keyof Sampling, string>>>;

/** The parameters that a provider may refuse, by our names. */
export const REFUSABLE = [
  'temperature',
  'topP',
  'topK',
  'stop',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'logitBias',
  'logprobs',
  'parallelToolCalls',
] as const satisfies readonly (keyof Sampling | 'temperature' | 'parallelToolCalls')[];

/** One of {@link REFUSABLE}. */
export type Refusable = (typeof REFUSABLE)[number];

/** What some models refuse, or take without heeding it, of what their wire has. */
export interface RefusedParameters {
  /** Which models; absent: all. */
  models?: RegExp;
  parameters: readonly Refusable[];
}

/** Which forms of an answer some models take. */
export interface TakenFormats {
  /** Which models; absent: all. */
  models?: RegExp;
  formats: readonly ResponseFormat['type'][];
}

/** Where a vendor departs from its wire in what it takes of a request's parameters. Absent means: as the wire says. */
export interface ParameterQuirks {
  /** Parameters that are not called as the wire calls them, or that the wire does not have. */
  parameterNames?: ParameterNames;
  /** Parameters that are left out, with a warning: those of all rules that fit the model. */
  refusedParameters?: readonly RefusedParameters[];
  /** On openai's chat wire: the first that fits the model; without one, JSON is taken with and without a schema. */
  responseFormats?: readonly TakenFormats[];
  /** On openai's chat wire: a form of the answer is refused together with tools. */
  formatOrTools?: boolean;
  /** On openai's chat wire: a tool may be `strict`. */
  strictTools?: boolean;
}

/** Does the model refuse the parameter? */
export function isRefused(
  parameter: Refusable,
  model: string,
  rules: readonly RefusedParameters[] | undefined = [],
): boolean {
  return rules.some(({ models, parameters }) => parameters.includes(parameter) && (models?.test(model) ?? true));
}

/**
 * Openai's chat wire has no `top_k`, but these do: https://docs.together.ai/reference/chat-completions,
 * https://docs.fireworks.ai/api-reference/post-chatcompletions, https://openrouter.ai/docs/api/reference/parameters,
 * https://docs.perplexity.ai/api-reference/chat-completions-post
 */
export const TOP_K: ParameterNames = { topK: 'top_k' };

/** https://console.groq.com/docs/openai: they are answered with 400. */
export const GROQ_REFUSED: readonly RefusedParameters[] = [{ parameters: ['logitBias', 'logprobs'] }];

/** https://console.groq.com/docs/structured-outputs: these are not among the models of the list. */
export const GROQ_FORMATS: readonly TakenFormats[] = [{ models: /^llama-3/, formats: ['json'] }];

/** https://docs.mistral.ai/api: what a request has beyond the fields that are listed there is refused. */
export const MISTRAL_REFUSED: readonly RefusedParameters[] = [{ parameters: ['logitBias', 'logprobs'] }];

/**
 * https://docs.x.ai/developers/model-capabilities/text/reasoning (three that are errors for models that reason) and
 * https://docs.x.ai/developers/rest-api-reference/inference/chat (the rest, of which some are taken and not heeded).
 */
export const XAI_REFUSED: readonly RefusedParameters[] = [
  { parameters: ['logitBias'] },
  {
    models: /^grok-(code|3-mini|[4-9]|\d\d)(?!.*non-reasoning)/,
    parameters: ['stop', 'frequencyPenalty', 'presencePenalty'],
  },
  { models: /^grok-3/, parameters: ['presencePenalty'] },
  // The later ones do not heed it; on the other wire, where those that reason are asked, it has another form.
  { models: /^grok-(4\.[2-9]|[5-9]|\d\d|(3-mini|4)(?!.*non-reasoning))/, parameters: ['logprobs'] },
];

/**
 * https://api-docs.deepseek.com/guides/thinking_mode and https://api-docs.deepseek.com/guides/reasoning_model: models
 * that think refuse `logprobs`, or take the others without heeding them; https://api-docs.deepseek.com/api/create-chat-completion
 * has no `seed` and no `logit_bias`.
 */
export const DEEPSEEK_REFUSED: readonly RefusedParameters[] = [
  { parameters: ['seed', 'logitBias'] },
  {
    models: /^deepseek-(reasoner|v[4-9]|flash|pro)/,
    parameters: ['temperature', 'frequencyPenalty', 'presencePenalty'],
  },
  { models: /^deepseek-reasoner/, parameters: ['topP', 'logprobs'] },
];

/** https://api-docs.deepseek.com/api/create-chat-completion */
export const DEEPSEEK_FORMATS: readonly TakenFormats[] = [{ formats: ['json'] }];

/** https://docs.together.ai/reference/chat-completions: a number there, and answered in a form of its own. */
export const TOGETHER_REFUSED: readonly RefusedParameters[] = [{ parameters: ['logprobs'] }];

/** https://inference-docs.cerebras.ai/resources/openai: they are answered with 400. */
export const CEREBRAS_REFUSED: readonly RefusedParameters[] = [
  { parameters: ['frequencyPenalty', 'presencePenalty', 'logitBias'] },
];

/** https://docs.perplexity.ai/api-reference/chat-completions-post has neither, and refuses what it does not have. */
export const PERPLEXITY_REFUSED: readonly RefusedParameters[] = [{ parameters: ['seed', 'logitBias'] }];

/** The same page. */
export const PERPLEXITY_FORMATS: readonly TakenFormats[] = [{ formats: ['json-schema'] }];
