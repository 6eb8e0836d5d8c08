import { z } from 'zod';
import { AUDIT_ACTIONS } from '../../audit/actions.ts';
import { AUDIT_OUTCOMES, listAudit } from '../../storage/audit.ts';
import { defineRoute } from '../route.ts';
import { Time } from '../schemas.ts';

const Name = z.string().max(200);
const Target = z.string().max(500);

const Entry = z
  .object({
    seq: z.int().describe('1, 2, 3 … without gaps.'),
    at: Time,
    owner: z.string().describe('Whose things it was about.'),
    actor: z.string().describe('An account’s id, `local`, `access-key`, or empty: a stranger.'),
    credential: z.string().describe('The id of the key or session; empty: none.'),
    action: z.enum(AUDIT_ACTIONS),
    target: z.string().describe('The id of what it was done to; empty: none.'),
    outcome: z.enum(AUDIT_OUTCOMES),
    address: z.string(),
    requestId: z.string(),
    details: z.record(z.string(), z.unknown()),
    hash: z.string().describe('SHA-256 of the entry and the hash of the one before it.'),
  })
  .meta({ id: 'AuditEntry' });

/** The audit log, for administrators: of everybody. */
export const auditRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/audit',
    tag: 'Audit',
    scope: 'admin',
    summary: 'Who did what, newest first',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      before: z.coerce.number().int().min(1).optional().describe('Entries with a smaller `seq` only.'),
      owner: Name.optional(),
      actor: Name.optional(),
      action: z.enum(AUDIT_ACTIONS).optional(),
      target: Target.optional(),
    }),
    response: z.object({
      entries: z.array(Entry),
      nextBefore: z.int().nullable().describe('`before` of the next page; null: this is the last.'),
    }),
    handle: ({ services, query }) => listAudit(services.database.db, query),
  }),
];
