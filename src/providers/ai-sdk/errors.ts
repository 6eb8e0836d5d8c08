import { asNumber, asObject, asString, isObject, tryParseJson } from '../../core/json.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { readErrorBody } from '../protocols/error-body.ts';
import type { ErrorReading } from '../protocols/protocol.ts';
import { isRetryable } from '../transport/failure.ts';
import { redact, refusedError, retryAfter, type Source } from '../wire/refusal.ts';
import { SdkProtocolError, SdkReportedError } from './answer.ts';

/**
 * The AI SDK's own errors by their names: every package may have a copy of its own of the classes. The rest are
 * failures of the package, which promises what it does not keep.
 */
const CODES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['AI_LoadAPIKeyError', 'provider_not_configured'],
  ['AI_LoadSettingError', 'provider_not_configured'],
  ['AI_NoSuchModelError', 'model_not_found'],
  ['AI_UnsupportedFunctionalityError', 'invalid_request'],
  ['AI_InvalidPromptError', 'invalid_request'],
  ['AI_InvalidArgumentError', 'invalid_request'],
]);

/**
 * Turns what an AI SDK package threw, or reported in a stream, into our error, with the provider's own words, and
 * says whether another try could help.
 */
export function sdkError(error: unknown, source: Source): { error: AppError; retryable: boolean } {
  if (error instanceof AppError) return { error, retryable: false };
  if (error instanceof SdkReportedError) return sdkError(error.failure, source);
  const said = (message: string): string => redact(message, source);
  if (error instanceof SdkProtocolError) return failure('provider_protocol', `${source.name}: ${said(error.message)}`);
  const { name, statusCode } = asObject(error);
  if (name === 'AI_APICallError') return callError(asObject(error), asNumber(statusCode), source);
  const code = CODES.get(asString(name));
  if (code !== undefined) return failure(code, `${source.name}: ${said(messageOf(error))}`);
  if (error instanceof Error) return failure('provider_protocol', `${source.name}: ${said(messageOf(error))}`);
  // Not an error of the SDK's, but what the provider wrote into its stream.
  const reading = readErrorBody(error) ?? { message: messageOf(error), kinds: [] };
  return refused(reading, 200, undefined, source);
}

/** `AI_APICallError`: an answer with an error status, or one that could not be read, or no answer at all. */
function callError(error: Record<string, unknown>, status: number | undefined, source: Source) {
  const message = messageOf(error);
  if (status === undefined) {
    const words = redact(message, source);
    return { error: new AppError('provider_unavailable', `${source.name}: ${words}`), retryable: true };
  }
  if (status < 400) return failure('provider_protocol', `${source.name}: ${redact(message, source)}`);
  const body = readErrorBody(tryParseJson(asString(error.responseBody)));
  const headers = asObject(error.responseHeaders) as Record<string, string>;
  return refused(body ?? { message: `status ${status}: ${message}`, kinds: [] }, status, retryAfter(headers), source);
}

function refused(reading: ErrorReading, status: number, seconds: number | undefined, source: Source) {
  const error = refusedError(source, { status, reading, retryAfter: seconds });
  return { error, retryable: isRetryable(status, reading) };
}

/** Without the cause: it would take what was sent, key and all, into the log. */
function failure(code: ErrorCode, message: string): { error: AppError; retryable: boolean } {
  return { error: new AppError(code, message), retryable: false };
}

function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const message = isObject(error) ? asString(error.message) : '';
  return message === '' ? 'an error without a message' : message;
}
