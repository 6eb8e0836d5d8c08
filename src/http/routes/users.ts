import { z } from 'zod';
import { createInvite, revokeInvite } from '../../auth/invites.ts';
import { changeUser, deleteUser, requireUser } from '../../auth/users.ts';
import { listAccounts } from '../../storage/accounts.ts';
import { getBudget } from '../../storage/budgets.ts';
import { type InviteRow, listInvites } from '../../storage/invites.ts';
import { authContext, knownPrincipal } from '../auth-context.ts';
import { BudgetInput, BudgetState, Email, RateLimit, toUser, User } from '../auth-schemas.ts';
import { defineRoute, type RouteRequest } from '../route.ts';
import { DeletedSchema, IdParams, Paging, Time, text } from '../schemas.ts';

const TAG = 'Users';
const INVITE_DAYS = 7;

const Role = z.enum(['admin', 'member']);
const WithBudget = User.extend({ budget: BudgetState.nullable() }).meta({ id: 'UserWithBudget' });

const Invite = z
  .object({
    id: z.string(),
    role: z.enum(['owner', 'admin', 'member']),
    email: z.string().nullable().describe('Null: whoever has the code.'),
    createdAt: Time,
    expiresAt: Time,
  })
  .meta({ id: 'Invite' });

const userRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/users',
    scope: 'admin',
    tag: TAG,
    summary: 'All accounts, oldest first',
    query: z.strictObject(Paging),
    response: z.object({ users: z.array(User), total: z.int() }),
    handle: async ({ services, query }) => {
      const { rows, total } = await listAccounts(services.database.db, query);
      return { users: rows.map(toUser), total };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/users/{id}',
    scope: 'admin',
    tag: TAG,
    summary: 'One account with its budget',
    params: IdParams,
    response: z.object({ user: WithBudget }),
    errors: ['not_found'],
    handle: async (request) => ({ user: await withBudget(request, request.params.id) }),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/users/{id}',
    scope: 'admin',
    tag: TAG,
    summary: 'Change an account: its role, its limits, whether it may come in',
    description: 'Null takes a limit away. Only the owner makes and changes admins.',
    params: IdParams,
    body: z.strictObject({
      role: Role.optional(),
      disabled: z.boolean().optional(),
      rateLimit: RateLimit.nullable().optional().describe('Requests a minute.'),
      budget: BudgetInput.nullable().optional(),
    }),
    response: z.object({ user: WithBudget }),
    errors: ['not_found'],
    handle: async (request) => {
      const { id } = request.params;
      await changeUser(authContext(request), knownPrincipal(request), id, request.body);
      return { user: await withBudget(request, id) };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/users/{id}',
    scope: 'admin',
    tag: TAG,
    summary: 'Delete an account with everything that it owns',
    description: 'It is out at once; its rows are removed soon after.',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async (request) => {
      await deleteUser(authContext(request), knownPrincipal(request), request.params.id);
      return { message: 'User deleted' };
    },
  }),
];

const inviteRoutes = [
  defineRoute({
    method: 'post',
    path: '/api/invites',
    scope: 'admin',
    tag: TAG,
    summary: 'Make an invite; its code is shown this once',
    body: z.strictObject({
      role: Role.default('member'),
      email: Email.optional().describe('Only this one may use it.'),
      expiresInDays: z.int().min(1).max(365).default(INVITE_DAYS),
    }),
    status: 201,
    response: z.object({ invite: Invite, code: text(200).describe('The inviteCode of POST /api/auth/signup.') }),
    handle: async (request) => {
      const { invite, code } = await createInvite(authContext(request), knownPrincipal(request), request.body);
      return { invite: toInvite(invite), code };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/invites',
    scope: 'admin',
    tag: TAG,
    summary: 'Invites that nobody has used, newest first',
    response: z.object({ invites: z.array(Invite) }),
    handle: async ({ services }) => ({ invites: (await listInvites(services.database.db)).map(toInvite) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/invites/{id}',
    scope: 'admin',
    tag: TAG,
    summary: 'Withdraw an invite',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async (request) => {
      await revokeInvite(authContext(request), knownPrincipal(request), request.params.id);
      return { message: 'Invite withdrawn' };
    },
  }),
];

/** What admins do: accounts and invites. */
export const adminRoutes = [...userRoutes, ...inviteRoutes];

async function withBudget(
  request: RouteRequest<unknown, unknown, unknown>,
  id: string,
): Promise<z.infer<typeof WithBudget>> {
  const { db } = request.services.database;
  const user = await requireUser({ db }, id);
  const budget = await getBudget(db, user.owner, id);
  return { ...toUser(user), budget: budget ?? null };
}

function toInvite(row: InviteRow): z.infer<typeof Invite> {
  return { id: row.id, role: row.role, email: row.email, createdAt: row.created_at, expiresAt: row.expires_at };
}
