import type { Kysely } from 'kysely';
import { NotFoundError } from '../errors.ts';
import { findAccount, updateAccount } from '../storage/accounts.ts';
import { appendAudit, COMMAND_LINE } from '../storage/audit.ts';
import type { Schema } from '../storage/schema.ts';
import { deleteSessions } from '../storage/sessions.ts';
import { hashPassword } from './passwords.ts';
import { newSecret } from './tokens.ts';

/**
 * Gives an account a new password without the old one, for whoever has the machine; all its sessions end.
 * @returns the password, which is not kept. @throws NotFoundError
 */
export async function resetPassword(db: Kysely<Schema>, email: string): Promise<string> {
  const password = newSecret();
  const password_hash = await hashPassword(password);
  await db.transaction().execute(async (tx) => {
    const account = await findAccount(tx, email.toLowerCase());
    if (!account) throw new NotFoundError('Account', email, 'accounts are found by their email');
    const { id, owner } = account;
    await updateAccount(tx, id, { password_hash });
    const endedSessions = await deleteSessions(tx, owner, { account: id });
    const deed = { action: 'account.password', target: id, outcome: 'done', details: { endedSessions } } as const;
    await appendAudit(tx, { ...COMMAND_LINE, ...deed });
  });
  return password;
}
