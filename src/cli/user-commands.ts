import { createInvite, revokeInvite } from '../auth/invites.ts';
import { changeUser, deleteUser, type UserPatch } from '../auth/users.ts';
import { type AccountRow, hasAccounts, listAccounts } from '../storage/accounts.ts';
import { type InviteRow, listInvites } from '../storage/invites.ts';
import { confirm } from './ask.ts';
import { withExistingDatabase } from './existing-database.ts';
import { wrongUse } from './exit-codes.ts';
import { accountOf, commandContext, OPERATOR } from './operator.ts';
import { toMinute, writeJson, writeTable } from './table.ts';
import { type Terminal, writeLine } from './terminal.ts';
import type { InviteOptions } from './users.ts';

const MOST_ACCOUNTS = 10_000;
/** As the API takes them: a name, an @, and a domain with a dot. */
const EMAIL = /^[^\s@]{1,64}@[^\s@]+\.[^\s@]+$/;

/** Lists accounts. @throws Error for a person */
export async function listUsersCommand(terminal: Terminal, { json }: { json?: boolean }): Promise<void> {
  const { rows } = await withExistingDatabase(terminal.config(), 'accounts', (db) =>
    listAccounts(db, { limit: MOST_ACCOUNTS, offset: 0 }),
  );
  const users = rows.map(userOf);
  if (json) return writeJson(terminal, users);
  writeTable(
    terminal,
    [
      { heading: 'EMAIL', of: ({ email }) => email, isWhole: true },
      { heading: 'NAME', of: ({ name }) => name || null },
      { heading: 'ROLE', of: ({ role }) => role },
      { heading: 'STATUS', of: ({ status }) => status },
      { heading: 'LIMIT', of: ({ rateLimit }) => (rateLimit === null ? null : `${rateLimit}/min`) },
      { heading: 'LAST LOGIN', of: ({ lastLoginAt }) => toMinute(lastLoginAt) ?? 'never' },
    ],
    users,
    'There are no accounts: programs and browsers of this machine act as the owner. Sign up on the page to change that.',
  );
}

/** Makes an invite; its code is all that goes to standard output. @throws Error for a person, AppError */
export async function inviteCommand(
  terminal: Terminal,
  { role, email: given, expires, json }: InviteOptions,
): Promise<void> {
  const email = given?.toLowerCase();
  if (email !== undefined && !EMAIL.test(email)) throw wrongUse(`${given} is not an email address`);
  const config = terminal.config();
  const { invite, code } = await withExistingDatabase(config, 'invites', async (db) => {
    if (!(await hasAccounts(db)))
      throw new Error('there are no accounts yet, and the first one needs no invite: sign up on the page');
    return await createInvite(commandContext(config, db), OPERATOR, { role, email, expiresInDays: expires });
  });
  if (json) return writeJson(terminal, { invite: inviteOf(invite), code });
  const whose = email === undefined ? 'whoever has it' : email;
  terminal.error.write(
    `${invite.id} lets ${whose} sign up as ${role} until ${toMinute(invite.expires_at)} UTC. Its code is shown this once:\n`,
  );
  writeLine(terminal, code);
}

/** Lists invites that nobody has used. @throws Error for a person */
export async function listInvitesCommand(terminal: Terminal, { json }: { json?: boolean }): Promise<void> {
  const rows = await withExistingDatabase(terminal.config(), 'invites', listInvites);
  const invites = rows.map(inviteOf);
  if (json) return writeJson(terminal, invites);
  writeTable(
    terminal,
    [
      { heading: 'ID', of: ({ id }) => id, isWhole: true },
      { heading: 'ROLE', of: ({ role }) => role },
      { heading: 'FOR', of: ({ email }) => email ?? 'anybody' },
      { heading: 'EXPIRES', of: ({ expiresAt }) => toMinute(expiresAt) },
    ],
    invites,
    'There are no invites; `profclaw users invite` makes one.',
  );
}

/** Withdraws an invite. @throws Error for a person, NotFoundError */
export async function uninviteCommand(terminal: Terminal, id: string): Promise<void> {
  const config = terminal.config();
  await withExistingDatabase(config, 'invites', (db) => revokeInvite(commandContext(config, db), OPERATOR, id));
  writeLine(terminal, `${id} is withdrawn`);
}

/** Changes the role of an account, or whether it may come in. @throws Error for a person, AppError */
export async function changeUserCommand(terminal: Terminal, email: string, patch: UserPatch): Promise<void> {
  const config = terminal.config();
  const { role, status } = await withExistingDatabase(config, 'accounts', async (db) => {
    const { id } = await accountOf(db, email);
    return await changeUser(commandContext(config, db), OPERATOR, id, patch);
  });
  writeLine(terminal, `${email} is ${patch.role === undefined ? status : `now ${role}`}`);
}

/** Deletes an account, once that was confirmed. @throws Error for a person, AppError */
export async function removeUserCommand(terminal: Terminal, email: string, { yes }: { yes?: boolean }): Promise<void> {
  const config = terminal.config();
  await withExistingDatabase(config, 'accounts', async (db) => {
    const { id } = await accountOf(db, email);
    if (!yes) await confirm(terminal, `This deletes ${email} with all conversations, runs and keys.`);
    await deleteUser(commandContext(config, db), OPERATOR, id);
  });
  writeLine(terminal, `${email} is deleted; a server removes what it owned soon after`);
}

interface UserView {
  id: string;
  email: string;
  name: string;
  role: string;
  status: string;
  rateLimit: number | null;
  createdAt: string;
  lastLoginAt: string | null;
}

/** As the API shows it. */
function userOf({ id, email, name, role, status, ...row }: AccountRow): UserView {
  const { rate_limit: rateLimit, created_at: createdAt, last_login_at: lastLoginAt } = row;
  return { id, email, name, role, status, rateLimit, createdAt, lastLoginAt };
}

interface InviteView {
  id: string;
  role: string;
  email: string | null;
  createdAt: string;
  expiresAt: string;
}

function inviteOf({ id, role, email, created_at: createdAt, expires_at: expiresAt }: InviteRow): InviteView {
  return { id, role, email, createdAt, expiresAt };
}
