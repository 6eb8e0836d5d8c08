import { NotFoundError } from '../errors.ts';
import { deleteSessions, listSessions, type SessionRow } from '../storage/sessions.ts';
import { isStorable } from '../storage/text.ts';
import { type AuthContext, change, note } from './context.ts';
import type { Principal } from './principal.ts';

/** The sessions of the caller's account, or those of the access key for callers without one; newest first. */
export async function listOwnSessions({ db }: AuthContext, { owner, account }: Principal): Promise<SessionRow[]> {
  const rows = await listSessions(db, owner);
  return rows.filter((row) => row.account === (account ?? null));
}

/**
 * Ends one of the caller's sessions, or all but the one that asks.
 * @returns how many. @throws NotFoundError if the one is not there.
 */
export async function endSessions(context: AuthContext, principal: Principal, id?: string): Promise<number> {
  const { owner, account = null, credential } = principal;
  if (id !== undefined && !isStorable(id)) throw new NotFoundError('Session', id);
  return await change(context, async (tx) => {
    const choice = id === undefined ? { except: credential } : { id };
    const ended = await deleteSessions(tx, owner, { ...choice, account });
    if (id !== undefined && ended === 0) throw new NotFoundError('Session', id);
    if (ended > 0) {
      await note(context, tx, principal, { action: 'session.revoke', target: id ?? '', details: { sessions: ended } });
    }
    return ended;
  });
}
