import { z } from 'zod';
import type { CompletionInput } from '../chat/complete.ts';
import { ShallowObject } from '../http/messages.ts';
import { MaxTokens, ModelName, Temperature } from '../http/schemas.ts';
import type { Effort, Sampling } from '../providers/chat-model.ts';
import { ResponseInput, toResponseMessages } from './responses-items.ts';

/** A parameter whose absence nobody misses. */
const Ignored = z.unknown().optional().describe('Taken, without effect.');

/** A parameter that the request cannot be done with; null is as good as nothing. */
const refused = (why: string) => z.null({ error: why }).optional();

const FunctionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

const FunctionTool = z.strictObject({
  type: z.literal('function', {
    error: ({ input }) => `${JSON.stringify(input)} is not taken: there are no built-in tools, send functions`,
  }),
  name: FunctionName,
  description: z.string().nullish(),
  parameters: ShallowObject.nullish().describe('A JSON Schema of type object.'),
  strict: z.boolean().nullish(),
});

const Format = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      name: FunctionName,
      description: z.string().nullish(),
      schema: ShallowObject,
      strict: z.boolean().nullish(),
    }),
  ],
  { error: 'must be text, json_object or json_schema' },
);

/** What the levels that only some models have are for all others; undefined: as the model does by itself. */
const EFFORTS: Readonly<Record<'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max', Effort | undefined>> =
  {
    none: undefined,
    minimal: 'low',
    low: 'low',
    medium: 'medium',
    high: 'high',
    xhigh: 'max',
    max: 'max',
  };

/** The body of a response. Null is taken for nothing wherever OpenAI's API does. */
export const ResponseBody = z
  .strictObject({
    input: ResponseInput,
    model: ModelName.optional().describe('An id, `provider/model` or an alias; absent: the default.'),
    instructions: z.string().max(1_000_000).nullish().describe('Stands before the input.'),
    stream: z.boolean().nullish(),
    stream_options: z.strictObject({ include_obfuscation: Ignored }).nullish(),
    tools: z.array(FunctionTool).max(128).nullish(),
    tool_choice: z
      .union([
        z.enum(['auto', 'none', 'required']),
        z.strictObject({ type: z.literal('function', { error: 'must be function' }), name: FunctionName }),
      ])
      .nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    temperature: Temperature.nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    max_output_tokens: MaxTokens.nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    text: z
      .strictObject({
        format: Format.nullish(),
        verbosity: z.enum(['low', 'medium', 'high']).nullish().describe('Left out, with a warning.'),
      })
      .nullish(),
    reasoning: z
      .strictObject({
        effort: z.enum(Object.keys(EFFORTS) as (keyof typeof EFFORTS)[]).nullish(),
        summary: Ignored,
        generate_summary: Ignored,
      })
      .nullish(),
    include: z.array(z.string()).nullish().describe('`message.output_text.logprobs` has an effect; the rest is there.'),
    truncation: z.enum(['auto', 'disabled']).nullish().describe('As `disabled`: an input that is too long is refused.'),
    store: z.boolean().nullish().describe('Taken; nothing is stored, and the answer says so.'),
    background: z.literal(false, { error: 'is not done here: leave it out, or start a run' }).nullish(),
    previous_response_id: refused('no responses are kept: send what was said before as input'),
    conversation: refused('responses are of no conversation: send what was said before as input'),
    prompt: refused('no prompts are kept here: send input and instructions'),
    max_tool_calls: refused('there are no built-in tools whose calls could be counted: leave it out'),
    context_management: refused('is not done here: leave it out'),
    metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
    user: Ignored,
    service_tier: Ignored,
    safety_identifier: Ignored,
    prompt_cache_key: Ignored,
    prompt_cache_retention: Ignored,
  })
  .superRefine((body, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const names = (body.tools ?? []).map(({ name }) => name);
    const { tool_choice: choice } = body;
    if (new Set(names).size < names.length) complain('tools', 'names must differ');
    if (choice === 'required' && names.length === 0) complain('tool_choice', 'required needs tools');
    if (typeof choice === 'object' && choice && !names.includes(choice.name))
      complain('tool_choice', `there is no tool called ${JSON.stringify(choice.name)}`);
  });

/** A validated request. */
export type ResponseRequest = z.output<typeof ResponseBody>;

/** What a call is asked, and one sentence for each parameter that was left out. */
export function toResponseCall(body: ResponseRequest): { input: CompletionInput; warnings: string[] } {
  const { tool_choice: choice, reasoning } = body;
  const effort = reasoning?.effort;
  const input: CompletionInput = {
    messages: toResponseMessages(body.input),
    model: body.model,
    systemPrompt: body.instructions ? body.instructions : undefined,
    temperature: body.temperature ?? undefined,
    maxTokens: body.max_output_tokens ?? undefined,
    tools: (body.tools ?? []).map(({ name, description, parameters, strict }) => ({
      name,
      description: description ?? undefined,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(typeof strict === 'boolean' ? { strict } : {}),
    })),
    toolChoice: typeof choice === 'object' && choice ? { name: choice.name } : (choice ?? undefined),
    effort: effort ? EFFORTS[effort] : undefined,
    sampling: toSampling(body),
    responseFormat: toFormat(body.text?.format),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
    stream: body.stream ?? false,
  };
  return { input, warnings: warningsOf(body) };
}

function warningsOf({ text, store, truncation }: ResponseRequest): string[] {
  return [
    ...(text?.verbosity ? ['text.verbosity is not sent on: say in the input how long to be'] : []),
    ...(store ? ['store is not done: nothing of a response is kept'] : []),
    ...(truncation === 'auto' ? ['truncation is not done: an input that is too long is refused'] : []),
  ];
}

function toSampling({ top_p: topP, top_logprobs: most, include }: ResponseRequest): Sampling | undefined {
  const wantsLogprobs = typeof most === 'number' || include?.includes('message.output_text.logprobs');
  const sampling: Sampling = {
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(wantsLogprobs ? { logprobs: most ?? 0 } : {}),
  };
  return Object.keys(sampling).length > 0 ? sampling : undefined;
}

function toFormat(format: z.output<typeof Format> | null | undefined): CompletionInput['responseFormat'] {
  if (!format || format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  const { name, description, schema, strict } = format;
  return {
    type: 'json-schema',
    name,
    schema,
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}
