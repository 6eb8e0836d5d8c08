import { z } from 'zod';
import type { CompletionInput } from '../chat/complete.ts';
import { MaxTokens, ModelName, Temperature, text } from '../http/schemas.ts';
import type { Sampling } from '../providers/chat-model.ts';
import {
  EffortName,
  FunctionName,
  Ignored,
  refused,
  SchemaFields,
  toEffort,
  toolProblems,
  toSchemaFormat,
} from './openai-parameters.ts';
import { ResponseInput } from './responses-items.ts';
import { missingTools, ownTools, ResponseTool, toOffered } from './responses-tools.ts';

const Format = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      ...SchemaFields,
    }),
  ],
  { error: 'must be text, json_object or json_schema' },
);

/** The body of a response. Null is taken for nothing wherever OpenAI's API does. */
export const ResponseBody = z
  .strictObject({
    input: ResponseInput,
    model: ModelName.optional().describe('An id, `provider/model` or an alias; absent: the default.'),
    instructions: z.string().max(1_000_000).nullish().describe('Stands before the input.'),
    stream: z.boolean().nullish(),
    stream_options: z.strictObject({ include_obfuscation: Ignored, include_usage: Ignored }).nullish(),
    tools: z.array(ResponseTool).max(128).nullish(),
    tool_choice: z
      .union([
        z.enum(['auto', 'none', 'required']),
        z.strictObject({
          type: z.enum(['function', 'custom'], { error: 'must be function or custom' }),
          name: FunctionName,
        }),
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
        effort: EffortName.nullish(),
        summary: Ignored,
        generate_summary: Ignored,
      })
      .nullish(),
    include: z.array(z.string()).nullish().describe('`message.output_text.logprobs` has an effect; the rest is there.'),
    truncation: z.enum(['auto', 'disabled']).nullish().describe('As `disabled`: an input that is too long is refused.'),
    store: z
      .boolean()
      .nullish()
      .describe('Absent: true. It is kept as a turn of a conversation, and can be asked for again.'),
    background: z.boolean().nullish().describe('It goes on by itself, as a run.'),
    previous_response_id: text(500).nullish().describe('It goes on from there.'),
    conversation: z
      .union([text(500), z.strictObject({ id: text(500) })])
      .nullish()
      .describe('It is a turn of this one.'),
    prompt: refused('no prompts are kept here: send input and instructions'),
    max_tool_calls: z.int().min(1).nullish().describe('Without effect: it counts calls of built-in tools alone.'),
    context_management: refused('is not done here: leave it out'),
    metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
    client_metadata: Ignored,
    user: Ignored,
    service_tier: Ignored,
    safety_identifier: Ignored,
    prompt_cache_key: Ignored,
    prompt_cache_retention: Ignored,
  })
  .superRefine((body, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const names = ownTools(body.tools).map(({ name }) => name);
    const { tool_choice: choice } = body;
    const chosen = choice === 'required' || typeof choice === 'object' ? (choice ?? undefined) : undefined;
    for (const { path, message } of toolProblems(names, chosen)) complain(path, message);
    if (body.conversation && body.previous_response_id)
      complain(
        'previous_response_id',
        'is not taken with conversation: a response is the last one of its conversation',
      );
    if (body.conversation && body.store === false)
      complain('store', 'must not be false with conversation, which keeps what is said in it');
    if (body.background) for (const { path, message } of backgroundProblems(body)) complain(path, message);
  });

/** What OpenAI's clients ask to be told beside the usual. */
export const Includes = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .describe('Without effect.');

/** Which items of a list. */
export const ItemQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: text(500).optional().describe('The id of an item: the page begins behind it.'),
  include: Includes,
  'include[]': Includes,
});

/** A page of items. */
export const ItemList = z
  .object({
    object: z.literal('list'),
    data: z.array(z.looseObject({ id: z.string(), type: z.string() })),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'OpenAiItemList' });

/** A validated request. */
export type ResponseRequest = z.output<typeof ResponseBody>;

/** What does not go together with `background`: what the model would need the caller for, and what runs do not do. */
function backgroundProblems(body: {
  store?: boolean | null | undefined;
  tools?: readonly z.output<typeof ResponseTool>[] | null | undefined;
  top_logprobs?: number | null | undefined;
}): { path: string; message: string }[] {
  return [
    ...(body.store === false ? [{ path: 'store', message: 'must not be false in the background' }] : []),
    ...(ownTools(body.tools).length > 0
      ? [{ path: 'tools', message: 'nobody is there to carry out functions of yours in the background: leave one out' }]
      : []),
    ...(body.top_logprobs ? [{ path: 'top_logprobs', message: 'are not kept in the background: leave one out' }] : []),
  ];
}

/** What a response is asked beside its input. */
export type ResponseOptions = Omit<CompletionInput, 'messages' | 'stream' | 'systemPrompt'>;

/** What is asked beside the input, in the form of ours. */
export function toOptions(body: ResponseRequest): ResponseOptions {
  const { tool_choice: choice, reasoning } = body;
  return {
    model: body.model,
    temperature: body.temperature ?? undefined,
    maxTokens: body.max_output_tokens ?? undefined,
    tools: ownTools(body.tools).map(toOffered),
    toolChoice: typeof choice === 'object' && choice ? { name: choice.name } : (choice ?? undefined),
    effort: toEffort(reasoning?.effort),
    sampling: toSampling(body),
    responseFormat: toFormat(body.text?.format),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
  };
}

/** One sentence for each parameter that is left out. */
export function omissions({ text, truncation, tools }: ResponseRequest): string[] {
  return [
    ...missingTools(tools),
    ...(text?.verbosity ? ['text.verbosity is not sent on: say in the input how long to be'] : []),
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
  return toSchemaFormat(format);
}
