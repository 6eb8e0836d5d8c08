import { AppError } from '../errors.ts';
import type { Policy } from './bucket.ts';
import type { Standing } from './verdict.ts';

/** What there was too much of. */
const WORDS: Readonly<Record<Policy, string>> = {
  key: 'requests with this API key',
  user: 'requests of this account',
  address: 'requests from this address',
  login: 'tries of a password',
  signup: 'sign-ups',
  verify: 'tries of the access key',
};

/** The error of a request that a bucket has refused: 429 `rate_limited`, with the time until it would be let through. */
export function rateLimited({ policy, limit, perMinute, resetMs }: Standing): AppError {
  const atOnce = limit === perMinute ? '' : ` and ${limit} at once`;
  const retryAfter = Math.ceil(resetMs / 1000);
  return new AppError(
    'rate_limited',
    `Too many ${WORDS[policy]}: ${perMinute} a minute${atOnce} are allowed; try again in ${retryAfter} s`,
    { retryAfter },
  );
}

/** The error of a try that must wait because of wrong ones before it: 429 `rate_limited`. */
export function wrongTries(waitMs: number): AppError {
  const retryAfter = Math.ceil(waitMs / 1000);
  return new AppError('rate_limited', `Too many wrong tries in a row; try again in ${retryAfter} s`, { retryAfter });
}
