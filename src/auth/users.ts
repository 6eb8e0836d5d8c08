import { AppError, NotFoundError } from '../errors.ts';
import { type AccountRow, getAccount, updateAccount } from '../storage/accounts.ts';
import { type BudgetInput, setBudget } from '../storage/budgets.ts';
import { deleteSessions } from '../storage/sessions.ts';
import { isStorable } from '../storage/text.ts';
import { type AuthContext, change, note } from './context.ts';
import type { Principal } from './principal.ts';
import { isEverything, SCOPES } from './scopes.ts';

/** What an admin can change of an account; null takes a limit away. */
export interface UserPatch {
  role?: 'admin' | 'member' | undefined;
  disabled?: boolean | undefined;
  rateLimit?: number | null | undefined;
  budget?: BudgetInput | null | undefined;
}

/**
 * Changes an account. Whoever is disabled is out at once, with sessions and keys.
 * @throws NotFoundError, AppError `forbidden` for the owner's account, one's own, and an admin's unless one is the owner;
 * the owner may set limits of their own.
 */
export async function changeUser(
  context: AuthContext,
  principal: Principal,
  id: string,
  { role, disabled, rateLimit, budget }: UserPatch,
): Promise<AccountRow> {
  return await change(context, async (tx) => {
    const user = await requireUser({ db: tx }, id);
    const isLimitOnly = role === undefined && disabled === undefined;
    if (!isLimitOnly || principal.role !== 'owner') requirePower(principal, user);
    if (role === 'admin') requireEverything(principal);
    const fresh = {
      ...(role === undefined ? {} : { role }),
      ...(disabled === undefined ? {} : { status: disabled ? ('disabled' as const) : ('active' as const) }),
      ...(rateLimit === undefined ? {} : { rate_limit: rateLimit }),
    };
    const changed = (await updateAccount(tx, id, fresh)) ?? user;
    if (disabled) await deleteSessions(tx, user.owner, { account: id });
    if (budget !== undefined) await setBudget(tx, user.owner, id, budget);
    const details = { role, disabled, rateLimit, budget };
    await note(context, tx, principal, { action: 'user.change', target: id, details });
    return changed;
  });
}

/**
 * Deletes an account: it is out at once, and everything that it owns is removed soon after.
 * @throws NotFoundError, AppError `forbidden` as `changeUser`.
 */
export async function deleteUser(context: AuthContext, principal: Principal, id: string): Promise<void> {
  await change(context, async (tx) => {
    const user = await requireUser({ db: tx }, id);
    requirePower(principal, user);
    // The email is free for somebody else at once.
    await updateAccount(tx, id, { status: 'deleted', email: `deleted:${id}`, name: '', password_hash: '' });
    await deleteSessions(tx, user.owner, { account: id });
    await note(context, tx, principal, { action: 'user.delete', target: id, details: { role: user.role } });
  });
}

/** An account that is not deleted; in a transaction, nobody else changes it until the end of that. @throws NotFoundError */
export async function requireUser({ db }: Pick<AuthContext, 'db'>, id: string): Promise<AccountRow> {
  const user = isStorable(id) ? await getAccount(db, id) : undefined;
  if (!user || user.status === 'deleted') throw new NotFoundError('User', id);
  return user;
}

/** An admin may do everything but what is the owner's: whoever makes one must. @throws AppError `forbidden` */
export function requireEverything({ role, scopes }: Principal): void {
  if (role !== 'owner') throw new AppError('forbidden', 'Only the owner makes admins');
  if (!isEverything(scopes))
    throw new AppError('forbidden', `An API key needs every scope for it: ${SCOPES.join(', ')}`);
}

function requirePower(principal: Principal, user: AccountRow): void {
  const why =
    user.role === 'owner'
      ? 'The owner’s account can be neither disabled nor deleted, nor get another role; its limits are the owner’s to set'
      : user.id === principal.account
        ? 'Admins change neither role, status and limits of their own account, nor delete it; ask the owner'
        : user.role === 'admin' && principal.role !== 'owner'
          ? 'Only the owner changes or deletes an admin’s account'
          : undefined;
  if (why !== undefined) throw new AppError('forbidden', why);
}
