import type { FailureName } from '../limits/back-off.ts';
import type { Bucket } from '../limits/bucket.ts';
import { networkOf } from '../limits/network.ts';
import { rateLimited } from '../limits/refusal.ts';
import type { AuthContext } from './context.ts';

/** Tries a minute, of one address and of one account. */
const PER_MINUTE = { login: 10, signup: 5, verify: 10 };

/** Takes one of an address's sign-ups. @throws AppError `rate_limited`, with the time until the next. */
export async function countSignUp(context: AuthContext): Promise<void> {
  await takeFrom(context, 'signup', `address:${networkOf(context.caller.address)}`);
}

/**
 * Has something looked at that could be guessed. Many wrong ones in a row make for a pause. The address comes first: what
 * its own limit or pause refuses takes nothing from the account, or one stranger could keep its owner out.
 * @param account whose it is: its email or id. Whether there is such an account makes no difference.
 * @param look gives something falsy if it is wrong. Where it throws, the try does not count.
 * @throws AppError `rate_limited`, with the time until the next try, and whatever `look` throws.
 */
export async function attempt<T>(
  context: AuthContext,
  kind: 'login' | 'verify',
  account: string,
  look: () => Promise<T>,
): Promise<T> {
  const { backOff } = context;
  const [address, name]: [FailureName, FailureName] = [
    `address:${networkOf(context.caller.address)}`,
    `account:${account}`,
  ];
  await takeFrom(context, kind, address);
  await backOff.attempt([address]);
  try {
    await takeFrom(context, kind, name);
    await backOff.attempt([name]);
  } catch (error) {
    await backOff.withdrawn([address]);
    throw error;
  }
  const found = await look().catch(async (error: unknown) => {
    await backOff.withdrawn([address, name]);
    throw error;
  });
  if (!found) return found;
  // The wrong ones for other accounts are not made good by one's own.
  await backOff.withdrawn([address]);
  await backOff.succeeded([name]);
  return found;
}

async function takeFrom({ limiter }: AuthContext, kind: keyof typeof PER_MINUTE, name: string): Promise<void> {
  const rate = PER_MINUTE[kind];
  const bucket: Bucket = { name: `${kind}:${name}`, policy: kind, capacity: rate, perMinute: rate };
  const { refused } = await limiter.take([bucket]);
  if (refused) throw rateLimited(refused);
}
