import type { JsonObject } from '../core/json.ts';
import type { AppError } from '../errors.ts';
import { inputTokens, writtenTokens } from '../providers/catalog/cost.ts';
import type { ProviderType, Usage } from '../providers/chat-model.ts';
import { openAiError } from './openai-wire.ts';
import type { ResponseRequest } from './responses-schema.ts';
import { echoTools } from './responses-tools.ts';

/** How a response stands. */
export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** What is known of a response from its start. */
export interface ResponseHead {
  /** `resp_…`. */
  id: string;
  /** Seconds since 1970. */
  createdAt: number;
  /** `provider/model`, or as it was asked for. */
  model: string;
  /** What was asked, as the wire says it again. */
  echo: JsonObject;
}

/** What a response has come to. */
export interface ResponseState {
  status: ResponseStatus;
  output?: readonly JsonObject[] | undefined;
  /** As the wire counts. */
  usage?: JsonObject | undefined;
  error?: AppError | undefined;
  /** Why it is incomplete. */
  shortOf?: string | undefined;
  /** Seconds since 1970. */
  completedAt?: number | undefined;
}

/** The response as the wire has it. */
export function responseObject({ id, createdAt, model, echo }: ResponseHead, state: ResponseState): JsonObject {
  const { status, output = [], usage = null, error, shortOf, completedAt } = state;
  return {
    id,
    object: 'response',
    created_at: createdAt,
    completed_at: status === 'completed' ? (completedAt ?? Math.floor(Date.now() / 1000)) : null,
    status,
    error: status === 'failed' && error ? failure(error) : null,
    incomplete_details: status === 'incomplete' && shortOf !== undefined ? { reason: shortOf } : null,
    model,
    output,
    usage,
    ...echo,
  };
}

function failure(error: AppError): { code: string; message: string } {
  const { code, message } = openAiError(error).error;
  return { code: code ?? 'server_error', message };
}

/** Counts as the wire has them. */
export function usageOf(provider: ProviderType, usage: Usage): JsonObject {
  const input = inputTokens(provider, usage);
  const output = writtenTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: input + output,
  };
}

/** What was asked, as the wire says it again. @param conversationId of the one that it is kept in; undefined: in none. */
export function echoOf(request: ResponseRequest, conversationId: string | undefined): JsonObject {
  return {
    instructions: request.instructions ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    temperature: request.temperature ?? null,
    top_p: request.top_p ?? null,
    tool_choice: request.tool_choice ?? 'auto',
    tools: echoTools(request.tools),
    max_output_tokens: request.max_output_tokens ?? null,
    top_logprobs: request.top_logprobs ?? 0,
    text: { format: request.text?.format ?? { type: 'text' } },
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    truncation: 'disabled',
    previous_response_id: request.previous_response_id ?? null,
    conversation: conversationId === undefined ? null : { id: conversationId },
    store: conversationId !== undefined,
    background: request.background ?? false,
  };
}
