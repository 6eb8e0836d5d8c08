import type { Frame } from '../../core/framing.ts';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { ProtocolError } from './protocol.ts';

/**
 * The JSON object that a frame carries; undefined if there is nothing in it, or OpenAI's `[DONE]`, which gateways add
 * to other wires too.
 * @param isEnding the answer has said why it ended: half a frame after that takes nothing away from it.
 * @throws ProtocolError for anything else.
 */
export function objectIn({ data }: Frame, isEnding: boolean): JsonObject | undefined {
  const value = tryParseJson(data);
  if (isObject(value)) return value;
  const text = data.trim();
  if (isEnding || text === '' || text === '[DONE]') return undefined;
  throw new ProtocolError(`a stream event that is not a JSON object: ${text.slice(0, 200)}`);
}
