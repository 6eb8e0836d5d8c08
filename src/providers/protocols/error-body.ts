import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import { type ErrorReading, MAX_DATA_NESTING } from './protocol.ts';

/**
 * Reads the error bodies that vendors send (as recorded):
 * `{error: {message, type, code}}` (openai and most), `{error: "…"}` (ollama, xai), `{message, …}` (cerebras,
 * cohere, mistral), `{detail: "…" | [{msg}]}` (mistral); openrouter's useful text is in `error.metadata.raw`.
 * Undefined if there is no message anywhere.
 */
export function readErrorBody(given: unknown): ErrorReading | undefined {
  const body = Array.isArray(given) ? given[0] : given;
  if (!isObject(body)) return undefined;
  const error = isObject(body.error) ? body.error : body;
  const { metadata, innererror, failed_generation: failed } = error;
  const passedOn = readMetadata(asObject(metadata), asString(error.message));
  const message = passedOn?.message ?? messageOf(body, error);
  if (message === '') return undefined;
  const named = [error.code, asObject(innererror).code, error.type, error.status, body.error_type, body.code];
  const kinds = [...(passedOn?.kinds ?? []), ...named].filter((kind) => typeof kind === 'string' && kind !== '');
  const reading: ErrorReading = { message, kinds: [...new Set(kinds as string[])], status: statusOf(error) };
  if (typeof failed === 'string' && failed !== '') reading.failedGeneration = failed;
  return reading;
}

function messageOf(body: JsonObject, error: JsonObject): string {
  if (typeof body.error === 'string') return body.error;
  const message = asString(error.message);
  if (message !== '') return message;
  // Mistral has it at the top, or as the message.
  const detail = body.detail ?? asObject(error.message).detail;
  if (typeof detail === 'string') return detail;
  return asArray(detail)
    .map((item) => {
      const { loc, msg } = asObject(item);
      const path = asArray(loc).filter((step) => typeof step === 'string' || typeof step === 'number');
      return [path.join('.'), asString(msg)].filter((word) => word !== '').join(': ');
    })
    .filter((line) => line !== '')
    .join('; ');
}

/**
 * In `metadata` OpenRouter passes on what the provider behind it said, as a string that is often JSON itself, or why its own
 * moderation flagged the request (https://openrouter.ai/docs/api/reference/errors-and-debugging).
 */
function readMetadata(metadata: JsonObject, message: string): ErrorReading | undefined {
  const { raw, provider_name: provider, reasons } = metadata;
  const flags = asArray(reasons).filter((reason) => typeof reason === 'string');
  if (flags.length > 0) return { message: `${message} (${flags.join(', ')})`.trim(), kinds: ['content_filter'] };
  const isBounded = isNestedAtMost(raw, MAX_DATA_NESTING);
  const text = isObject(raw) && isBounded ? JSON.stringify(raw) : asString(raw);
  if (text === '') return undefined;
  const inner = readErrorBody(tryParseJson(text)) ?? { message: text, kinds: [] };
  return asString(provider) === '' ? inner : { ...inner, message: `${provider}: ${inner.message}` };
}

function statusOf(error: JsonObject): number | undefined {
  for (const value of [error.code, error.status_code, error.status]) {
    const status = asNumber(typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value);
    if (status !== undefined && status >= 400 && status < 600) return status;
  }
  return undefined;
}
