import { createHash } from 'node:crypto';
import { isObject } from '../core/json.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import { InvalidRequestError, type Issue } from '../errors.ts';

/** Characters of a key. */
export const MAX_KEY_LENGTH = 255;

/** More than any schema lets through in a field that is looked at; what a schema passes over may be deeper. */
const MAX_NESTING = 1000;

const VISIBLE_ASCII = /^[!-~]+$/;

/**
 * The key in an `Idempotency-Key` header, without the double quotes that the IETF's draft puts around it; undefined if
 * there is no header, or if it holds no key, which is then among the issues.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function readIdempotencyKey(header: string | string[] | undefined, issues: Issue[]): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? header.replace(/^"(.*)"$/, '$1') : '';
  if (key.length <= MAX_KEY_LENGTH && VISIBLE_ASCII.test(key)) return key;
  issues.push({
    path: 'header.idempotency-key',
    message: `must be one key of 1 to ${MAX_KEY_LENGTH} visible ASCII characters, without spaces`,
  });
  return undefined;
}

/**
 * A hash of what a request asks for: JSON that differs only in white space or the order of its keys has the same.
 * @throws InvalidRequestError for a body that is nested too deep to be written as JSON again.
 */
export function fingerprintOf(query: unknown, body: unknown): string {
  if (!isNestedAtMost(body, MAX_NESTING)) {
    throw new InvalidRequestError([{ path: 'body', message: `must be nested at most ${MAX_NESTING} levels deep` }]);
  }
  return createHash('sha256')
    .update(JSON.stringify([query, body], (_, value: unknown) => (isObject(value) ? sorted(value) : value)))
    .digest('hex');
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
