import { AppError } from '../errors.ts';
import { type AccountRow, findAccount, getAccount, holdAccount, updateAccount } from '../storage/accounts.ts';
import { deleteSessions } from '../storage/sessions.ts';
import { attempt } from './attempts.ts';
import { type AuthContext, change, note } from './context.ts';
import { unauthenticated } from './gate.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import type { Principal } from './principal.ts';
import { beginSession } from './sessions.ts';

/** What is to be changed; a new email or password needs the current password. */
export interface AccountPatch {
  name?: string | undefined;
  /** In lower case. */
  email?: string | undefined;
  password?: string | undefined;
  currentPassword?: string | undefined;
}

/**
 * Changes one's own account. With a new password all sessions end; whoever has changed it gets a new one.
 * @returns the account, and the secret of the new session if there is one.
 * @throws AppError `conflict` without an account or for a taken email, `forbidden` for a wrong password, `rate_limited`.
 */
export async function changeAccount(
  context: AuthContext,
  principal: Principal,
  patch: AccountPatch,
): Promise<{ account: AccountRow; session: string | undefined }> {
  const { db, caller } = context;
  const before = await requireAccount(context, principal);
  const { id, owner } = before;
  const { name, email, password } = patch;
  if (email !== undefined || password !== undefined) await requirePassword(context, principal, before, patch);
  const hash = password === undefined ? undefined : await hashPassword(password);
  const fresh = {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(hash === undefined ? {} : { password_hash: hash }),
  };
  const fields = Object.keys(patch).filter((field) => field !== 'currentPassword');
  const work = change(context, async (tx) => {
    // It may have been changed while this one was being checked.
    if (!(await holdAccount(tx, before))) throw unauthenticated('The password has just been changed; log in again');
    const account = (await updateAccount(tx, id, fresh)) ?? before;
    if (hash === undefined) {
      await note(context, tx, principal, { action: 'account.change', target: id, details: { fields } });
      return { account, session: undefined };
    }
    const endedSessions = await deleteSessions(tx, owner, { account: id });
    const session =
      principal.via === 'session' ? (await beginSession(tx, { owner, account: id }, caller)).secret : undefined;
    await note(context, tx, principal, { action: 'account.password', target: id, details: { fields, endedSessions } });
    return { account, session };
  });
  return await work.catch(async (error: unknown) => {
    // The database refuses an email that is taken, also to the later of two who want it at once.
    const other = email === undefined ? undefined : await findAccount(db, email);
    if (email === undefined || !other || other.id === id) throw error;
    throw new AppError('conflict', `Another account has the email ${email}; choose another one`);
  });
}

async function requireAccount({ db }: AuthContext, { account }: Principal): Promise<AccountRow> {
  const row = account === undefined ? undefined : await getAccount(db, account);
  if (!row)
    throw new AppError(
      'conflict',
      'You have no account here; log in with POST /api/auth/login, or make one with POST /api/auth/signup',
    );
  return row;
}

async function requirePassword(
  context: AuthContext,
  principal: Principal,
  { id, password_hash }: AccountRow,
  { password, currentPassword }: AccountPatch,
): Promise<void> {
  if (currentPassword === undefined)
    throw new AppError('forbidden', 'A new email or password needs currentPassword, the password of now');
  // Under its id: who is logged in is not held up by those who guess at the email.
  if (!(await attempt(context, 'login', id, () => verifyPassword(currentPassword, password_hash)))) {
    const action = password === undefined ? 'account.change' : 'account.password';
    await note(context, context.db, principal, { action, target: id, outcome: 'refused' });
    throw new AppError('forbidden', 'currentPassword is wrong: it must be the password of now');
  }
}
