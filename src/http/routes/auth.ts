import { z } from 'zod';
import { hasAccessKey } from '../../auth/access-key.ts';
import { changeAccount } from '../../auth/change-account.ts';
import { logIn, logOut } from '../../auth/log-in.ts';
import { isEverything, SCOPES } from '../../auth/scopes.ts';
import { setAccessKey, verifyAccessKey } from '../../auth/set-access-key.ts';
import { signUp } from '../../auth/sign-up.ts';
import { AppError } from '../../errors.ts';
import { ROLES } from '../../storage/access-schema.ts';
import { getAccount, hasAccounts } from '../../storage/accounts.ts';
import { getBudget } from '../../storage/budgets.ts';
import { authContext, knownPrincipal } from '../auth-context.ts';
import { BudgetState, Email, Password, toUser, User } from '../auth-schemas.ts';
import { defineRoute } from '../route.ts';
import { text } from '../schemas.ts';

const TAG = 'Access';

const Done = z.object({ message: z.string() });
const WithUser = z.object({ user: User });

const AccessKey = z
  .string()
  .min(16, 'must have 16 characters or more; openssl rand -hex 16 makes one')
  .max(1000, 'must have at most 1000 characters');

const signup = defineRoute({
  method: 'post',
  path: '/api/auth/signup',
  scope: 'public',
  tag: TAG,
  summary: 'Make an account and log in',
  description:
    'The first account is the owner’s, takes over what is there already, and locks the server: from then on everybody needs a credential. It is made from the server’s own machine, or by whoever has the access key. Every later one needs an invite.',
  body: z.strictObject({ email: Email, password: Password, name: text(200), inviteCode: text(200).optional() }),
  status: 201,
  response: WithUser,
  errors: ['unauthenticated', 'conflict', 'rate_limited', 'overloaded'],
  handle: async (request) => {
    const { body, principal, session: old } = request;
    const { account, session } = await signUp(authContext(request), body, principal, old);
    request.setSession(session);
    return { user: toUser(account) };
  },
});

const login = defineRoute({
  method: 'post',
  path: '/api/auth/login',
  scope: 'public',
  tag: TAG,
  summary: 'Log in; the answer sets the cookie profclaw_session',
  body: z.strictObject({ email: Email, password: z.string().max(1000) }),
  response: WithUser,
  errors: ['unauthenticated', 'rate_limited', 'overloaded'],
  handle: async (request) => {
    const { account, session } = await logIn(authContext(request), request.body, request.session);
    request.setSession(session);
    return { user: toUser(account) };
  },
});

const logout = defineRoute({
  method: 'post',
  path: '/api/auth/logout',
  scope: 'public',
  tag: TAG,
  summary: 'End the session of the cookie',
  response: Done,
  handle: async (request) => {
    if (request.session !== undefined) await logOut(authContext(request), request.session);
    request.setSession(undefined);
    return { message: 'Logged out' };
  },
});

const status = defineRoute({
  method: 'get',
  path: '/api/auth/status',
  scope: 'public',
  tag: TAG,
  summary: 'How one can come in; for a page that must ask',
  response: z.object({
    mode: z.enum(['local', 'locked']).describe('local: programs of this machine need no credential.'),
    accounts: z.boolean().describe('Somebody has signed up, so that one can log in.'),
    accessKey: z.boolean(),
  }),
  handle: async ({ services: { gate, database } }) => ({
    mode: (await gate.isLocked()) ? ('locked' as const) : ('local' as const),
    accounts: await hasAccounts(database.db),
    accessKey: await hasAccessKey(database.db),
  }),
});

const me = defineRoute({
  method: 'get',
  path: '/api/auth/me',
  scope: 'any',
  tag: TAG,
  summary: 'Who the caller is, and what the caller may do',
  response: z.object({
    user: User.nullable().describe('Null: a caller without an account.'),
    budget: BudgetState.nullable().describe('Of the account.'),
    via: z.enum(['local', 'session', 'key']),
    role: z.enum(ROLES),
    scopes: z.array(z.enum(SCOPES)),
  }),
  handle: async (request) => {
    const { account, via, role, scopes } = knownPrincipal(request);
    const { db } = request.services.database;
    const row = account === undefined ? undefined : await getAccount(db, account);
    const budget = row && (await getBudget(db, row.owner, row.id));
    return { user: row ? toUser(row) : null, budget: budget ?? null, via, role, scopes };
  },
});

const patchMe = defineRoute({
  method: 'patch',
  path: '/api/auth/me',
  scope: 'person',
  tag: TAG,
  summary: 'Change one’s own account',
  description:
    'A new email or password needs the current password. A new password ends all sessions; the answer sets the cookie of a new one.',
  body: z.strictObject({
    name: text(200).optional(),
    email: Email.optional(),
    password: Password.optional(),
    currentPassword: z.string().max(1000).optional(),
  }),
  response: WithUser,
  errors: ['conflict', 'rate_limited', 'overloaded'],
  handle: async (request) => {
    const { account, session } = await changeAccount(authContext(request), knownPrincipal(request), request.body);
    if (session !== undefined) request.setSession(session);
    return { user: toUser(account) };
  },
});

const verify = defineRoute({
  method: 'post',
  path: '/api/auth/verify-access-key',
  scope: 'public',
  tag: TAG,
  summary: 'Come in with the access key; the answer sets the cookie profclaw_session',
  body: z.strictObject({ key: z.string().max(1000) }),
  response: z.object({ success: z.literal(true), message: z.string() }),
  errors: ['unauthenticated', 'rate_limited', 'overloaded'],
  handle: async (request) => {
    request.setSession(await verifyAccessKey(authContext(request), request.body.key, request.session));
    return { success: true, message: 'The access key is right' };
  },
});

const accessKey = defineRoute({
  method: 'put',
  path: '/api/auth/access-key',
  scope: 'person',
  tag: TAG,
  summary: 'Set the access key, or take it away (null); the owner’s',
  description: 'With an access key the server is locked. Sessions that were begun with the old one end.',
  body: z.strictObject({ key: AccessKey.nullable() }),
  response: Done,
  errors: ['conflict', 'overloaded'],
  handle: async (request) => {
    const principal = knownPrincipal(request);
    if (principal.role !== 'owner') throw new AppError('forbidden', 'The access key is the owner’s to set');
    // Whoever has it may do everything.
    if (!isEverything(principal.scopes))
      throw new AppError('forbidden', `An API key needs every scope to set the access key: ${SCOPES.join(', ')}`);
    const { isReachable } = request.services.config.access;
    const { key } = request.body;
    const session = await setAccessKey(authContext(request), principal, key, isReachable);
    if (session !== undefined) request.setSession(session);
    return { message: key === null ? 'There is no access key any more' : 'The access key is set' };
  },
});

/** Accounts, logging in and out, and the access key. */
export const authRoutes = [signup, login, logout, status, me, patchMe, verify, accessKey];
