import { type AppError, type ErrorCode, type Issue, STATUS_OF } from '../errors.ts';
import { errorReply } from '../http/envelope.ts';
import { rateHeaders } from '../http/rate-headers.ts';
import type { Wire } from '../http/wire.ts';
import { ownKey } from './own-key.ts';
import { withRetryHeaders } from './retry-headers.ts';
import { tightestOf } from './tightest.ts';

/** An error as OpenAI's API gives it; all four are always there. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** Codes that OpenAI's own clients look for; the others are our own. */
const CODES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'invalid_api_key',
  budget_exceeded: 'insufficient_quota',
  rate_limited: 'rate_limit_exceeded',
  provider_rate_limited: 'rate_limit_exceeded',
  internal: 'server_error',
};

/** The envelope of an error. `param` is where the first problem is. */
export function openAiError(error: AppError): OpenAiError {
  const issues = (error.details?.issues ?? []) as Issue[];
  const [first] = issues;
  return {
    error: {
      message: messageOf(error),
      type: typeOf(error.code),
      param: first && first.path !== '' ? first.path : null,
      code: CODES[error.code] ?? error.code,
    },
  };
}

/** With what to do about it, where that is said apart. */
function messageOf({ message, details }: AppError): string {
  return typeof details?.hint === 'string' ? `${message}: ${details.hint}` : message;
}

function typeOf(code: ErrorCode): string {
  if (code === 'budget_exceeded') return 'insufficient_quota';
  const status = STATUS_OF[code];
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** @see https://platform.openai.com/docs/guides/rate-limits (headers) and /docs/guides/error-codes */
export const OPENAI_WIRE: Wire = {
  authorization: ({ authorization }) => ownKey(authorization),
  requestHeaders: () => ({}),
  limitHeaders: (verdict) => {
    const tightest = tightestOf(verdict);
    if (!tightest) return {};
    return {
      ...rateHeaders(verdict),
      'x-ratelimit-limit-requests': `${tightest.limit}`,
      'x-ratelimit-remaining-requests': `${tightest.remaining}`,
      'x-ratelimit-reset-requests': duration(tightest.resetMs),
    };
  },
  errorReply: (error, requestId) => {
    const { status, headers } = errorReply(error, requestId);
    return { status, headers: withRetryHeaders(headers, error), body: openAiError(error) };
  },
};

/** Such as `6m0s`, `1s` or `20ms`. */
function duration(ms: number): string {
  const whole = Math.ceil(ms);
  if (whole < 1000) return `${whole}ms`;
  const seconds = Math.ceil(whole / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
