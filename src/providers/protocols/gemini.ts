import type { Frame } from '../../core/framing.ts';
import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, ProviderEvent, Source, Usage } from '../chat-model.ts';
import { readErrorBody } from './error-body.ts';
import { settle } from './finish.ts';
import { FirstChoice } from './first-choice.ts';
import { lowerGemini } from './gemini-request.ts';
import { type ErrorReading, type Protocol, ReportedError, type StreamReader } from './protocol.ts';
import { endedEarly, objectIn, reportedError, requireObject } from './reading.ts';
import { Sources, toSource } from './sources.ts';
import { wholeCall } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** Google's generateContent (https://ai.google.dev/api/generate-content). */
export const gemini: Protocol = {
  framing: 'sse',
  quirks: ['toolCallIds', 'reasoningModels', 'parameterNames', 'refusedParameters'],
  lower: lowerGemini,
  read: (body) => {
    const reader = new GeminiReader();
    // Where nobody asked for events, as when `alt=sse` got lost on the way, a stream is a list of its chunks.
    const chunks = Array.isArray(body) ? body : [body];
    return [...chunks.flatMap((chunk) => reader.take(chunk)), ...reader.end()];
  },
  reader: () => new GeminiReader(),
  readError,
};

class GeminiReader implements StreamReader {
  readonly #sources = new Sources();
  readonly #choice = new FirstChoice();
  #hasCalls = false;
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
    const usage = readUsage(asObject(chunk.usageMetadata));
    if (usage) events.push({ type: 'usage', usage });
    return events;
  }

  end(): ProviderEvent[] {
    if (this.#finish === undefined) throw endedEarly();
    return [{ type: 'finish', reason: settle(this.#finish, this.#hasCalls) }];
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
    this.#hasCalls = true;
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
function readUsage(usage: JsonObject): Usage | undefined {
  const said = asNumber(usage.candidatesTokenCount);
  const thoughts = asNumber(usage.thoughtsTokenCount);
  return usageOf({
    prompt: asNumber(usage.promptTokenCount),
    completion: thoughts === undefined ? said : (said ?? 0) + thoughts,
    total: asNumber(usage.totalTokenCount),
    cached: asNumber(usage.cachedContentTokenCount),
    reasoning: thoughts,
  });
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
