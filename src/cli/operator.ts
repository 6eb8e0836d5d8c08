import type { Kysely } from 'kysely';
import type { AuthContext } from '../auth/context.ts';
import { Gate } from '../auth/gate.ts';
import { LOCAL_OWNER, LOCAL_PRINCIPAL, type Principal } from '../auth/principal.ts';
import { scopesOf } from '../auth/scopes.ts';
import type { Config } from '../config.ts';
import { BackOff } from '../limits/back-off.ts';
import { MemoryLimiter } from '../limits/memory-limiter.ts';
import { type AccountRow, findAccount } from '../storage/accounts.ts';
import { COMMAND_LINE } from '../storage/audit.ts';
import type { Schema } from '../storage/schema.ts';

/** What the verbs of `auth/` work with when it is a command that calls them. A running server notices within a second. */
export function commandContext(config: Config, db: Kysely<Schema>): AuthContext {
  const kind = config.databaseUrl === undefined ? 'sqlite' : 'postgres';
  return {
    db,
    gate: new Gate({ db, kind }, config.access.isReachable),
    limiter: new MemoryLimiter(),
    backOff: new BackOff(db),
    caller: { address: COMMAND_LINE.address, userAgent: '', requestId: COMMAND_LINE.requestId },
  };
}

/** Whoever has the machine: the owner, in the audit log as the command line. */
export const OPERATOR: Principal = { ...LOCAL_PRINCIPAL, actor: COMMAND_LINE.actor };

/**
 * The operator, acting for an account.
 * @param email whose; absent: the owner's, or whoever uses the server as long as there are no accounts.
 * @throws Error for a person if there is no such account
 */
export async function operatorFor(db: Kysely<Schema>, email: string | undefined): Promise<Principal> {
  if (email !== undefined) return actingFor(await accountOf(db, email));
  const first = await db.selectFrom('accounts').selectAll().where('owner', '=', LOCAL_OWNER).executeTakeFirst();
  return first ? actingFor(first) : OPERATOR;
}

/** The account with an email. @throws Error for a person if there is none */
export async function accountOf(db: Kysely<Schema>, email: string): Promise<AccountRow> {
  const account = await findAccount(db, email.toLowerCase());
  if (!account) throw new Error(`there is no account with the email ${email}; \`profclaw users list\` shows them`);
  return account;
}

function actingFor({ id, owner, role }: AccountRow): Principal {
  return { ...OPERATOR, owner, account: id, role, scopes: scopesOf(role) };
}
