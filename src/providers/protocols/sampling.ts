import type { JsonObject } from '../../core/json.ts';
import type { ChatRequest, Sampling } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';

/** What a wire calls the fields that it has. */
export type SamplingNames = Readonly<Partial<Record<keyof Sampling, string>>>;

/** What is asked of a model beside its messages, as far as a wire may have no word for it. */
type Asked = Pick<ChatRequest, 'model' | 'sampling' | 'responseFormat' | 'parallelToolCalls' | 'tools'>;

/** What models that take no temperature do take: they choose their words by themselves. */
const OF_REASONING_MODELS: ReadonlySet<string> = new Set<keyof Sampling>(['stop', 'seed']);

/**
 * The fields of `sampling` under a wire's own names.
 * @param warnings gets a sentence for each that has none, or that the model does not take.
 * @see https://platform.openai.com/docs/guides/latest-model (parameters that reasoning models refuse)
 */
export function lowerSampling(
  { model, sampling = {} }: Asked,
  names: SamplingNames,
  warnings: string[],
  { reasoningModels }: Pick<Quirks, 'reasoningModels'> = {},
): JsonObject {
  const out: JsonObject = {};
  const isReasoning = reasoningModels?.test(model) ?? false;
  for (const [field, value] of Object.entries(sampling)) {
    const name = names[field as keyof Sampling];
    if (name === undefined || (isReasoning && !OF_REASONING_MODELS.has(field))) warnings.push(leftOut(field, model));
    else out[name] = value;
  }
  return out;
}

/** Says that there is no word for `responseFormat`. */
export function noResponseFormat({ model, responseFormat }: Asked, warnings: string[]): void {
  if (responseFormat) warnings.push(leftOut('responseFormat', model));
}

/** Says that there is no word for `parallelToolCalls`. */
export function noParallelToolCalls({ model, parallelToolCalls }: Asked, warnings: string[]): void {
  if (parallelToolCalls !== undefined) warnings.push(leftOut('parallelToolCalls', model));
}

/** Says that there is no word for `strict`. */
export function noStrictTools({ model, tools }: Asked, warnings: string[]): void {
  if (tools.some(({ strict }) => strict)) warnings.push(leftOut('strict', model));
}

/** Says of all that was asked for that it was left out. */
export function nothingBeside(request: Asked, warnings: string[]): void {
  lowerSampling(request, {}, warnings);
  noResponseFormat(request, warnings);
  noParallelToolCalls(request, warnings);
  noStrictTools(request, warnings);
}

function leftOut(field: string, model: string): string {
  return `${field}: ${model} does not take it; left out`;
}
