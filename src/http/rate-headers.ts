import type { Standing, Verdict } from '../limits/verdict.ts';

/**
 * The headers that tell a client how it stands, none if nothing was counted: `RateLimit-Policy` has all policies, their
 * capacity and how many seconds an empty bucket takes to fill; `RateLimit` has the bucket that refused or, if none did,
 * the one that is nearest to it: tokens that are left, and how many seconds until it is full (or lets one through).
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11
 */
export function rateHeaders({ standings, refused }: Verdict): Record<string, string> {
  const [first, ...others] = standings;
  if (!first) return {};
  const tightest = refused ?? others.reduce((least, one) => (shareOf(one) < shareOf(least) ? one : least), first);
  // Buckets of one policy, such as an address's and an account's, are one to whoever reads it.
  const policies = new Set(standings.map(policyItem));
  return {
    'ratelimit-policy': [...policies].join(', '),
    ratelimit: `"${tightest.policy}";r=${tightest.remaining};t=${Math.ceil(tightest.resetMs / 1000)}`,
  };
}

function shareOf({ remaining, limit }: Standing): number {
  return remaining / limit;
}

function policyItem({ policy, limit, perMinute }: Standing): string {
  return `"${policy}";q=${limit};w=${Math.ceil((limit * 60) / perMinute)}`;
}
