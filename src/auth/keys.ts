import { newId } from '../core/ids.ts';
import { AppError, NotFoundError } from '../errors.ts';
import { deleteKey, insertKey, type KeyRow } from '../storage/api-keys.ts';
import { type BudgetInput, deleteBudget, setBudget } from '../storage/budgets.ts';
import { timestamp } from '../storage/rows.ts';
import { type AuthContext, change, note } from './context.ts';
import type { Principal } from './principal.ts';
import type { Scope } from './scopes.ts';
import { hashOf, KEY_PREFIX, newSecret } from './tokens.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Of the secret, beside the prefix: enough to know it again, too few to guess the rest by. */
const HINT_CHARS = 4;

/** A key to be made. */
export interface NewKey {
  name: string;
  scopes: readonly Scope[];
  expiresInDays?: number | undefined;
  /** Requests a minute. */
  rateLimit?: number | undefined;
  budget?: BudgetInput | undefined;
}

/**
 * Makes an API key of the caller's. It may do no more than its maker.
 * @returns the key, and its secret, which is not kept. @throws AppError `forbidden` for scopes that the caller has not.
 */
export async function createKey(
  context: AuthContext,
  principal: Principal,
  { name, scopes, expiresInDays, rateLimit, budget }: NewKey,
): Promise<{ key: KeyRow; secret: string }> {
  if (principal.isBounded)
    throw new AppError(
      'forbidden',
      'A key that expires, or has a rate limit or a budget, makes no other; log in for it',
    );
  const missing = scopes.filter((scope) => !principal.scopes.includes(scope));
  if (missing.length > 0)
    throw new AppError(
      'forbidden',
      `A key may do no more than you: you have ${principal.scopes.join(', ')}, but not ${missing.join(', ')}`,
    );
  const { owner, account = null } = principal;
  const secret = KEY_PREFIX + newSecret();
  const days = expiresInDays === undefined ? null : new Date(Date.now() + expiresInDays * DAY_MS).toISOString();
  const key: KeyRow = {
    id: newId('key'),
    owner,
    account,
    hash: hashOf(secret),
    hint: secret.slice(0, KEY_PREFIX.length + HINT_CHARS),
    name,
    scopes: JSON.stringify([...new Set(scopes)]),
    rate_limit: rateLimit ?? null,
    created_at: timestamp(),
    expires_at: days,
    last_used_at: null,
  };
  await change(context, async (tx) => {
    await insertKey(tx, key);
    if (budget) await setBudget(tx, owner, key.id, budget);
    const details = { name, scopes, expiresAt: days, rateLimit, budget };
    await note(context, tx, principal, { action: 'key.create', target: key.id, details });
  });
  return { key, secret };
}

/** Revokes one of the caller's keys, from now on and everywhere. @throws NotFoundError */
export async function revokeKey(context: AuthContext, principal: Principal, id: string): Promise<void> {
  await change(context, async (tx) => {
    const key = await deleteKey(tx, principal.owner, id);
    if (!key) throw new NotFoundError('API key', id);
    await deleteBudget(tx, principal.owner, id);
    await note(context, tx, principal, { action: 'key.revoke', target: id, details: { name: key.name } });
  });
}
