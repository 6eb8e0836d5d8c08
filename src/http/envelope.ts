import { type AppError, type ErrorCode, STATUS_OF } from '../errors.ts';

/** The one form in which native routes report an error. */
export interface ErrorEnvelope {
  error: string;
  code: ErrorCode;
  requestId: string;
  details?: Record<string, unknown>;
}

/** An error ready to be sent, in the envelope of its wire. */
export interface ErrorReply<Body extends object = object> {
  status: number;
  headers: Record<string, string>;
  body: Body;
}

/** Seconds: a day. */
const MAX_RETRY_AFTER = 86_400;

/** Maps an error to status, headers and envelope. */
export function errorReply(error: AppError, requestId: string): ErrorReply<ErrorEnvelope> {
  const headers: Record<string, string> = {};
  const { retryAfter: seconds = Number.NaN } = error;
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
  // A provider may name any number.
  if (seconds >= 0) headers['retry-after'] = String(Math.min(MAX_RETRY_AFTER, Math.max(1, Math.ceil(seconds))));
  return {
    status: STATUS_OF[error.code],
    headers,
    body: {
      error: error.message,
      code: error.code,
      requestId,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}
