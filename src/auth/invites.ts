import { newId } from '../core/ids.ts';
import { NotFoundError } from '../errors.ts';
import { deleteInvite, type InviteRow, insertInvite } from '../storage/invites.ts';
import { timestamp } from '../storage/rows.ts';
import { type AuthContext, change, note } from './context.ts';
import type { Principal } from './principal.ts';
import { hashOf, newSecret } from './tokens.ts';
import { requireEverything } from './users.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** An invite to be made. */
export interface NewInvite {
  role: 'admin' | 'member';
  /** In lower case; absent: whoever has the code. */
  email?: string | undefined;
  expiresInDays: number;
}

/** Makes an invite. @returns it, and its code, which is not kept. @throws AppError `forbidden` for an admin's unless one is the owner. */
export async function createInvite(
  context: AuthContext,
  principal: Principal,
  { role, email, expiresInDays }: NewInvite,
): Promise<{ invite: InviteRow; code: string }> {
  if (role === 'admin') requireEverything(principal);
  const code = newSecret();
  const invite: InviteRow = {
    id: newId('invite'),
    owner: principal.owner,
    hash: hashOf(code),
    role,
    email: email ?? null,
    created_at: timestamp(),
    expires_at: new Date(Date.now() + expiresInDays * DAY_MS).toISOString(),
  };
  await change(context, async (tx) => {
    await insertInvite(tx, invite);
    await note(context, tx, principal, { action: 'invite.create', target: invite.id, details: { role, email } });
  });
  return { invite, code };
}

/** Withdraws an invite that nobody has used. @throws NotFoundError */
export async function revokeInvite(context: AuthContext, principal: Principal, id: string): Promise<void> {
  await change(context, async (tx) => {
    if (!(await deleteInvite(tx, id))) throw new NotFoundError('Invite', id);
    await note(context, tx, principal, { action: 'invite.revoke', target: id });
  });
}
