import { z } from 'zod';
import { patternProblem } from './pattern.ts';
import { FILE_FORMS, type Quirks, type ReasoningBack } from './profiles.ts';

const Pattern = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue(problem);
  });

/** Quirks as JSON: patterns are text. Has every quirk that a vendor's row can have. */
export const QuirksSchema = z
  .strictObject({
    reasoningModels: Pattern,
    usageUnasked: z.boolean(),
    toolCallIds: z.strictObject({ pattern: Pattern, length: z.int().min(1).max(64) }),
    reasoningBack: z
      .array(
        z.strictObject({
          models: Pattern.optional(),
          as: z.enum(['reasoning_content', 'reasoning', 'reasoning_details', 'content-parts']),
          required: z.boolean().optional(),
          openTurnOnly: z.boolean().optional(),
        } satisfies Record<keyof ReasoningBack, z.ZodType>),
      )
      .max(20),
    files: z.enum(FILE_FORMS),
    noTools: z.boolean(),
    strictAlternation: z.boolean(),
    thinkTags: z.boolean(),
    refusedSchemaKeywords: z.array(z.string().min(1).max(100)).max(100),
  } satisfies Record<keyof Quirks, z.ZodType>)
  .partial();

/** Where a custom provider departs from its wire, as JSON. */
export type QuirksJson = z.infer<typeof QuirksSchema>;

/** The quirks that JSON stands for; its patterns are known to compile. */
export function toQuirks({ reasoningModels, toolCallIds, reasoningBack, ...plain }: QuirksJson): Quirks {
  const quirks: Quirks = { ...defined(plain) };
  if (reasoningModels !== undefined) quirks.reasoningModels = new RegExp(reasoningModels);
  if (toolCallIds) quirks.toolCallIds = { ...toolCallIds, pattern: new RegExp(toolCallIds.pattern) };
  if (reasoningBack) {
    quirks.reasoningBack = reasoningBack.map(({ models, ...rest }) => ({
      ...defined(rest),
      ...(models === undefined ? {} : { models: new RegExp(models) }),
    }));
  }
  return quirks;
}

/** JSON has no undefined fields, only types do. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return value as { [K in keyof T]: Exclude<T[K], undefined> };
}
