import type { JsonObject } from '../../core/json.ts';
import type { ChatRequest, ResponseFormat, Sampling } from '../chat-model.ts';
import { isRefused, type ParameterNames, type Refusable } from '../parameters.ts';
import type { Quirks } from '../profiles.ts';

/** What a wire calls the fields that it has. */
export type SamplingNames = ParameterNames;

/** The quirks that say what of a request's parameters is taken, and under which names. */
type Heeded = Pick<Quirks, 'reasoningModels' | 'parameterNames' | 'refusedParameters'>;

/** What is asked of a model beside its messages, as far as a wire may have no word for it. */
type Asked = Pick<ChatRequest, 'model' | 'sampling' | 'responseFormat' | 'parallelToolCalls' | 'tools'>;

/** What models that take no temperature do take: they choose their words by themselves. */
const OF_REASONING_MODELS: ReadonlySet<string> = new Set<keyof Sampling>(['stop', 'seed']);

/**
 * The fields of `sampling` under a wire's own names, as far as the vendor takes them.
 * @param warnings gets a sentence for each that has none, or that the model does not take.
 * @see https://platform.openai.com/docs/guides/latest-model (parameters that reasoning models refuse)
 */
export function lowerSampling(
  { model, sampling = {} }: Asked,
  names: SamplingNames,
  warnings: string[],
  { reasoningModels, parameterNames, refusedParameters }: Heeded = {},
): JsonObject {
  const out: JsonObject = {};
  const isReasoning = reasoningModels?.test(model) ?? false;
  const known: SamplingNames = { ...names, ...parameterNames };
  for (const [name, value] of Object.entries(sampling)) {
    const field = name as keyof Sampling;
    const isLeftOut = (isReasoning && !OF_REASONING_MODELS.has(field)) || isRefused(field, model, refusedParameters);
    const theirs = known[field];
    if (theirs === undefined || isLeftOut) warnings.push(leftOut(field, model));
    else out[theirs] = value;
  }
  return out;
}

/**
 * `parallelToolCalls` to send, if it was asked for and the model takes it.
 * @param warnings gets a sentence if it does not.
 */
export function takenParallelToolCalls(
  { model, parallelToolCalls }: Asked,
  { refusedParameters }: Heeded,
  warnings: string[],
): boolean | undefined {
  if (parallelToolCalls === undefined || !isRefused('parallelToolCalls', model, refusedParameters)) {
    return parallelToolCalls;
  }
  warnings.push(leftOut('parallelToolCalls', model));
  return undefined;
}

/**
 * The form of the answer that is to be asked for. Where it does not go together with tools they stay and it is left out:
 * without them the model could not do what it is asked.
 * @param warnings gets a sentence then.
 */
export function formatBesideTools(
  { model, responseFormat, tools }: Asked,
  goesTogether: boolean,
  warnings: string[],
): ResponseFormat | undefined {
  if (!responseFormat || goesTogether || tools.length === 0) return responseFormat;
  warnings.push(`responseFormat: ${model} does not take it together with tools; left out`);
  return undefined;
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

/** Says that a parameter, by our name, was left out. */
export function leftOut(field: Refusable | 'responseFormat' | 'strict', model: string): string {
  return `${field}: ${model} does not take it; left out`;
}
