import { AppError } from '../errors.ts';
import { findAccount, holdAccount, updateAccount } from '../storage/accounts.ts';
import { timestamp } from '../storage/rows.ts';
import { deleteSessionByHash, findSession } from '../storage/sessions.ts';
import { attempt } from './attempts.ts';
import { type AuthContext, change, note, STRANGER } from './context.ts';
import { verifyPassword } from './passwords.ts';
import { beginSession } from './sessions.ts';
import type { LoggedIn } from './sign-up.ts';
import { hashOf } from './tokens.ts';

/**
 * Logs an account in. An unknown email and a wrong password are one and the same to the caller, also in time.
 * @param old the secret of the session that the browser has now, which ends.
 * @throws AppError `unauthenticated`, `rate_limited`.
 */
export async function logIn(
  context: AuthContext,
  { email, password }: { email: string; password: string },
  old: string | undefined,
): Promise<LoggedIn> {
  const { db, caller } = context;
  const found = await findAccount(db, email);
  const account = found?.status === 'active' ? found : undefined;
  const look = () => verifyPassword(password, account?.password_hash);
  if (!(await attempt(context, 'login', email, look)) || !account) {
    const deed = { action: 'account.login', outcome: 'refused', target: found?.id ?? '' } as const;
    await note(context, db, STRANGER, deed);
    throw wrong();
  }
  return await change(context, async (tx) => {
    const { id, owner } = account;
    // It may have been changed while this one was being checked.
    if (!(await holdAccount(tx, account))) throw wrong();
    if (old !== undefined) await deleteSessionByHash(tx, hashOf(old));
    const session = await beginSession(tx, { owner, account: id }, caller);
    const now = await updateAccount(tx, id, { last_login_at: timestamp() });
    await note(context, tx, { owner, actor: id, credential: session.id }, { action: 'account.login', target: id });
    return { account: now ?? account, session: session.secret };
  });
}

function wrong(): AppError {
  return new AppError('unauthenticated', 'The email or the password is wrong');
}

/** Ends the session with this secret, if there is one. */
export async function logOut(context: AuthContext, secret: string): Promise<void> {
  // Whoever sends anything shall not make everybody else be looked up again.
  if (!(await findSession(context.db, hashOf(secret)))) return;
  await change(context, async (tx) => {
    const ended = await deleteSessionByHash(tx, hashOf(secret));
    if (!ended) return;
    const actor = { owner: ended.owner, actor: ended.account ?? 'access-key', credential: ended.id };
    await note(context, tx, actor, { action: 'account.logout', target: ended.id });
  });
}
