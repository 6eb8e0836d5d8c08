import type { AssistantContent, MessagePart } from '../chat/assistant-parts.ts';
import type { Completion, CompletionInput } from '../chat/complete.ts';
import { type Content, textOf } from '../chat/content.ts';
import type { JsonObject } from '../core/json.ts';
import { toDollars } from '../core/money.ts';
import type { Source, ToolCall, Usage } from '../providers/chat-model.ts';
import type { ConversationRow } from '../storage/conversations.ts';
import type { MessageRow, NewMessage, NewToolCall } from '../storage/messages.ts';
import { timestamp } from '../storage/rows.ts';
import type { MessageStatus, ToolCallStatus } from '../storage/schema.ts';
import { assistantTokens, contentTokens, resultTokens } from './estimate.ts';

/** What a turn was asked with beside its messages; kept so that it can be tried again in the same way. */
export interface TurnOptions extends Partial<Pick<CompletionInput, OfCompletion>> {
  /** System messages of this request, which are not messages of the conversation. */
  system?: readonly string[] | undefined;
}

type OfCompletion =
  | 'model'
  | 'temperature'
  | 'maxTokens'
  | 'systemPrompt'
  | 'tools'
  | 'toolChoice'
  | 'fallbacks'
  | 'effort'
  | 'sampling'
  | 'responseFormat'
  | 'parallelToolCalls'
  | 'taskId'
  | 'ticketId';

/** The body of a user's message. */
export interface UserBody {
  content: Content;
  options?: TurnOptions | undefined;
}

/** The body of an assistant's message; its calls are rows of their own. What a caller brought has no provider. */
export interface AssistantBody {
  content: string;
  reasoning?: string | undefined;
  parts?: readonly MessagePart[] | undefined;
  sources?: readonly Source[] | undefined;
  provider?: string | undefined;
  model?: string | undefined;
  usage?: Usage | undefined;
  /** USD; null if the price is not known. */
  cost?: number | null | undefined;
  finishReason?: Completion['finishReason'] | 'cancelled' | undefined;
  /** Milliseconds. */
  duration?: number | undefined;
}

/** A tool call as it is given out. `duration` in milliseconds. */
export interface ToolCallRecord {
  id: string;
  name: string;
  arguments: JsonObject;
  invalidArguments?: string;
  result: string | null;
  status: ToolCallStatus;
  duration: number | null;
  /** By which the whole result can be read, if `result` is only its beginning and end. */
  resultId?: string;
}

/** A message as it is given out. */
export interface ConversationMessage {
  id: string;
  conversationId: string;
  seq: number;
  role: 'user' | 'assistant';
  content: Content;
  reasoning: string | null;
  parts?: readonly MessagePart[];
  sources?: readonly Source[];
  model: string | null;
  provider: string | null;
  tokenUsage: { prompt: number; completion: number; total: number } | null;
  cost: number | null;
  toolCalls: ToolCallRecord[];
  finishReason: string | null;
  duration: number | null;
  status: MessageStatus;
  error: { code: string; message: string } | null;
  createdAt: string;
}

/** A conversation as it is given out. `usage` is what was spent in it. */
export interface Conversation {
  id: string;
  title: string;
  presetId: string;
  taskId: string | null;
  ticketId: string | null;
  model: string | null;
  systemPrompt: string | null;
  temperature: number | null;
  maxTokens: number | null;
  metadata: JsonObject;
  createdAt: string;
  updatedAt: string;
  messageCount: number;
  usage: {
    promptTokens: number;
    completionTokens: number;
    totalTokens: number;
    /** USD; null if no answer had a known price. */
    cost: number | null;
    /** How many answers are not in `cost`, since their price is not known. */
    unpricedAnswers: number;
  };
}

/** A row as it is given out. */
export function toConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    title: row.title,
    presetId: row.preset_id,
    taskId: row.task_id,
    ticketId: row.ticket_id,
    model: row.model,
    systemPrompt: row.system_prompt,
    temperature: row.temperature,
    maxTokens: row.max_tokens,
    metadata: JSON.parse(row.metadata) as JsonObject,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    messageCount: row.message_count,
    usage: {
      promptTokens: row.prompt_tokens,
      completionTokens: row.completion_tokens,
      totalTokens: row.total_tokens,
      cost: row.priced > 0 ? toDollars(row.cost) : null,
      unpricedAnswers: row.unpriced,
    },
  };
}

/** The body of a user's message. */
export function userBody(row: MessageRow): UserBody {
  return JSON.parse(row.body) as UserBody;
}

/** The body of an assistant's message. */
export function assistantBody(row: MessageRow): AssistantBody {
  return JSON.parse(row.body) as AssistantBody;
}

/** The text of a message of either role. */
export function textOfMessage(row: MessageRow): string {
  return textOf(row.role === 'user' ? userBody(row).content : assistantBody(row).content);
}

/** An assistant's calls, as the model made them. */
export function toolCallsOf(row: MessageRow): ToolCall[] {
  return row.toolCalls.map(({ body }) => JSON.parse(body) as ToolCall);
}

/** A tool's result; undefined as long as there is none. */
export function resultOf({ result }: { result: string | null }): string | undefined {
  return result === null ? undefined : (JSON.parse(result) as string);
}

/** A row as it is given out. */
export function toMessage(conversationId: string, row: MessageRow): ConversationMessage {
  const common = {
    id: row.id,
    conversationId,
    seq: row.seq,
    role: row.role,
    status: row.status,
    error: row.error === null ? null : (JSON.parse(row.error) as { code: string; message: string }),
    createdAt: row.created_at,
  };
  if (row.role === 'user') {
    const nothing = {
      reasoning: null,
      model: null,
      provider: null,
      tokenUsage: null,
      cost: null,
      toolCalls: [],
      finishReason: null,
      duration: null,
    };
    return { ...common, content: userBody(row).content, ...nothing };
  }
  const body = assistantBody(row);
  const { content, reasoning, parts, sources, usage } = body;
  return {
    ...common,
    content,
    reasoning: reasoning ?? null,
    ...(parts === undefined ? {} : { parts }),
    ...(sources === undefined ? {} : { sources }),
    provider: body.provider ?? null,
    model: body.model ?? null,
    tokenUsage: usage
      ? { prompt: usage.promptTokens, completion: usage.completionTokens, total: usage.totalTokens }
      : null,
    cost: body.cost ?? null,
    toolCalls: row.toolCalls.map((call) => {
      const { origin: _, data: _data, ...made } = JSON.parse(call.body) as ToolCall;
      const kept = call.result_id === null ? {} : { resultId: call.result_id };
      return { ...made, result: resultOf(call) ?? null, status: call.status, duration: call.duration, ...kept };
    }),
    finishReason: body.finishReason ?? null,
    duration: body.duration ?? null,
  };
}

/** A user's message, to be stored. */
export function newUserMessage(id: string, body: UserBody, status: MessageStatus, createdAt = timestamp()): NewMessage {
  const { content } = body;
  return {
    id,
    role: 'user',
    status,
    tokens: contentTokens(content),
    createdAt,
    body: JSON.stringify(body),
    words: textOf(content),
    calls: [],
  };
}

/** A call that comes with a message, with its result if that is known. */
export interface CallWithResult {
  call: ToolCall;
  result?: string | undefined;
  status?: ToolCallStatus | undefined;
  /** Milliseconds. */
  duration?: number | null | undefined;
  /** As in `ToolCallRecord`. */
  resultId?: string | null | undefined;
}

/** An assistant's message, to be stored. */
export function newAssistantMessage(
  id: string,
  body: AssistantBody,
  calls: readonly CallWithResult[],
  status: MessageStatus,
  createdAt = timestamp(),
): NewMessage {
  const content: AssistantContent = { ...body, toolCalls: calls.map(({ call }) => call) };
  return {
    id,
    role: 'assistant',
    status,
    tokens: assistantTokens(content),
    createdAt,
    body: JSON.stringify(body),
    words: body.content,
    calls: calls.map(newToolCall),
  };
}

function newToolCall({ call, result, status, duration = null, resultId = null }: CallWithResult): NewToolCall {
  return {
    status: status ?? (result === undefined ? 'pending' : 'success'),
    tokens: result === undefined ? 0 : resultTokens(result, duration),
    duration,
    body: JSON.stringify(call),
    result: result === undefined ? null : JSON.stringify(result),
    result_id: resultId,
  };
}

/** What a completion leaves in its conversation. */
export function answerBody(completion: Completion): AssistantBody {
  const { provider, model, message, reasoning, sources, usage, finishReason, duration } = completion;
  const { cost, ...counts } = usage;
  return {
    content: message.content,
    reasoning,
    parts: message.parts,
    sources,
    provider,
    model,
    usage: counts,
    cost,
    finishReason,
    duration,
  };
}
