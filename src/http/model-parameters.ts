import { z } from 'zod';
import type { CompletionInput } from '../chat/complete.ts';
import { EFFORTS, type Sampling } from '../providers/chat-model.ts';
import { ShallowObject } from './messages.ts';
import { text } from './schemas.ts';

const StopText = text(1000);

const SamplingFields = {
  topP: z.number().min(0).max(1).describe('Only the likeliest words that together have this share of the chances.'),
  topK: z.int().min(1).describe('Only so many of the likeliest words.'),
  stop: z.union([StopText, z.array(StopText).min(1).max(4)]).describe('Texts before which the answer ends.'),
  seed: z.int().describe('The same again for the same request, as far as the provider manages.'),
  frequencyPenalty: z.number().min(-2).max(2).describe('Against words by how often they have come.'),
  presencePenalty: z.number().min(-2).max(2).describe('Against words that have come at all.'),
  logitBias: z
    .record(z.string().regex(/^\d+$/, 'must be a token id'), z.number().min(-100).max(100))
    .describe('For or against single tokens, by their ids.'),
  logprobs: z
    .int()
    .min(0)
    .max(20)
    .describe('How many likely tokens to name for each place of the text, beside the one that was chosen.'),
} satisfies Record<keyof Sampling, z.ZodType>;

const ResponseFormatSchema = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('json') }),
      z.strictObject({
        type: z.literal('json-schema'),
        schema: ShallowObject.describe('A JSON Schema.'),
        name: z
          .string()
          .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
          .default('answer'),
        description: z.string().max(10_000).optional(),
        strict: z.boolean().optional().describe('Must the answer fit exactly, where the provider sees to that?'),
      }),
    ],
    { error: 'must be json or json-schema' },
  )
  .describe('The form of the answer’s text.');

/** How a model is to choose its words, how hard it is to reason, and the form of what it says. */
export const ModelParameters = {
  ...z.object(SamplingFields).partial().shape,
  responseFormat: ResponseFormatSchema.optional(),
  parallelToolCalls: z.boolean().optional().describe('May several tools be called at once? Absent: as the model does.'),
  effort: z.enum(EFFORTS).optional().describe('How hard to reason; left out for models that cannot be told.'),
};

type Given = z.output<z.ZodObject<typeof ModelParameters>>;

/** The parameters in the form that the wires lower from. */
export function toModelParameters(
  body: Given,
): Pick<CompletionInput, 'sampling' | 'responseFormat' | 'parallelToolCalls' | 'effort'> {
  const { responseFormat: format, parallelToolCalls, effort, stop } = body;
  const given = Object.keys(SamplingFields).flatMap((name) => {
    const value = name === 'stop' && stop !== undefined ? [stop].flat() : body[name as keyof Sampling];
    return value === undefined ? [] : [[name, value]];
  });
  const sampling: Sampling = Object.fromEntries(given);
  return {
    sampling: given.length > 0 ? sampling : undefined,
    responseFormat: format && toFormat(format),
    parallelToolCalls,
    effort,
  };
}

function toFormat(format: z.output<typeof ResponseFormatSchema>): CompletionInput['responseFormat'] {
  if (format.type === 'json') return format;
  const { description, strict, ...rest } = format;
  return {
    ...rest,
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}
