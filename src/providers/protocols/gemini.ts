import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import type {
  AssistantPart,
  ChatRequest,
  FinishReason,
  Media,
  Message,
  Provenance,
  ProviderEvent,
  Source,
  ToolCall,
  Usage,
  UserPart,
} from '../types.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { FirstChoice } from './first-choice.ts';
import { pathSegment } from './path-segment.ts';
import { type ErrorReading, type Protocol, ReportedError, type StreamReader } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources, toSource } from './sources.ts';
import { wholeCall } from './tool-calls.ts';

/** Google's generateContent (https://ai.google.dev/api/generate-content). */
export const gemini: Protocol = {
  framing: 'sse',
  lower,
  read: (body) => {
    const reader = new GeminiReader();
    // Where nobody asked for events, as when `alt=sse` got lost on the way, a stream is a list of its chunks.
    const chunks = Array.isArray(body) ? body : [body];
    return [...chunks.flatMap((chunk) => reader.take(chunk)), ...reader.end()];
  },
  reader: () => new GeminiReader(),
  readError,
};

/** Models that reason, and say how when they are asked to. */
const THINKS = /gemini-(2\.5|[3-9]|\d\d)(?!.*(image|tts|audio))/;
/** Models that refuse a tool call of the history without a signature. */
const WANTS_SIGNATURES = /gemini-([3-9]|\d\d)/;
/** https://ai.google.dev/gemini-api/docs/thought-signatures: for calls that another model made. */
const NO_SIGNATURE = 'skip_thought_signature_validator';

function lower(request: ChatRequest): ReturnType<Protocol['lower']> {
  const body: JsonObject = { contents: lowerMessages(request.messages, WANTS_SIGNATURES.test(request.model)) };
  const system = request.messages.flatMap((message) => (message.role === 'system' ? [message.text] : [])).join('\n\n');
  if (system !== '') body.systemInstruction = { parts: [{ text: system }] };
  const config: JsonObject = {};
  if (request.temperature !== undefined) config.temperature = request.temperature;
  if (request.maxTokens !== undefined) config.maxOutputTokens = request.maxTokens;
  if (THINKS.test(request.model)) config.thinkingConfig = { includeThoughts: true };
  if (Object.keys(config).length > 0) body.generationConfig = config;
  if (request.tools.length > 0) {
    const functionDeclarations = request.tools.map((tool) => ({
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parametersJsonSchema: tool.parameters,
    }));
    body.tools = [{ functionDeclarations }];
    if (request.toolChoice !== undefined) {
      body.toolConfig = { functionCallingConfig: lowerToolChoice(request.toolChoice) };
    }
  }
  return { path: pathOf(request), body, warnings: [] };
}

function pathOf(request: ChatRequest): string {
  const named = /^(models|tunedModels)\//.test(request.model) ? request.model : `models/${request.model}`;
  const model = named.split('/').map(pathSegment).join('/');
  return request.stream ? `/${model}:streamGenerateContent?alt=sse` : `/${model}:generateContent`;
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): JsonObject {
  if (typeof choice !== 'string') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() };
}

interface Content {
  role: 'user' | 'model';
  parts: JsonObject[];
}

function lowerMessages(messages: Message[], wantsSignatures: boolean): Content[] {
  const contents: Content[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts = lowerParts(message, wantsSignatures);
    if (parts.length === 0) continue;
    const last = contents.at(-1);
    // The results of parallel calls must stand in one content.
    if (last?.role === role) last.parts.push(...parts);
    else contents.push({ role, parts });
  }
  return contents;
}

function lowerParts(message: Exclude<Message, { role: 'system' }>, wantsSignatures: boolean): JsonObject[] {
  switch (message.role) {
    case 'user':
      return message.parts.map(lowerUserPart);
    case 'tool':
      return [
        { functionResponse: { id: message.toolCallId, name: message.toolName, response: resultOf(message.text) } },
      ];
    case 'assistant':
      return lowerAssistantParts(message.parts, wantsSignatures);
  }
}

function resultOf(text: string): JsonObject {
  const parsed = tryParseJson(text);
  return isObject(parsed) ? parsed : { result: text };
}

function lowerUserPart(part: UserPart): JsonObject {
  return part.type === 'text' ? { text: part.text } : lowerMedia(part.media);
}

function lowerMedia(media: Media): JsonObject {
  if ('url' in media) return { fileData: { fileUri: media.url } };
  return { inlineData: { mimeType: media.mediaType, data: media.data } };
}

function lowerAssistantParts(parts: AssistantPart[], wantsSignatures: boolean): JsonObject[] {
  const calls = parts.flatMap((part) => (part.type === 'tool-call' ? [part.call] : []));
  // Of calls made side by side Google signs the first only: the others have none by right.
  const unsigned = wantsSignatures && !calls.some(signatureOf) ? calls[0] : undefined;
  return parts.flatMap((part) => {
    if (part.type === 'tool-call') return [lowerCall(part.call, part.call === unsigned)];
    const signature = signatureOf(part);
    if (part.type === 'text') return part.text === '' && !signature ? [] : [{ text: part.text, ...signature }];
    // Summaries of thoughts are for people; the model reads only what is signed again.
    return signature ? [{ text: part.text, thought: true, ...signature }] : [];
  });
}

/** What Google wants back with a part. */
function signatureOf({ data }: Provenance): JsonObject | undefined {
  const signature = data?.thoughtSignature;
  return typeof signature === 'string' ? { thoughtSignature: signature } : undefined;
}

function lowerCall(call: ToolCall, unsigned: boolean): JsonObject {
  const signed = unsigned ? { thoughtSignature: NO_SIGNATURE } : signatureOf(call);
  // Google's ids are optional, and ones that we made are taken (as recorded): they tell calls of one name apart.
  return { functionCall: { id: call.id, name: call.name, args: call.arguments }, ...signed };
}

class GeminiReader implements StreamReader {
  readonly #sources = new Sources();
  readonly #choice = new FirstChoice();
  #called = false;
  #answered = false;
  #finish: FinishReason | undefined;

  // Counts may follow the finish reason, and nothing says which chunk is the last.
  readonly done = false;

  step(frame: Frame): ProviderEvent[] {
    const chunk = objectIn(frame, this.#finish !== undefined);
    return chunk ? this.take(chunk) : [];
  }

  /** A chunk of a stream and a whole answer have one form. */
  take(chunk: unknown): ProviderEvent[] {
    requireObject(chunk);
    if (chunk.error) throw reportedError(chunk, readError);
    const events: ProviderEvent[] = [];
    const candidate = this.#choice.in(chunk.candidates);
    for (const part of asArray(asObject(candidate.content).parts)) this.#part(asObject(part), events);
    this.#answered ||= events.some((event) => event.type !== 'reasoning');
    for (const item of asArray(asObject(candidate.groundingMetadata).groundingChunks)) {
      this.#sources.give(pageOf(asObject(item)), events);
    }
    const reason = asString(candidate.finishReason);
    if (reason !== '') this.#close(reason, asString(candidate.finishMessage));
    else if (asString(asObject(chunk.promptFeedback).blockReason) !== '') this.#finish ??= 'content-filter';
    if (isObject(chunk.usageMetadata)) events.push({ type: 'usage', usage: readUsage(chunk.usageMetadata) });
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw endedEarly();
    return [{ type: 'finish', reason: settle(this.#finish, this.#called) }];
  }

  /** What went wrong is said beside the reason; where there is no answer that a person could read, it is the answer. */
  #close(reason: string, message: string): void {
    this.#finish = FINISH.get(reason) ?? 'stop';
    if (this.#finish === 'error' && message !== '' && !this.#answered) {
      throw new ReportedError({ message: `${reason}: ${message}`, kinds: [reason] });
    }
  }

  #part(part: JsonObject, events: ProviderEvent[]): void {
    const text = asString(part.text);
    const signature = asString(part.thoughtSignature);
    const signed = signature === '' ? {} : { data: { thoughtSignature: signature } };
    // Newer models sign the end of a text with an empty part of its own. Pictures have signatures too, but are not kept.
    if (text !== '' || (signature !== '' && typeof part.text === 'string')) {
      events.push({ type: part.thought === true ? 'reasoning' : 'text', text, ...signed });
    }
    if (!isObject(part.functionCall)) return;
    const { id, name, args } = part.functionCall;
    if (asString(name) === '') return;
    this.#called = true;
    events.push({ type: 'tool-call', call: { ...wholeCall(asString(id), asString(name), args), ...signed } });
  }
}

/** `web` is a search's, `retrievedContext` a store's of the customer. */
function pageOf(chunk: JsonObject): Source {
  const { uri, title } = isObject(chunk.web) ? chunk.web : asObject(chunk.retrievedContext);
  return toSource({ url: uri, title });
}

const FINISH: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['MAX_TOKENS', 'length'],
  ['OTHER', 'error'],
  ['LANGUAGE', 'content-filter'],
  ['SAFETY', 'content-filter'],
  ['RECITATION', 'content-filter'],
  ['BLOCKLIST', 'content-filter'],
  ['PROHIBITED_CONTENT', 'content-filter'],
  ['SPII', 'content-filter'],
  ['IMAGE_SAFETY', 'content-filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content-filter'],
  ['IMAGE_RECITATION', 'content-filter'],
  ['IMAGE_OTHER', 'error'],
  ['NO_IMAGE', 'error'],
  ['MALFORMED_FUNCTION_CALL', 'error'],
  ['UNEXPECTED_TOOL_CALL', 'error'],
  ['TOO_MANY_TOOL_CALLS', 'error'],
  ['MISSING_THOUGHT_SIGNATURE', 'error'],
  ['MALFORMED_RESPONSE', 'error'],
]);

/** Google counts what was thought beside what was said. */
function readUsage(usage: JsonObject): Usage {
  const promptTokens = asNumber(usage.promptTokenCount) ?? 0;
  const thoughts = asNumber(usage.thoughtsTokenCount);
  const completionTokens = (asNumber(usage.candidatesTokenCount) ?? 0) + (thoughts ?? 0);
  const cached = asNumber(usage.cachedContentTokenCount);
  return {
    promptTokens,
    completionTokens,
    totalTokens: asNumber(usage.totalTokenCount) ?? promptTokens + completionTokens,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
    ...(thoughts === undefined ? {} : { reasoningTokens: thoughts }),
  };
}

function readError(body: unknown): ErrorReading | undefined {
  const reading = readErrorBody(body);
  if (!reading) return undefined;
  const { error } = asObject(Array.isArray(body) ? body[0] : body);
  for (const detail of asArray(asObject(error).details)) {
    const { retryDelay, reason } = asObject(detail);
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(asString(retryDelay))?.[1];
    if (seconds !== undefined) reading.retryAfter = Math.ceil(Number(seconds));
    if (typeof reason === 'string') reading.kinds.push(reason);
  }
  return reading;
}
