import { asArray, asNumber, asObject, asString, isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import type { ErrorReading } from './protocol.ts';

/**
 * Reads the error bodies that vendors send (as recorded):
 * `{error: {message, type, code}}` (openai and most), `{error: "…"}` (ollama, xai), `{message, …}` (cerebras,
 * cohere, mistral), `{detail: "…" | [{msg}]}` (mistral); openrouter's useful text is in `error.metadata.raw`.
 * Undefined if there is no message anywhere.
 */
export function readErrorBody(body: unknown): ErrorReading | undefined {
  if (Array.isArray(body)) return readErrorBody(body[0]);
  if (!isObject(body)) return undefined;
  const error = isObject(body.error) ? body.error : body;
  const message = messageOf(body, error);
  if (message === '') return undefined;
  const kinds = [error.code, error.type, error.status, body.error_type, body.code].filter(
    (kind): kind is string => typeof kind === 'string' && kind !== '',
  );
  return { message, kinds, status: statusOf(error), retryAfter: undefined };
}

function messageOf(body: JsonObject, error: JsonObject): string {
  if (typeof body.error === 'string') return body.error;
  const raw = asString(asObject(error.metadata).raw);
  if (raw !== '') return innerMessage(raw);
  const message = asString(error.message);
  if (message !== '') return message;
  if (typeof body.detail === 'string') return body.detail;
  return asArray(body.detail)
    .map((item) => {
      const { loc, msg } = asObject(item);
      return [asArray(loc).join('.'), asString(msg)].filter((word) => word !== '').join(': ');
    })
    .filter((line) => line !== '')
    .join('; ');
}

/** Openrouter passes the upstream's body on as a string, often JSON itself. */
function innerMessage(raw: string): string {
  return readErrorBody(tryParseJson(raw))?.message ?? raw;
}

function statusOf(error: JsonObject): number | undefined {
  for (const value of [error.code, error.status_code, error.status]) {
    const status = asNumber(typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value);
    if (status !== undefined && status >= 400 && status < 600) return status;
  }
  return undefined;
}
