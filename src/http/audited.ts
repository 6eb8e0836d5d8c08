import type { AuditAction } from '../audit/actions.ts';
import { toAppError } from '../errors.ts';
import { appendAudit } from '../storage/audit.ts';
import type { RouteRequest } from './route.ts';

/** Who does it, from where, in which request. */
type Doer = Pick<RouteRequest<unknown, unknown, unknown>, 'services' | 'principal' | 'caller' | 'requestId'>;

/**
 * Does a deed that is written into the audit log before, so that no crash leaves one out; and once more if it fails.
 * What a stranger does is not written down.
 */
export async function audited<T>(
  { services, principal, caller, requestId }: Doer,
  { action, target, details = {} }: { action: AuditAction; target: string; details?: Record<string, unknown> },
  deed: () => T | Promise<T>,
): Promise<T> {
  if (!principal) return await deed();
  const { owner, actor, credential } = principal;
  const entry = { ...{ owner, actor, credential, address: caller.address, requestId }, action, target };
  const { db } = services.database;
  await appendAudit(db, { ...entry, outcome: 'begun', details });
  try {
    return await deed();
  } catch (error) {
    await appendAudit(db, { ...entry, outcome: 'failed', details: { code: toAppError(error).code } });
    throw error;
  }
}
