import { z } from 'zod';
import { EFFORTS, type Sampling } from '../chat-model.ts';
import type { EffortRule } from '../efforts.ts';
import { REFUSABLE, type RefusedParameters, type TakenFormats } from '../parameters.ts';
import { FILE_FORMS, type Quirks, type ReasoningBack } from '../profiles.ts';

/** How names of models begin. Not patterns: one of somebody else's could keep the server busy for minutes. */
const Models = z.array(z.string().min(1).max(200)).min(1).max(50);

/** Of a request's body. */
const FieldName = z.string().regex(/^[a-z][a-zA-Z0-9_]{0,63}$/, 'must be a letter, and then letters, digits and _');

/** Quirks as JSON. Has every quirk that a vendor's row can have. */
export const QuirksSchema = z
  .strictObject({
    reasoningModels: Models,
    usageUnasked: z.boolean(),
    toolCallIds: z.strictObject({ length: z.int().min(4).max(64) }),
    reasoningBack: z
      .array(
        z.strictObject({
          models: Models.optional(),
          as: z.enum(['reasoning_content', 'reasoning', 'reasoning_details', 'content-parts']),
          required: z.boolean().optional(),
          openTurnOnly: z.boolean().optional(),
        } satisfies Record<keyof ReasoningBack, z.ZodType>),
      )
      .max(20),
    effort: z
      .array(
        z.strictObject({
          models: Models.optional(),
          words: z.partialRecord(z.enum(EFFORTS), z.string().min(1).max(50)),
          as: z.enum(['reasoning_effort', 'reasoning']).optional(),
          notWithTools: z.boolean().optional(),
        } satisfies Record<keyof EffortRule, z.ZodType>),
      )
      .max(20),
    files: z.enum(FILE_FORMS),
    noTools: z.boolean(),
    strictAlternation: z.boolean(),
    thinkTags: z.boolean(),
    refusedSchemaKeywords: z.array(z.string().min(1).max(100)).max(100),
    parameterNames: z
      .strictObject({
        topP: FieldName,
        topK: FieldName,
        stop: FieldName,
        seed: FieldName,
        frequencyPenalty: FieldName,
        presencePenalty: FieldName,
        logitBias: FieldName,
        logprobs: FieldName,
      } satisfies Record<keyof Sampling, z.ZodType>)
      .partial(),
    refusedParameters: z
      .array(
        z.strictObject({
          models: Models.optional(),
          parameters: z.array(z.enum(REFUSABLE)).min(1),
        } satisfies Record<keyof RefusedParameters, z.ZodType>),
      )
      .max(20),
    responseFormats: z
      .array(
        z.strictObject({
          models: Models.optional(),
          formats: z.array(z.enum(['json', 'json-schema'])).max(2),
        } satisfies Record<keyof TakenFormats, z.ZodType>),
      )
      .max(20),
    formatOrTools: z.boolean(),
    strictTools: z.boolean(),
    resultMedia: z.boolean(),
  } satisfies Record<keyof Quirks, z.ZodType>)
  .partial();

/** Where a custom provider departs from its wire, as JSON. */
export type QuirksJson = z.infer<typeof QuirksSchema>;

/** The quirks that JSON stands for. */
export function toQuirks({ reasoningModels, toolCallIds, reasoningBack, effort, ...rest }: QuirksJson): Quirks {
  const { parameterNames, refusedParameters, responseFormats, ...plain } = rest;
  const quirks: Quirks = { ...defined(plain) };
  if (parameterNames) quirks.parameterNames = defined(parameterNames);
  if (reasoningModels !== undefined) quirks.reasoningModels = beginningWith(reasoningModels);
  if (toolCallIds) {
    const { length } = toolCallIds;
    quirks.toolCallIds = { length, pattern: new RegExp(`^[a-zA-Z0-9]{${length}}$`) };
  }
  if (reasoningBack) {
    quirks.reasoningBack = reasoningBack.map(({ models, ...rest }) => ({ ...defined(rest), ...fitting(models) }));
  }
  if (responseFormats) {
    quirks.responseFormats = responseFormats.map(({ models, formats }) => ({ formats, ...fitting(models) }));
  }
  if (refusedParameters) {
    quirks.refusedParameters = refusedParameters.map(({ models, parameters }) => ({ parameters, ...fitting(models) }));
  }
  if (effort) {
    quirks.effort = effort.map(({ models, words, ...rest }) => ({
      ...defined(rest),
      ...fitting(models),
      words: defined(words),
    }));
  }
  return quirks;
}

/** Which models a rule is for; absent: all. */
function fitting(models: readonly string[] | undefined): { models?: RegExp } {
  return models === undefined ? {} : { models: beginningWith(models) };
}

function beginningWith(names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})`);
}

/** JSON has no undefined fields, only types do. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return value as { [K in keyof T]: Exclude<T[K], undefined> };
}
