import type { IncomingHttpHeaders } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { LineTooLongError, ndjsonFramer, sseFramer } from '../core/framing.ts';
import { tryParseJson } from '../core/json.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { checkAttachments } from './attachments.ts';
import type { HttpClient } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import { isRetryable, type Refusal, refusalError } from './failure.ts';
import { askFacts, ModelFactsCache } from './model-facts.ts';
import type { Profile, WireName } from './profiles.ts';
import { anthropicMessages } from './protocols/anthropic-messages.ts';
import { cohereChat } from './protocols/cohere-chat.ts';
import { gemini } from './protocols/gemini.ts';
import { ollamaChat } from './protocols/ollama-chat.ts';
import { openaiChat } from './protocols/openai-chat.ts';
import { readingBothForms } from './protocols/openai-forms.ts';
import { openaiResponses } from './protocols/openai-responses.ts';
import {
  type ErrorReading,
  type ModelFacts,
  type Protocol,
  ProtocolError,
  ReportedError,
  type StreamReader,
} from './protocols/protocol.ts';
import { project } from './transcript.ts';
import type { ChatAnswer, ChatModel, ProviderEvent } from './types.ts';
import type { Upstream } from './upstream.ts';

const PROTOCOLS: Readonly<Record<WireName, Protocol>> = {
  'openai-chat': readingBothForms(openaiChat),
  'openai-responses': readingBothForms(openaiResponses),
  'anthropic-messages': anthropicMessages,
  gemini,
  'ollama-chat': ollamaChat,
  'cohere-chat': cohereChat,
};

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 1024 * 1024;
/** A call waits no longer than this to learn of its model. */
const FACTS_LIMIT_MS = 1000;

/** A vendor over the network: its row, its address and the wire it speaks make a {@link ChatModel}. */
export function wireModel(type: string, profile: Profile, endpoint: Endpoint, client: HttpClient): ChatModel {
  const known = new ModelFactsCache();
  return {
    chat: async (asked, signal, patienceMs) => {
      if (profile.attachments) checkAttachments(asked.messages, profile.attachments, profile.name);
      const protocol = PROTOCOLS[wireOf(profile, endpoint, asked.model)];
      const call = new WireCall(profile, endpoint, protocol);
      const ids = profile.quirks.toolCallIds ?? protocol.toolCallIds;
      const messages = project(asked.messages, { provider: type, model: asked.model }, ids);
      const request = { ...asked, messages };
      const ask = protocol.facts?.matter(request)
        ? () => modelFacts(profile, endpoint, client, request.model, AbortSignal.timeout(FACTS_LIMIT_MS))
        : undefined;
      const lowered = protocol.lower(request, profile.quirks, await known.of(request.model, ask));
      known.note(request.model, lowered.window);
      const { body, warnings } = lowered;
      const deployment = endpoint.namesDeployment ? `/deployments/${encodeURIComponent(request.model)}` : '';
      const upstream = await client.sendWithRetries(
        {
          method: 'POST',
          url: urlOf(endpoint, deployment + lowered.path),
          headers: { 'content-type': 'application/json', ...endpoint.headers },
          body: JSON.stringify(body),
          provider: profile.name,
        },
        signal,
        (refused) => readRefusal(profile, endpoint, refused),
        patienceMs,
      );
      return { warnings, events: request.stream ? call.stream(upstream) : call.whole(upstream) };
    },
  };
}

/** What a provider says of one of its models; empty for a wire that cannot be asked. Never throws. */
export async function modelFacts(
  profile: Profile,
  endpoint: Endpoint,
  client: HttpClient,
  model: string,
  signal: AbortSignal,
): Promise<ModelFacts> {
  const question = PROTOCOLS[profile.wire].facts;
  if (!question) return {};
  const { headers } = endpoint;
  const request = { url: urlOf(endpoint, question.path), headers, provider: profile.name, model };
  return await askFacts(question, request, client, signal);
}

/** An address that names the deployment knows no other wire than the row's. */
function wireOf({ wire, otherWire }: Profile, { namesDeployment }: Endpoint, model: string): WireName {
  return otherWire?.models.test(model) && !namesDeployment ? otherWire.wire : wire;
}

/** The address of a path below an endpoint; `..` in the path is resolved. */
export function urlOf(endpoint: Endpoint, path: string): string {
  const url = endpoint.baseUrl + path;
  return endpoint.query === '' ? url : `${url}${path.includes('?') ? '&' : '?'}${endpoint.query}`;
}

class WireCall {
  readonly #profile: Profile;
  readonly #endpoint: Endpoint;
  readonly #protocol: Protocol;

  constructor(profile: Profile, endpoint: Endpoint, protocol: Protocol) {
    this.#profile = profile;
    this.#endpoint = endpoint;
    this.#protocol = protocol;
  }

  async *whole(upstream: Upstream): ChatAnswer['events'] {
    try {
      yield this.#read(await upstream.text(MAX_ANSWER_BYTES), upstream.headers);
    } catch (error) {
      yield [{ type: 'error', error: this.#toAppError(error) }];
    }
  }

  async *stream(upstream: Upstream): ChatAnswer['events'] {
    const decoder = new StringDecoder('utf8');
    const framer = this.#protocol.framing === 'sse' ? sseFramer() : ndjsonFramer();
    const reader = this.#protocol.reader(this.#profile.quirks);
    let events: ProviderEvent[] = [];
    const sniffer = new Sniffer(this.#protocol.framing === 'ndjson');
    try {
      for await (const chunks of upstream.body) {
        for (const chunk of chunks) {
          const text = sniffer.pass(decoder.write(chunk));
          for (const frame of framer.push(text)) events.push(...reader.step(frame));
        }
        // Some keep the connection open after the end of the answer.
        if (reader.done) {
          upstream.complete();
          break;
        }
        if (events.length > 0) yield events;
        events = [];
      }
      const instead = sniffer.instead();
      if (instead !== undefined) events.push(...this.#read(instead, upstream.headers));
      else {
        // After the end of the answer, what is left over may be half of a frame that nobody waited for.
        const rest = reader.done ? [] : [...framer.push(decoder.end()), ...framer.end()];
        for (const frame of rest) events.push(...reader.step(frame));
        events.push(...reader.end());
      }
      yield events;
    } catch (error) {
      const ending = brokenAfterEnd(error, reader);
      if (ending) return yield [...events, ...ending];
      // What was read before the failure in the same piece is the caller's all the same.
      events.push({ type: 'error', error: this.#toAppError(error) });
      yield events;
    }
  }

  #read(text: string, headers: IncomingHttpHeaders): ProviderEvent[] {
    const body = tryParseJson(text);
    if (body === undefined) throw new ProtocolError(notJson(text, headers));
    return this.#protocol.read(body, this.#profile.quirks);
  }

  #toAppError(error: unknown): AppError {
    if (error instanceof AppError) return error;
    if (error instanceof ReportedError)
      return toRefusal(this.#profile, this.#endpoint, { status: 200, reading: error.reading });
    if (error instanceof ProtocolError || error instanceof LineTooLongError) {
      const message = `${this.#profile.name}: ${redact(error.message, this.#endpoint)}`;
      // Without the cause: it would take the provider's words, key and all, into the log.
      return new AppError('provider_protocol', message);
    }
    throw error;
  }
}

/**
 * Some gateways answer a request for a stream with a whole JSON answer, an error or an HTML page, under status 200
 * and any content type. The first character tells; such an answer is held until its end.
 */
class Sniffer {
  #isStream: boolean | undefined;
  readonly #held: string[] = [];
  #length = 0;

  /** @param known true: it can only be a stream. */
  constructor(known: boolean) {
    if (known) this.#isStream = true;
  }

  /** What of the text belongs to a stream. */
  pass(text: string): string {
    if (this.#isStream === true) return text;
    const piece = this.#isStream === undefined ? text.trimStart() : text;
    if (piece === '') return '';
    this.#isStream ??= !/^[{[<]/.test(piece);
    if (this.#isStream) return piece;
    this.#length += piece.length;
    if (this.#length > MAX_ANSWER_BYTES) throw new ProtocolError(`an answer of over ${MAX_ANSWER_BYTES} characters`);
    this.#held.push(piece);
    return '';
  }

  /** What came in place of a stream. */
  instead(): string | undefined {
    return this.#isStream === true ? undefined : this.#held.join('');
  }
}

/** The end of an answer whose connection failed when nothing was missing any more; undefined if something was. */
function brokenAfterEnd(error: unknown, reader: StreamReader): ProviderEvent[] | undefined {
  if (!(error instanceof AppError) || !CONNECTION_FAILED.has(error.code)) return undefined;
  try {
    return reader.end();
  } catch {
    return undefined;
  }
}

const CONNECTION_FAILED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['provider_timeout', 'provider_unavailable']);

/**
 * Reads an answer with an error status: the error for our caller, with the provider's own words, and whether
 * another try could help. Every provider's key is struck out of what it says.
 */
export async function readRefusal(
  profile: Profile,
  endpoint: Endpoint,
  upstream: Upstream,
): Promise<{ error: AppError; retryable: boolean }> {
  const { status, headers } = upstream;
  const text = await bodyIfReadable(upstream);
  if (status < 400) {
    const message = `${profile.name} answered with status ${status}; is the base URL ${endpoint.baseUrl} right?`;
    return { error: new AppError('provider_protocol', message), retryable: false };
  }
  const reading = PROTOCOLS[profile.wire].readError(tryParseJson(text)) ?? unreadable(status, text, endpoint);
  const error = toRefusal(profile, endpoint, { status, reading, retryAfter: retryAfter(headers) });
  return { error, retryable: isRetryable(status, reading) };
}

/** The body of a refusal; '' if it breaks off, stalls or is too long: the status says enough then. */
async function bodyIfReadable(upstream: Upstream): Promise<string> {
  try {
    return await upstream.text(MAX_ERROR_BYTES);
  } catch (error) {
    const isBody = error instanceof AppError && /^provider_(unavailable|protocol|timeout)$/.test(error.code);
    if (isBody) return '';
    throw error;
  }
}

function toRefusal(profile: Profile, endpoint: Endpoint, refusal: Omit<Refusal, 'provider'>): AppError {
  const { message, failedGeneration: failed, ...rest } = refusal.reading;
  const generation = failed === undefined ? {} : { failedGeneration: redact(failed, endpoint) };
  const reading = { ...rest, message: redact(message, endpoint), ...generation };
  return refusalError({ ...refusal, reading, provider: profile.name });
}

function unreadable(status: number, text: string, endpoint: Endpoint): ErrorReading {
  const said = text.trim() === '' ? 'nothing' : isHtml(text) ? 'an HTML page' : text.trim().slice(0, 500);
  const where = status === 404 ? `; is the base URL ${endpoint.baseUrl} right?` : '';
  return { message: `status ${status} with ${redact(said, endpoint)}${where}`, kinds: [] };
}

/** Strikes secrets out, be they whole or cut off by the end of a text that was shortened. */
export function redact(text: string, { secrets }: Pick<Endpoint, 'secrets'>): string {
  return secrets.reduce(strike, text);
}

function strike(text: string, secret: string): string {
  const clean = text.replaceAll(secret, '[key]');
  for (let length = secret.length - 1; length >= 4; length--) {
    if (clean.endsWith(secret.slice(0, length))) return `${clean.slice(0, -length)}[key]`;
  }
  return clean;
}

function notJson(text: string, headers: IncomingHttpHeaders): string {
  if (isHtml(text)) return 'the answer is an HTML page, not JSON';
  return `the answer is not JSON (${headers['content-type'] ?? 'no content type'}): ${text.slice(0, 200)}`;
}

function isHtml(text: string): boolean {
  return /^\s*<(!doctype|html)/i.test(text);
}

/** Seconds from `retry-after-ms` or `retry-after` (seconds or a date). */
export function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const ms = Number(headers['retry-after-ms']);
  if (headers['retry-after-ms'] !== undefined && Number.isFinite(ms)) return Math.max(0, ms / 1000);
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
