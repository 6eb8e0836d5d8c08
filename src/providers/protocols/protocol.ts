import type { Frame } from '../../core/framing.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ChatRequest, ProviderEvent } from '../chat-model.ts';
import type { Quirks, ToolCallIds } from '../profiles.ts';

/** A request body in a wire's own form. `path` is appended to the base URL and may carry a query. */
export interface WireRequest {
  path: string;
  body: Record<string, unknown>;
  /** One sentence for each parameter that was left out. */
  warnings: string[];
  /** The context window that is asked for, of a server that loads a model with one. Tokens. */
  window?: number;
}

/** What a server says of one of its models, as far as it says it. */
export interface ModelFacts {
  /** Tokens. */
  contextWindow?: number | undefined;
  supportsVision?: boolean | undefined;
  supportsTools?: boolean | undefined;
  supportsReasoning?: boolean | undefined;
  /** What it may be told of its reasoning: true and false, or words; unknown is not none. */
  reasoningValues?: readonly unknown[] | undefined;
  /** The `window` of the last call: the one that the model is loaded with. */
  lastWindow?: number | undefined;
}

/** How a server is asked about one model: a POST below the base URL. */
export interface FactsQuestion {
  path: string;
  body(model: string): JsonObject;
  /** Takes any body: what is not there is not known. */
  read(body: unknown): ModelFacts;
  /** Do these facts matter to the lowering of a request? */
  matter(request: ChatRequest): boolean;
}

/**
 * Reads one streamed answer: frames in, events out, no I/O. One reader per answer; it keeps what is half-read.
 * Both methods throw {@link ReportedError} or {@link ProtocolError}; what they returned before stays valid.
 */
export interface StreamReader {
  /** Gives nothing once the answer is done: what comes then may be half of a frame that nobody waited for. */
  step(frame: Frame): ProviderEvent[];
  /** True once the wire has said that nothing follows, which not every wire does. */
  readonly done: boolean;
  /** Called once when the stream is done or has ended in order; gives what was still held back. */
  end(): ProviderEvent[];
}

/** What an error body says, as far as the wire tells. */
export interface ErrorReading {
  /** The provider's own words. */
  message: string;
  /** The provider's own words for the kind of error: its `code`, `type`, `status`. */
  kinds: string[];
  /** The status that the body names: errors inside a 200 answer have no other. */
  status?: number | undefined;
  /** Seconds. */
  retryAfter?: number | undefined;
  /** What the model wrote instead of a tool call that its provider took (groq's `tool_use_failed`). */
  failedGeneration?: string;
}

/** A wire: how requests are written and answers are read. Everything here is pure. */
export interface Protocol {
  framing: 'sse' | 'ndjson';
  /** The quirks that mean something to it; `toolCallIds`, which `project` heeds, to every wire. */
  quirks: readonly (keyof Quirks)[];
  /** Which ids of tool calls it takes back; absent: any. */
  toolCallIds?: ToolCallIds;
  /** May results of tools hold pictures and documents? Absent, or if not, they stand behind them (`result-media.ts`). */
  takesResultMedia?(quirks: Quirks): boolean;
  /** What `lower` may want to know of a model; absent: nothing. */
  facts?: FactsQuestion;
  /**
   * Expects messages that `project` (transcript.ts) has made fit for the target.
   * @throws AppError `invalid_request` for a part that this wire cannot carry.
   */
  lower(request: ChatRequest, quirks: Quirks, facts?: ModelFacts): WireRequest;
  /** Reads a whole (not streamed) answer, already parsed; throws as a {@link StreamReader} does. */
  read(body: unknown, quirks: Quirks): ProviderEvent[];
  reader(quirks: Quirks): StreamReader;
  /** Reads the body of a failed request, already parsed; undefined if it has no form that this wire knows. */
  readError(body: unknown): ErrorReading | undefined;
}

/**
 * How deep what is kept of an answer as opaque data may be nested: far more than any provider's is, and less than what
 * is taken back from a client.
 */
export const MAX_DATA_NESTING = 20;

/** The bytes were not what the wire promises; becomes `provider_protocol`. */
export class ProtocolError extends Error {}

/** The provider reported an error inside an answer that had begun with a success status. */
export class ReportedError extends Error {
  readonly reading: ErrorReading;

  constructor(reading: ErrorReading) {
    super(reading.message);
    this.reading = reading;
  }
}
