import { isObject, type JsonObject } from '../core/json.ts';
import { type AppError, type ErrorCode, STATUS_OF } from '../errors.ts';
import { errorReply } from '../http/envelope.ts';
import { rateHeaders } from '../http/rate-headers.ts';
import type { Wire } from '../http/wire.ts';
import { ownKey } from './own-key.ts';
import { withRetryHeaders } from './retry-headers.ts';
import { tightestOf } from './tightest.ts';

/** An error as Anthropic's API gives it. */
export interface AnthropicError {
  type: 'error';
  error: { type: string; message: string; details?: JsonObject };
  request_id: string;
}

/** What their clients take for a server that has too much to do. */
const OVERLOADED = 529;

/** The envelope of an error; `details.wire` is what their clients look for in it. @see https://docs.anthropic.com/en/api/errors */
function anthropicError(error: AppError, requestId: string): AnthropicError {
  const { message, details } = error;
  const text = typeof details?.hint === 'string' ? `${message}: ${details.hint}` : message;
  const more = isObject(details?.wire) ? { details: details.wire } : {};
  return { type: 'error', error: { type: typeOf(error.code), message: text, ...more }, request_id: requestId };
}

function typeOf(code: ErrorCode): string {
  if (code === 'overloaded') return 'overloaded_error';
  switch (STATUS_OF[code]) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 504:
      return 'timeout_error';
    default:
      return STATUS_OF[code] >= 500 ? 'api_error' : 'invalid_request_error';
  }
}

/** Keys come in `x-api-key`, or as a bearer's token. @see https://docs.anthropic.com/en/api/rate-limits#response-headers */
export const ANTHROPIC_WIRE: Wire = {
  authorization: ({ authorization, 'x-api-key': key }) => ownKey(authorization, key ? `Bearer ${key}` : undefined),
  requestHeaders: (requestId) => ({ 'request-id': requestId }),
  limitHeaders: (verdict) => {
    const tightest = tightestOf(verdict);
    if (!tightest) return {};
    const seconds = Math.ceil((Date.now() + tightest.resetMs) / 1000);
    return {
      ...rateHeaders(verdict),
      'anthropic-ratelimit-requests-limit': `${tightest.limit}`,
      'anthropic-ratelimit-requests-remaining': `${tightest.remaining}`,
      'anthropic-ratelimit-requests-reset': new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'),
    };
  },
  errorReply: (error, requestId) => {
    const { status, headers } = errorReply(error, requestId);
    const body = anthropicError(error, requestId);
    return {
      status: error.code === 'overloaded' ? OVERLOADED : status,
      headers: withRetryHeaders(headers, error),
      body,
    };
  },
};
