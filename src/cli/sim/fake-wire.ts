import type { JsonObject } from '../../core/json.ts';
import type { WireName } from '../../providers/profiles.ts';

/** The one tool call that fakes make. */
export const CALL = { id: 'call_sim_1', name: 'add', arguments: { a: 17, b: 25 } };

/** The token counts that fakes report. */
export const TOKENS = { prompt: 11, completion: 7 };

/** What a fake is to say: thoughts, then text or the call. */
export interface Saying {
  reasoning?: string;
  text?: string;
  calls?: boolean;
}

/** One wire from the provider's side: how requests are read and answers are written. */
export interface FakeWire {
  wire: WireName;
  /** Where a chat request must go. */
  path(model: string, stream: boolean): string;
  /** The header that carries the key, and what it must be. */
  key: readonly [name: string, value: string];
  /** The model that a request names, if not in its path. */
  model(path: string, body: JsonObject): string;
  /** Is it asked for a stream? */
  isStream(path: string, body: JsonObject): boolean;
  /** The names of the tools on offer. */
  tools(body: JsonObject): unknown[];
  /** The result of {@link CALL} that is sent back; undefined: there is none. */
  result(body: JsonObject): string | undefined;
  /** A whole answer. */
  whole(saying: Saying): JsonObject;
  /** A streamed one, in frames. */
  frames(saying: Saying): string[];
  contentType: string;
  /** The body of a refusal. */
  refusal(message: string): JsonObject;
}

/** The key that is sent to fakes: it opens nothing. */
export const SIM_KEY = 'sim-key-of-the-doctor';

/** A server-sent event. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** A text in pieces, as a model gives it. */
export function inPieces(text: string | undefined): string[] {
  return text?.match(/\s*\S+/gu) ?? [];
}
