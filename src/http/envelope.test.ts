import { expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { errorReply } from './envelope.ts';

it.each([
  [0, '1'],
  [1.2, '2'],
  [1e300, '86400'],
  [Number.POSITIVE_INFINITY, '86400'],
  [-5, undefined],
  [Number.NaN, undefined],
  [undefined, undefined],
])('a provider’s wait of %s s becomes Retry-After %s', (retryAfter, header) => {
  const { headers } = errorReply(new AppError('provider_rate_limited', 'Slow', { retryAfter }), 'req_1');
  expect(headers['retry-after']).toBe(header);
});
