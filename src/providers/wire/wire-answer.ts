import type { IncomingHttpHeaders } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { type Frame, LineTooLongError, ndjsonFramer, sseFramer } from '../../core/framing.ts';
import { tryParseJson } from '../../core/json.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import type { ChatAnswer, ProviderEvent } from '../chat-model.ts';
import type { Profile } from '../profiles.ts';
import { type Protocol, ProtocolError, ReportedError, type StreamReader } from '../protocols/protocol.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import type { Upstream } from '../transport/upstream.ts';
import { isHtml, redact, refusedError } from './refusal.ts';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Reads the answers of one call: bytes in, events out. */
export class WireAnswer {
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
    let bytes = 0;
    const read = (frames: Frame[]): void => {
      for (const frame of frames) addAll(events, reader.step(frame));
    };
    try {
      for await (const chunks of upstream.body) {
        for (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) throw new ProtocolError(`an answer of over ${MAX_ANSWER_BYTES} bytes`);
          read(framer.push(sniffer.pass(decoder.write(chunk))));
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
      if (instead !== undefined) addAll(events, this.#read(instead, upstream.headers));
      else {
        read(framer.push(decoder.end()));
        read(framer.end());
        addAll(events, reader.end());
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
    if (error instanceof ReportedError) {
      const source = { name: this.#profile.name, secrets: this.#endpoint.secrets };
      return refusedError(source, { status: 200, reading: error.reading });
    }
    if (error instanceof ProtocolError || error instanceof LineTooLongError) {
      const message = `${this.#profile.name}: ${redact(error.message, this.#endpoint)}`;
      // Without the cause: it would take the provider's words, key and all, into the log.
      return new AppError('provider_protocol', message);
    }
    // A mistake of a reader, found by an answer that nobody had thought of: another provider may still answer.
    const message = `${this.#profile.name}: the answer could not be read`;
    return new AppError('provider_protocol', message, { cause: wordless(error) });
  }
}

/** Not by spreading: the arguments of a call go on the stack, which has no room for those of a long answer. */
function addAll(events: ProviderEvent[], more: ProviderEvent[]): void {
  for (const event of more) events.push(event);
}

/** Where an error came from, for the log; its message could hold the provider's words. */
function wordless(error: unknown): Error {
  const { name, stack = '' } = error instanceof Error ? error : new Error();
  const bare = new Error(name);
  bare.stack = [name, ...stack.split('\n').filter((line) => /^ {4}at /.test(line))].join('\n');
  return bare;
}

/**
 * Some gateways answer a request for a stream with a whole JSON answer, an error or an HTML page, under status 200
 * and any content type. The first character tells; such an answer is held until its end.
 */
class Sniffer {
  readonly #known: boolean;
  #isStream: boolean | undefined;
  readonly #held: string[] = [];

  /** @param known true: it can only be a stream. */
  constructor(known: boolean) {
    this.#known = known;
  }

  /** What of the text belongs to a stream. */
  pass(text: string): string {
    if (this.#isStream === true) return text;
    // A byte order mark counts as white space.
    const piece = this.#isStream === undefined ? text.trimStart() : text;
    if (piece === '') return '';
    this.#isStream ??= this.#known || !/^[{[<]/.test(piece);
    if (this.#isStream) return piece;
    this.#held.push(piece);
    return '';
  }

  /** What came in place of a stream. */
  instead(): string | undefined {
    return this.#known || this.#isStream === true ? undefined : this.#held.join('');
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

function notJson(text: string, headers: IncomingHttpHeaders): string {
  if (isHtml(text)) return 'the answer is an HTML page, not JSON';
  return `the answer is not JSON (${headers['content-type'] ?? 'no content type'}): ${text.slice(0, 200)}`;
}
