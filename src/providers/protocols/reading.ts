import type { Frame } from '../../core/framing.ts';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import { readErrorBody } from './error-body.ts';
import { MAX_DATA_NESTING, type Protocol, ProtocolError, ReportedError } from './protocol.ts';

/**
 * The JSON object that a frame carries; undefined if there is nothing in it.
 * @param isEnding the answer has said why it ended: what is no JSON after that, half a frame or OpenAI's `[DONE]` on
 *   another wire, takes nothing away from it.
 * @throws ProtocolError for anything else.
 */
export function objectIn({ data }: Frame, isEnding: boolean): JsonObject | undefined {
  const value = tryParseJson(data);
  if (isObject(value)) return value;
  const text = data.trim();
  if (isEnding || text === '') return undefined;
  throw new ProtocolError(`a stream event that is not a JSON object: ${text.slice(0, 200)}`);
}

/** A whole answer, or a line of one, must be a JSON object. @throws ProtocolError if it is none. */
export function requireObject(body: unknown): asserts body is JsonObject {
  if (!isObject(body)) throw new ProtocolError('the answer is not a JSON object');
}

/**
 * What to throw for a body that reports an error.
 * @param read how the wire reads it; what cannot be read is shown as it is.
 */
export function reportedError(body: JsonObject, read: Protocol['readError'] = readErrorBody): Error {
  const reading = read(body);
  if (reading) return new ReportedError(reading);
  const said = body.error ?? body;
  if (isNestedAtMost(said, MAX_DATA_NESTING)) return new ReportedError({ message: JSON.stringify(said), kinds: [] });
  return new ProtocolError(`the answer is an error that is nested more than ${MAX_DATA_NESTING} levels deep`);
}

/** What to throw for an answer that ends before it has said that it does. */
export function endedEarly(): ProtocolError {
  return new ProtocolError('the answer ended before it was complete');
}
