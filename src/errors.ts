import { inErrors } from './core/redactor.ts';

/** Every code that a caller can meet, with the HTTP status it travels under. The one table of the project. */
export const STATUS_OF = {
  invalid_request: 400,
  invalid_json: 400,
  provider_rejected: 400,
  context_length_exceeded: 400,
  content_filtered: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  model_not_found: 404,
  approval_not_found: 404,
  request_timeout: 408,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  idempotency_mismatch: 422,
  rate_limited: 429,
  provider_rate_limited: 429,
  budget_exceeded: 429,
  headers_too_large: 431,
  cancelled: 499,
  internal: 500,
  provider_auth: 502,
  provider_unavailable: 502,
  provider_protocol: 502,
  no_provider: 503,
  provider_not_configured: 503,
  overloaded: 503,
  shutting_down: 503,
  provider_timeout: 504,
} as const;

/** The machine-readable half of an error; stable, for programs to branch on. */
export type ErrorCode = keyof typeof STATUS_OF;

/** One problem of a request: where it is (`messages.0.role`) and what is wrong there. */
export interface Issue {
  path: string;
  message: string;
}

/**
 * A failure that the caller is told about. `message` is for a person; `details` is sent along; `retryAfter` is in
 * seconds. Known secrets are struck out of both here, since from here they go into answers, streams and the database.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    extra: { details?: Record<string, unknown>; retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(inErrors.redact(message), extra.cause === undefined ? undefined : { cause: extra.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = inErrors.redactAll(extra.details);
    this.retryAfter = extra.retryAfter;
  }
}

/** A body of nothing but mistakes must not make an answer larger than itself. */
const MAX_ISSUES = 100;

/** Bad input: 400 with every issue named at once, up to a hundred. */
export class InvalidRequestError extends AppError {
  constructor(all: Issue[]) {
    const more = { path: '', message: `and ${all.length - MAX_ISSUES} more problems` };
    const issues = all.length > MAX_ISSUES ? [...all.slice(0, MAX_ISSUES), more] : all;
    super('invalid_request', `Invalid request: ${issues.map(describeIssue).join('; ')}`, { details: { issues } });
  }
}

/** Nothing of this owner has that id: 404. */
export class NotFoundError extends AppError {
  constructor(what: string, id: string, hint?: string) {
    super('not_found', `${what} ${JSON.stringify(id)} not found${hint === undefined ? '' : `; ${hint}`}`);
  }
}

/** The error that a caller may see: what was not foreseen becomes a plain 500 that says nothing of the inside. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(
    'internal',
    'Something went wrong inside the server; its log has the details under this request id',
    { cause: error },
  );
}

/** An error as it is kept: `{code, message}` as JSON. */
export function errorText({ code, message }: AppError): string {
  return JSON.stringify({ code, message });
}

/** Why a call was aborted: the error that the signal carries, or else that its caller has gone. */
export function abortError(signal: AbortSignal): AppError {
  return signal.reason instanceof AppError ? signal.reason : new AppError('cancelled', 'The caller has gone');
}

function describeIssue(issue: Issue): string {
  return issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`;
}
