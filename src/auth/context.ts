import type { Kysely } from 'kysely';
import type { AuditAction } from '../audit/actions.ts';
import type { BackOff } from '../limits/back-off.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import { appendAudit } from '../storage/audit.ts';
import type { Schema } from '../storage/schema.ts';
import type { Gate } from './gate.ts';
import type { Principal } from './principal.ts';
import type { Origin } from './sessions.ts';

/** What the verbs of this folder work with, for one request. */
export interface AuthContext {
  db: Kysely<Schema>;
  gate: Gate;
  limiter: RateLimiter;
  backOff: BackOff;
  /** From where the request comes. */
  caller: Origin & { requestId: string };
}

/** Changes who may come in, all or nothing; nobody is let in by what was so before. */
export async function change<T>(
  { db, gate }: Pick<AuthContext, 'db' | 'gate'>,
  work: (tx: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  try {
    return await db.transaction().execute(work);
  } finally {
    gate.changed();
  }
}

/** Who did something. A stranger has neither name nor credential. */
export type Actor = Pick<Principal, 'owner' | 'actor' | 'credential'>;

/** Nobody known. */
export const STRANGER: Actor = { owner: '', actor: '', credential: '' };

/** Writes down that something was done, in the transaction that does it, and last: the log is locked from then on. */
export async function note(
  { caller }: Pick<AuthContext, 'caller'>,
  tx: Kysely<Schema>,
  { owner, actor, credential }: Actor,
  deed: { action: AuditAction; target?: string; outcome?: 'done' | 'refused'; details?: Record<string, unknown> },
): Promise<void> {
  const { address, requestId } = caller;
  await appendAudit(tx, { owner, actor, credential, address, requestId, target: '', outcome: 'done', ...deed });
}
