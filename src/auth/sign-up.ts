import { newId } from '../core/ids.ts';
import { AppError } from '../errors.ts';
import { type AccountRow, hasAccounts, insertAccount } from '../storage/accounts.ts';
import { takeInvite } from '../storage/invites.ts';
import { deleteSessionByHash } from '../storage/sessions.ts';
import { countSignUp } from './attempts.ts';
import { type AuthContext, change, note } from './context.ts';
import { unauthenticated } from './gate.ts';
import { hashPassword } from './passwords.ts';
import { LOCAL_OWNER, type Principal } from './principal.ts';
import { beginSession } from './sessions.ts';
import { hashOf } from './tokens.ts';

/** What an account is made of, validated; `email` in lower case. */
export interface SignUp {
  email: string;
  password: string;
  name: string;
  inviteCode?: string | undefined;
}

/** Somebody who is logged in: the account, and the secret of the new session's cookie. */
export interface LoggedIn {
  account: AccountRow;
  session: string;
}

/**
 * Makes an account and logs it in. The first one is the owner's, and made by whoever acts as the owner now: else the
 * first stranger to pass would be. Each later one uses up an invite.
 * @param principal who asks; undefined for a stranger. @param old as for `logIn`.
 * @throws AppError `unauthenticated`, `forbidden`, `conflict` for a taken email, `rate_limited`.
 */
export async function signUp(
  context: AuthContext,
  { email, password, name, inviteCode }: SignUp,
  principal: Principal | undefined,
  old: string | undefined,
): Promise<LoggedIn> {
  const { caller } = context;
  await countSignUp(context);
  const password_hash = await hashPassword(password);
  return await change(context, async (tx) => {
    const id = newId('usr');
    const isFirst = !(await hasAccounts(tx));
    if (isFirst) requireOwner(principal);
    const invite = isFirst ? undefined : await takeInvite(tx, hashOf(inviteCode ?? ''), email);
    if (!isFirst && !invite) throw uninvited(inviteCode);
    const owner = isFirst ? LOCAL_OWNER : id;
    const role = invite?.role ?? 'owner';
    const account = await insertAccount(tx, { id, owner, email, name, role, password_hash });
    // Somebody else's account may have become the first one just now.
    if (!account) throw isFirst ? uninvited(inviteCode) : taken(email);
    if (old !== undefined) await deleteSessionByHash(tx, hashOf(old));
    const session = await beginSession(tx, { owner, account: id }, caller);
    const actor = { owner, actor: id, credential: session.id };
    await note(context, tx, actor, { action: 'account.signup', target: id, details: { role, invite: invite?.id } });
    return { account, session: session.secret };
  });
}

function taken(email: string): AppError {
  return new AppError('conflict', `There is an account with the email ${email} already; log in with it`);
}

function requireOwner(principal: Principal | undefined): void {
  if (principal?.role === 'owner' && principal.via !== 'key') return;
  throw unauthenticated(
    'The first account is the owner’s: sign up from this machine while there is no access key, or else with the cookie of POST /api/auth/verify-access-key',
  );
}

function uninvited(code: string | undefined): AppError {
  return new AppError(
    'forbidden',
    code === undefined
      ? 'An inviteCode is needed: an admin makes one with POST /api/invites'
      : 'The invite code is not good: it was used or withdrawn, has expired, is for another email, or its maker is no admin any more; ask for a new one',
  );
}
