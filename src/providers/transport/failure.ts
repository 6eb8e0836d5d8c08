import { AppError, type ErrorCode } from '../../errors.ts';
import type { ErrorReading } from '../protocols/protocol.ts';

/** What is known of a call that a provider refused or broke off. */
export interface Refusal {
  /** The provider's name for a person, such as `Anthropic`. */
  provider: string;
  /** HTTP status; 200 for an error inside an answer. */
  status: number;
  reading: ErrorReading;
  /** Seconds, from the headers. */
  retryAfter?: number | undefined;
}

/** Turns a provider's refusal into the error that our caller gets; the provider's own message is kept. */
export function refusalError(refusal: Refusal): AppError {
  const { reading } = refusal;
  const status = refusal.status >= 400 ? refusal.status : (reading.status ?? refusal.status);
  const code = classify(status, reading);
  const { failedGeneration } = reading;
  const details = {
    ...(status < 400 ? {} : { providerStatus: status }),
    ...(failedGeneration === undefined ? {} : { failedGeneration }),
  };
  return new AppError(code, `${refusal.provider}: ${reading.message}`, {
    retryAfter: refusal.retryAfter ?? reading.retryAfter,
    ...(Object.keys(details).length === 0 ? {} : { details }),
  });
}

/** Is it worth asking the same provider again? 408, 409, 429 and 5xx; not for a quota that is used up. */
export function isRetryable(status: number, reading: ErrorReading): boolean {
  if (reading.kinds.includes('insufficient_quota')) return false;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

const KINDS: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/^(context_length_exceeded|too_many_prompt_tokens|too_many_tokens)$/i, 'context_length_exceeded'],
  [/^(content_filter|content_policy_violation|ResponsibleAIPolicyViolation)$/i, 'content_filtered'],
  [/^(model_not_found|DeploymentNotFound|invalid_model)$/i, 'model_not_found'],
  [/^(invalid_api_key|authentication_error|permission_error|API_KEY_INVALID|UNAUTHENTICATED)$/i, 'provider_auth'],
  [/^(rate_limit_error|rate_limit_exceeded|RESOURCE_EXHAUSTED|insufficient_quota)$/i, 'provider_rate_limited'],
  [/^(overloaded_error|server_error|api_error|UNAVAILABLE|INTERNAL)$/i, 'provider_unavailable'],
  [/^(timeout_error|DEADLINE_EXCEEDED)$/i, 'provider_timeout'],
];

const CONTEXT_LENGTH =
  /context[ _-]?(length|window|size)|prompt (is )?too long|too many (input )?tokens|maximum (prompt|context|input)|(input|prompt|messages).{0,40}too long|exceeds? the (maximum|max|available).{0,40}tokens|input token count/i;
const BAD_KEY = /api[ _-]?key (is )?(not valid|invalid|expired)|(incorrect|invalid|missing|no) api[ _-]?key/i;
const NO_MODEL = /(not a valid|invalid|unknown) model\b|\bmodel\b.{0,100}(not found|does not exist)/i;

function classify(status: number, reading: ErrorReading): ErrorCode {
  for (const kind of reading.kinds) {
    const known = KINDS.find(([pattern]) => pattern.test(kind));
    // A 5xx stays the server's fault, whatever word the body has for it.
    if (known && (status < 500 || known[1] === 'provider_timeout')) return known[1];
  }
  if (status === 401 || status === 402 || status === 403) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status >= 500) return 'provider_unavailable';
  if (CONTEXT_LENGTH.test(reading.message)) return 'context_length_exceeded';
  if (BAD_KEY.test(reading.message)) return 'provider_auth';
  // An error inside an answer that began well, and that says nothing we know.
  if (status < 400) return 'provider_unavailable';
  return status === 404 || NO_MODEL.test(reading.message) ? 'model_not_found' : 'provider_rejected';
}
