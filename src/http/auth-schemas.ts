import { z } from 'zod';
import { BUDGET_PERIODS, ROLES } from '../storage/access-schema.ts';
import type { AccountRow } from '../storage/accounts.ts';
import { Time } from './schemas.ts';

/** An address, in lower case: nobody's mailbox tells upper from lower. */
export const Email = z
  .email('must be an email address')
  .max(254, 'must have at most 254 characters')
  .transform((email) => email.toLowerCase());

/** NIST SP 800-63B: a length, and no rules on which characters. */
export const Password = z
  .string()
  .min(8, 'must have 8 characters or more')
  .max(1000, 'must have at most 1000 characters');

/** Requests a minute. */
export const RateLimit = z.int().min(1).max(1_000_000);

/** Bounds of what may be used in a period. */
export const BudgetInput = z
  .strictObject({
    usd: z.number().positive().max(1_000_000).optional(),
    tokens: z.int().min(1).max(1e12).optional(),
    period: z.enum(BUDGET_PERIODS).default('month').describe('By the calendar, in UTC.'),
  })
  .refine(({ usd, tokens }) => usd !== undefined || tokens !== undefined, 'needs usd or tokens');

/** A budget, and how much of it is used. */
export const BudgetState = z
  .object({
    usd: z.number().nullable(),
    tokens: z.int().nullable(),
    period: z.enum(BUDGET_PERIODS),
    usedUsd: z.number(),
    usedTokens: z.int(),
    resetsAt: Time.nullable().describe('Null: never.'),
  })
  .meta({ id: 'Budget' });

/** An account as it is shown. */
export const User = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    status: z.enum(['active', 'disabled']),
    rateLimit: z.int().nullable().describe('Requests a minute; null: the server’s PROFCLAW_USER_LIMIT.'),
    createdAt: Time,
    lastLoginAt: Time.nullable(),
  })
  .meta({ id: 'User' });

/** An account as it is shown. */
export function toUser(row: AccountRow): z.infer<typeof User> {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    status: row.status === 'active' ? 'active' : 'disabled',
    rateLimit: row.rate_limit,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
  };
}
