import { z } from 'zod';
import { createKey, revokeKey } from '../../auth/keys.ts';
import { SCOPES } from '../../auth/scopes.ts';
import { type KeyRow, listKeys } from '../../storage/api-keys.ts';
import { type BudgetView, getBudget, getBudgets } from '../../storage/budgets.ts';
import { authContext, knownPrincipal } from '../auth-context.ts';
import { BudgetInput, BudgetState, RateLimit } from '../auth-schemas.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, Paging, Time, text } from '../schemas.ts';

const TAG = 'Access';
const Scopes = z.array(z.enum(SCOPES));

const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    hint: z.string().describe('How the secret begins.'),
    scopes: Scopes,
    rateLimit: z.int().nullable().describe('Requests a minute.'),
    budget: BudgetState.nullable(),
    createdAt: Time,
    expiresAt: Time.nullable(),
    lastUsedAt: Time.nullable().describe('To the minute.'),
  })
  .meta({ id: 'ApiKey' });

/** API keys of one's own. */
export const keyRoutes = [
  defineRoute({
    method: 'post',
    path: '/api/keys',
    scope: 'person',
    tag: TAG,
    summary: 'Make an API key; its secret is shown this once',
    description:
      'It acts as its maker, within its scopes. It takes no Idempotency-Key: the answer would have to be kept.',
    body: z.strictObject({
      name: text(200),
      scopes: Scopes.min(1, 'must name a scope at least'),
      expiresInDays: z.int().min(1).max(3650).optional().describe('Absent: never.'),
      rateLimit: RateLimit.optional().describe('Requests a minute.'),
      budget: BudgetInput.optional(),
    }),
    status: 201,
    response: z.object({ key: Key, secret: z.string().describe('For Authorization: Bearer. It is not kept.') }),
    handle: async (request) => {
      const principal = knownPrincipal(request);
      const { key, secret } = await createKey(authContext(request), principal, request.body);
      const budget = await getBudget(request.services.database.db, principal.owner, key.id);
      return { key: toKey(key, budget), secret };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/keys',
    scope: 'person',
    tag: TAG,
    summary: 'One’s own API keys, newest first',
    query: z.strictObject(Paging),
    response: z.object({ keys: z.array(Key), total: z.int() }),
    handle: async (request) => {
      const { owner, services, query } = request;
      const { rows, total } = await listKeys(services.database.db, owner, query);
      const ids = rows.map(({ id }) => id);
      const budgets = await getBudgets(services.database.db, owner, ids);
      return { keys: rows.map((row) => toKey(row, budgets.get(row.id))), total };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/keys/{id}',
    scope: 'person',
    tag: TAG,
    summary: 'Revoke an API key, from now on',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async (request) => {
      await revokeKey(authContext(request), knownPrincipal(request), request.params.id);
      return { message: 'API key revoked' };
    },
  }),
];

function toKey(row: KeyRow, budget: BudgetView | undefined): z.infer<typeof Key> {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    scopes: JSON.parse(row.scopes),
    rateLimit: row.rate_limit,
    budget: budget ?? null,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}
