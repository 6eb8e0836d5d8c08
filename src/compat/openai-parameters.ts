import { z } from 'zod';
import type { CompletionInput } from '../chat/complete.ts';
import { isBase64 } from '../core/base64.ts';
import { ShallowObject } from '../http/messages.ts';
import type { Effort, Tool } from '../providers/chat-model.ts';

/** A parameter whose absence nobody misses. */
export const Ignored = z.unknown().optional().describe('Taken, without effect.');

/** A parameter that the request cannot be done with; null is as good as nothing. */
export const refused = (why: string) => z.null({ error: why }).optional();

/** What a function, or a format, may be called. */
export const FunctionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

/** A function of the caller's own, in either of OpenAI's wires. */
export const FunctionFields = {
  name: FunctionName,
  description: z.string().nullish(),
  parameters: ShallowObject.nullish().describe('A JSON Schema of type object.'),
  strict: z.boolean().nullish(),
};

/** What a JSON Schema for the answer consists of. */
export const SchemaFields = {
  name: FunctionName,
  description: z.string().nullish(),
  schema: ShallowObject,
  strict: z.boolean().nullish(),
};

/** What the levels that only some models have are for all others; undefined: as the model does by itself. */
const EFFORTS = {
  none: undefined,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'max',
  max: 'max',
} as const satisfies Readonly<Record<string, Effort | undefined>>;

/** How hard to reason, by OpenAI's names. */
export const EffortName = z.enum(Object.keys(EFFORTS) as (keyof typeof EFFORTS)[]);

/** The same by ours; undefined: as the model does by itself. */
export function toEffort(name: z.output<typeof EffortName> | null | undefined): Effort | undefined {
  return name ? EFFORTS[name] : undefined;
}

/** A function as the wires out lower it. */
export function toTool({ name, description, parameters, strict }: z.output<z.ZodObject<typeof FunctionFields>>): Tool {
  return {
    name,
    description: description ?? undefined,
    parameters: parameters ?? { type: 'object', properties: {} },
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

/** What is wrong with the choice of a tool, and with the tools' names. @param choice `required`, or a tool's name. */
export function toolProblems(
  names: readonly string[],
  choice: 'required' | { name: string } | undefined,
): { path: string; message: string }[] {
  const found: { path: string; message: string }[] = [];
  if (new Set(names).size < names.length) found.push({ path: 'tools', message: 'names must differ' });
  if (choice === 'required' && names.length === 0) found.push({ path: 'tool_choice', message: 'required needs tools' });
  if (typeof choice === 'object' && !names.includes(choice.name))
    found.push({ path: 'tool_choice', message: `there is no tool called ${JSON.stringify(choice.name)}` });
  return found;
}

/** The form of an answer that must fit a JSON Schema. */
export function toSchemaFormat({
  name,
  description,
  schema,
  strict,
}: z.output<z.ZodObject<typeof SchemaFields>>): CompletionInput['responseFormat'] {
  return {
    type: 'json-schema',
    name,
    schema,
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

/** Inline bytes of a file as a data URL: some send the base64 alone, which then is a PDF's. */
export function fileDataUrl(data: string): string {
  return isBase64(data) ? `data:application/pdf;base64,${data}` : data;
}
