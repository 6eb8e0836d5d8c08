import type { JsonObject } from '../core/json.ts';
import type { AppError } from '../errors.ts';

/** The vendors, in the order in which the first configured one becomes the default; `demo` is the built-in model. */
export const PROVIDER_TYPES = [
  'anthropic',
  'openai',
  'azure',
  'google',
  'groq',
  'xai',
  'mistral',
  'deepseek',
  'together',
  'fireworks',
  'cerebras',
  'openrouter',
  'cohere',
  'perplexity',
  'ollama',
  'demo',
] as const;

/** A provider of the operator's own, which is there when it is configured. */
export type CustomType = `custom:${string}`;

export type ProviderType = (typeof PROVIDER_TYPES)[number] | CustomType;

/** What the name of a custom provider may be. */
export const CUSTOM_TYPE = /^custom:[a-z0-9][a-z0-9_-]{0,39}$/;

/** Is this the name of a custom provider, whether or not there is one? */
export function isCustomType(name: string): name is CustomType {
  return CUSTOM_TYPE.test(name);
}

/** Is this the name of a provider type? */
export function isProviderType(name: string): name is ProviderType {
  return (PROVIDER_TYPES as readonly string[]).includes(name) || isCustomType(name);
}

/** Bytes by reference or inline; `data` is base64 without a `data:` prefix. */
export type Media = { url: string } | { data: string; mediaType: string };

/** Text of any speaker. */
export interface TextPart {
  type: 'text';
  text: string;
}

/** A picture for the model. */
export interface ImagePart {
  type: 'image';
  media: Media;
}

/** A document for the model (PDF and the like). */
export interface FilePart {
  type: 'file';
  media: Media;
  filename?: string;
}

/** The provider and model that a part came from. */
export interface Origin {
  provider: string;
  model: string;
}

/**
 * What a part of an answer carries beside what people see. `data` is what the provider wants back with it, such as a
 * signature or an encrypted copy: opaque, in the form of its wire, and of meaning to its `origin` alone.
 */
export interface Provenance {
  origin?: Origin;
  data?: JsonObject;
}

/** Text that the model wrote. */
export interface AnswerTextPart extends TextPart, Provenance {}

/** The model's own reasoning; `text` is '' where the provider shows none of it. */
export interface ReasoningPart extends Provenance {
  type: 'reasoning';
  text: string;
}

/**
 * A finished tool call. `arguments` is always an object; if the model wrote something else, it is `{}` and
 * `invalidArguments` holds what was written.
 */
export interface ToolCall extends Provenance {
  id: string;
  name: string;
  arguments: JsonObject;
  invalidArguments?: string;
}

/** A tool call inside an assistant message. */
export interface ToolCallPart {
  type: 'tool-call';
  call: ToolCall;
}

export type UserPart = TextPart | ImagePart | FilePart;
export type AssistantPart = AnswerTextPart | ReasoningPart | ToolCallPart;

/** One message of a conversation in the form that every wire lowers from. */
export type Message =
  | { role: 'system'; text: string }
  | { role: 'user'; parts: UserPart[] }
  | { role: 'assistant'; parts: AssistantPart[] }
  | {
      role: 'tool';
      toolCallId: string;
      toolName: string;
      text: string;
      /** The tool has failed; said to models whose wire has a word for it, the others have the text. */
      isError?: boolean;
      /**
       * Pictures and documents of the result; a wire without a place for them in it puts them after it. What a vendor does
       * not take is left out, with a warning.
       */
      media?: (ImagePart | FilePart)[];
    };

/** A tool offered to the model; `parameters` is a JSON Schema of type object. */
export interface Tool {
  name: string;
  description: string | undefined;
  parameters: JsonObject;
  /** Must the arguments fit the schema exactly, where the vendor sees to that? */
  strict?: boolean;
}

/**
 * How a model chooses its words. What one does not take is left out with a warning that names it as it is named here.
 */
export interface Sampling {
  topP?: number;
  topK?: number;
  /** Texts before which the answer ends. */
  stop?: string[];
  seed?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  /** By token id, -100 to 100. */
  logitBias?: Record<string, number>;
  /** How many likely tokens to name for each place of the text, beside the one that was chosen. */
  logprobs?: number;
}

/** What form the text of an answer must have. */
export type ResponseFormat =
  | { type: 'json' }
  | { type: 'json-schema'; name: string; description?: string; schema: JsonObject; strict?: boolean };

export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

/** How hard a model may be asked to reason, from least to most. */
export const EFFORTS = ['low', 'medium', 'high', 'max'] as const;

/** One of {@link EFFORTS}. */
export type Effort = (typeof EFFORTS)[number];

/** What every wire is asked. Optional fields are left to the provider's default. */
export interface ChatRequest {
  model: string;
  messages: Message[];
  tools: Tool[];
  toolChoice: ToolChoice | undefined;
  temperature: number | undefined;
  maxTokens: number | undefined;
  /**
   * How hard to reason: a hint. It is left out, without a warning, for a model that is not known to take it, with a
   * package of the AI SDK, where it does not go together with something that was asked for (a temperature, a short
   * `maxTokens`), and where a tool call is forced. `max` is the most that the model has a word for.
   */
  effort?: Effort;
  sampling?: Sampling;
  responseFormat?: ResponseFormat;
  /** May several tools be called at once? Absent: as the model does. */
  parallelToolCalls?: boolean;
  stream: boolean;
}

export type FinishReason = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error';

/** A page that an answer rests on, as a provider with a search of its own names it. */
export interface Source {
  url: string;
  title?: string;
}

/**
 * Token counts as the provider gives them. `promptTokens` is the provider's own input count: Anthropic's leaves
 * out what came from or went to the cache, the others' include it. `completionTokens` includes reasoning, but for
 * xAI's chat, where only `totalTokens` does.
 */
export interface Usage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  cachedTokens?: number;
  cacheWriteTokens?: number;
  reasoningTokens?: number;
}

/**
 * What a model's answer consists of, whole or streamed. Text and reasoning come in pieces; a piece with `data` is the
 * last of its part. `usage` may come several times: the last one counts. After `error` nothing follows.
 */
export type ProviderEvent =
  | { type: 'text'; text: string; data?: JsonObject }
  | { type: 'reasoning'; text: string; data?: JsonObject }
  | { type: 'tool-call'; call: ToolCall }
  | { type: 'source'; source: Source }
  | { type: 'usage'; usage: Usage }
  /** Of some pieces of text, in the form of OpenAI's Chat Completions: `{token, logprob, bytes, top_logprobs}`. */
  | { type: 'logprobs'; tokens: JsonObject[] }
  /** `stopSequence`: which of the texts of `stop` ended it, if the provider says so. */
  | { type: 'finish'; reason: FinishReason; stopSequence?: string }
  | { type: 'error'; error: AppError };

/** An answer under way. Each batch holds what one read from the network gave; a whole answer is one batch. */
export interface ChatAnswer {
  /**
   * One sentence for each parameter that this model does not take and that was left out. May grow until the events
   * have ended: some say it in their stream.
   */
  warnings: string[];
  /** Never throws for what the provider did: that is an `error` event. Stops early when the call is aborted. */
  events: AsyncIterable<ProviderEvent[]>;
}

/** Anything that answers a chat request: a provider over the network, or the demo model. */
export interface ChatModel {
  /**
   * Starts a call.
   * @param patienceMs no try after the first begins later than this; absent: as long as retries take.
   * @throws AppError if the call failed before anything of the answer came.
   */
  chat(request: ChatRequest, signal: AbortSignal, patienceMs?: number): Promise<ChatAnswer>;
}
