import type { Principal } from '../auth/principal.ts';
import { type Bucket, perMinute } from '../limits/bucket.ts';

/** The buckets that a known caller's request takes from. @param userLimit of accounts without a limit of their own. */
export function bucketsOf({ credential, owner, limits }: Principal, userLimit: number | undefined): Bucket[] {
  const user = limits.user ?? userLimit;
  return [
    ...(limits.key === undefined ? [] : [perMinute('key', credential, limits.key)]),
    ...(user === undefined ? [] : [perMinute('user', owner, user)]),
  ];
}
