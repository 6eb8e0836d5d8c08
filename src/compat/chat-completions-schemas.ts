import { z } from 'zod';
import type { CompletionInput } from '../chat/complete.ts';
import { MaxTokens, ModelName, Temperature, text } from '../http/schemas.ts';
import type { Sampling } from '../providers/chat-model.ts';
import { ChatMessages, toChatMessages } from './chat-completions-messages.ts';
import {
  EffortName,
  FunctionFields,
  FunctionName,
  Ignored,
  refused,
  SchemaFields,
  toEffort,
  toolProblems,
  toSchemaFormat,
  toTool,
} from './openai-parameters.ts';

const FunctionTool = z.strictObject({
  type: z.literal('function', { error: 'must be function: custom tools are not taken, and none are built in' }),
  function: z.strictObject(FunctionFields),
  cache_control: Ignored,
});

const NamedFunction = z.strictObject({
  type: z.literal('function', { error: 'must be function: others are not taken' }),
  function: z.strictObject({ name: FunctionName }),
});

const Format = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject(SchemaFields),
    }),
  ],
  { error: 'must be text, json_object or json_schema' },
);

/** What some of the servers that speak this wire take beside it, and nothing here does: left out, with a warning. */
const OTHERS = [
  ...['min_p', 'top_a', 'repetition_penalty', 'repeat_penalty', 'repeat_last_n', 'mirostat', 'tfs_z'],
  ...['num_ctx', 'num_keep', 'num_batch', 'num_gpu', 'num_thread', 'keep_alive', 'think'],
  ...['enable_thinking', 'chat_template_kwargs', 'thinking'],
  ...['provider', 'models', 'route', 'transforms', 'plugins'],
] as const;

const Others = Object.fromEntries(
  OTHERS.map((name) => [name, z.unknown().optional().describe('Left out, with a warning.')]),
) as Record<(typeof OTHERS)[number], z.ZodOptional<z.ZodUnknown>>;

/** How hard to reason, as OpenRouter has it. */
const Reasoning = z.strictObject({
  effort: EffortName.nullish(),
  enabled: z.boolean().nullish(),
  max_tokens: z.int().nullish().describe('Not sent on; without an effort it is `medium`.'),
  exclude: Ignored,
  summary: Ignored,
});

/** The body of a chat completion. Null is taken for nothing wherever OpenAI's API does. */
export const ChatCompletionBody = z
  .strictObject({
    messages: ChatMessages,
    model: ModelName.optional().describe('An id, `provider/model` or an alias; absent: the default.'),
    stream: z.boolean().nullish(),
    stream_options: z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: Ignored }).nullish(),
    temperature: Temperature.nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    top_k: z.int().min(0).nullish(),
    max_tokens: MaxTokens.nullish(),
    max_completion_tokens: MaxTokens.nullish().describe('The newer name of max_tokens.'),
    stop: z
      .union([text(1000), z.array(text(1000)).max(100)])
      .nullish()
      .describe('OpenAI itself takes four.'),
    seed: z.int().nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    logit_bias: z.record(z.string().regex(/^\d+$/, 'must be a token id'), z.number().min(-100).max(100)).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    response_format: Format.nullish(),
    tools: z.array(FunctionTool).max(128).nullish(),
    tool_choice: z.union([z.enum(['auto', 'none', 'required']), NamedFunction]).nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    reasoning_effort: EffortName.nullish(),
    reasoning: Reasoning.nullish().describe('The same, as OpenRouter has it.'),
    verbosity: z.enum(['low', 'medium', 'high']).nullish().describe('Left out, with a warning.'),
    n: z.literal(1, { error: 'must be 1: send the request several times' }).nullish(),
    modalities: z.array(z.literal('text', { error: 'must be text: nothing else is made' })).nullish(),
    audio: refused('no audio is made: leave it out'),
    functions: refused('is gone: use tools'),
    function_call: refused('is gone: use tool_choice'),
    web_search_options: refused('there is no built-in search: name a model that searches by itself'),
    user: Ignored,
    metadata: Ignored,
    store: Ignored,
    service_tier: Ignored,
    safety_identifier: Ignored,
    prompt_cache_key: Ignored,
    prompt_cache_retention: Ignored,
    prediction: Ignored,
    include_reasoning: Ignored,
    usage: Ignored,
    cache_control: Ignored,
    ...Others,
  })
  .superRefine((body, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    const { max_tokens: old, max_completion_tokens: most, tool_choice: choice } = body;
    const names = (body.tools ?? []).map((tool) => tool.function.name);
    const chosen = typeof choice === 'object' ? (choice?.function ?? undefined) : choice;
    for (const { path, message } of toolProblems(
      names,
      chosen === 'required' || typeof chosen === 'object' ? chosen : undefined,
    ))
      complain(path, message);
    if (old && most && old !== most) complain('max_tokens', 'differs from max_completion_tokens: send one of them');
    if (body.top_logprobs && body.logprobs !== true) complain('top_logprobs', 'needs logprobs: true');
  });

type Body = z.output<typeof ChatCompletionBody>;

/** What a call is asked, and one sentence for each parameter that was left out. */
export function toCompletionInput(body: Body): { input: CompletionInput; warnings: string[] } {
  const { tool_choice: choice } = body;
  const input: CompletionInput = {
    messages: toChatMessages(body.messages),
    model: body.model,
    temperature: body.temperature ?? undefined,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    tools: (body.tools ?? []).map(({ function: given }) => toTool(given)),
    toolChoice: typeof choice === 'object' && choice ? { name: choice.function.name } : (choice ?? undefined),
    effort: toEffort(body.reasoning_effort ?? effortOf(body.reasoning)),
    sampling: toSampling(body),
    responseFormat: toFormat(body.response_format),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
    stream: body.stream ?? false,
  };
  const warnings = OTHERS.flatMap((name) =>
    body[name] === undefined || body[name] === null ? [] : [`${name}: there is no such thing here; left out`],
  );
  if (body.verbosity) warnings.push('verbosity is not sent on: say in a message how long to be');
  return { input, warnings };
}

function effortOf(reasoning: Body['reasoning']): Body['reasoning_effort'] {
  const { effort, enabled, max_tokens: most } = reasoning ?? {};
  return effort ?? (enabled || most ? 'medium' : undefined);
}

function toSampling(body: Body): Sampling | undefined {
  const { stop, logprobs } = body;
  const sampling: Sampling = {
    ...(typeof body.top_p === 'number' ? { topP: body.top_p } : {}),
    ...(body.top_k ? { topK: body.top_k } : {}),
    ...(stop && stop.length > 0 ? { stop: [stop].flat() } : {}),
    ...(typeof body.seed === 'number' ? { seed: body.seed } : {}),
    ...(typeof body.frequency_penalty === 'number' ? { frequencyPenalty: body.frequency_penalty } : {}),
    ...(typeof body.presence_penalty === 'number' ? { presencePenalty: body.presence_penalty } : {}),
    ...(body.logit_bias ? { logitBias: body.logit_bias } : {}),
    ...(logprobs ? { logprobs: body.top_logprobs ?? 0 } : {}),
  };
  return Object.keys(sampling).length > 0 ? sampling : undefined;
}

function toFormat(format: Body['response_format']): CompletionInput['responseFormat'] {
  if (!format || format.type === 'text') return undefined;
  if (format.type === 'json_object') return { type: 'json' };
  return toSchemaFormat(format.json_schema);
}
