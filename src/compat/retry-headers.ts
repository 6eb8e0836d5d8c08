import type { AppError, ErrorCode } from '../errors.ts';

/** What no further try changes, though its status is one after which clients try again by themselves. */
const LASTING: ReadonlySet<ErrorCode> = new Set(['no_provider', 'provider_not_configured', 'provider_auth']);

/** The longest wait that clients obey, in seconds; after a longer one they come again within a moment. */
const OBEYED = 60;

/**
 * What the clients of OpenAI and Anthropic read before all else: `retry-after-ms`, the wait of `retry-after` in whole
 * milliseconds, and `x-should-retry: false` where they had better not come again by themselves.
 * @param headers of the error.
 */
export function withRetryHeaders(
  headers: Readonly<Record<string, string>>,
  { code, retryAfter }: AppError,
): Record<string, string> {
  const { 'retry-after': seconds } = headers;
  // The whole seconds are within bounds, and never less than the wait.
  const most = Number(seconds ?? 0) * 1000;
  const ms = retryAfter ? Math.min(most, Math.ceil(retryAfter * 1000)) : most;
  const isVain = LASTING.has(code) || ms > OBEYED * 1000;
  return {
    ...headers,
    ...(seconds === undefined ? {} : { 'retry-after-ms': `${ms}` }),
    ...(isVain ? { 'x-should-retry': 'false' } : {}),
  };
}
