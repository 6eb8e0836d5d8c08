import { describe, expect, it } from 'vitest';
import { rateLimited, wrongTries } from './refusal.ts';

const STANDING = { name: 'key:k', policy: 'key', limit: 60, perMinute: 60, remaining: 0, resetMs: 900.5 } as const;

describe('the error of a request that was refused', () => {
  it.each([
    [STANDING, 'Too many requests with this API key: 60 a minute are allowed; try again in 1 s', 1],
    [
      { ...STANDING, policy: 'address', limit: 10, resetMs: 12_000 } as const,
      'Too many requests from this address: 60 a minute and 10 at once are allowed; try again in 12 s',
      12,
    ],
    [
      { ...STANDING, policy: 'login', limit: 10, perMinute: 10, resetMs: 5001 } as const,
      'Too many tries of a password: 10 a minute are allowed; try again in 6 s',
      6,
    ],
  ])('says what was too much and when to try again', (standing, message, retryAfter) => {
    expect(rateLimited(standing)).toMatchObject({ code: 'rate_limited', message, retryAfter });
  });

  it('of a password tells of the wrong ones before it', () => {
    const message = 'Too many wrong tries in a row; try again in 4 s';
    expect(wrongTries(3001)).toMatchObject({ code: 'rate_limited', message, retryAfter: 4 });
  });
});
