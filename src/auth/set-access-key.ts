import { AppError } from '../errors.ts';
import { hasAccounts } from '../storage/accounts.ts';
import { deleteSessionByHash } from '../storage/sessions.ts';
import { holdAccessKey, isAccessKeyFixed, matchAccessKey, replaceAccessKey } from './access-key.ts';
import { attempt } from './attempts.ts';
import { type AuthContext, change, note, STRANGER } from './context.ts';
import { hashPassword } from './passwords.ts';
import { LOCAL_OWNER, type Principal } from './principal.ts';
import { beginSession } from './sessions.ts';
import { hashOf } from './tokens.ts';

/** Whoever has the access key acts as the owner. */
const HOLDER = { owner: LOCAL_OWNER, account: null };

/**
 * Begins a session of whoever has the access key. @param old as for `logIn`.
 * @returns the secret of the session's cookie. @throws AppError `unauthenticated`, `rate_limited`.
 */
export async function verifyAccessKey(context: AuthContext, key: string, old: string | undefined): Promise<string> {
  const { db, caller } = context;
  const hash = await attempt(context, 'verify', 'access-key', () => matchAccessKey(db, key));
  if (hash === undefined) {
    await note(context, db, STRANGER, { action: 'access_key.verify', outcome: 'refused' });
    throw notTheKey();
  }
  return await change(context, async (tx) => {
    // It may have been changed while this one was being checked.
    if (!(await holdAccessKey(tx, hash))) throw notTheKey();
    if (old !== undefined) await deleteSessionByHash(tx, hashOf(old));
    const { id, secret } = await beginSession(tx, HOLDER, caller);
    const actor = { owner: LOCAL_OWNER, actor: 'access-key', credential: id };
    await note(context, tx, actor, { action: 'access_key.verify' });
    return secret;
  });
}

/**
 * Sets or takes away the access key; sessions that were begun with the old one end.
 * @param isReachable other machines can connect.
 * @returns the secret of a new session if the caller would be locked out without one.
 * @throws AppError `conflict` if the environment sets it, or if nothing would keep strangers out.
 */
export async function setAccessKey(
  context: AuthContext,
  principal: Principal,
  key: string | null,
  isReachable: boolean,
): Promise<string | undefined> {
  const { db, caller } = context;
  if (await isAccessKeyFixed(db))
    throw new AppError('conflict', 'The access key is set by PROFCLAW_ACCESS_KEY; change it there and restart');
  const hash = key === null ? undefined : await hashPassword(key);
  return await change(context, async (tx) => {
    if (hash === undefined && isReachable && !(await hasAccounts(tx)))
      throw new AppError(
        'conflict',
        'Without the access key nobody could come in: other machines can connect to this server, and there are no accounts; sign up first',
      );
    await replaceAccessKey(tx, hash === undefined ? undefined : { hash, isFromEnvironment: false });
    const isLockedOut = hash !== undefined && principal.account === undefined && principal.via !== 'key';
    const session = isLockedOut ? (await beginSession(tx, HOLDER, caller)).secret : undefined;
    const action = hash === undefined ? 'access_key.remove' : 'access_key.set';
    await note(context, tx, principal, { action });
    return session;
  });
}

function notTheKey(): AppError {
  return new AppError('unauthenticated', 'This is not the access key');
}
