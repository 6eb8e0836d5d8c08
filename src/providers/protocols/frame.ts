import type { Frame } from '../../core/framing.ts';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { ProtocolError } from './protocol.ts';

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
