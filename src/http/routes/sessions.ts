import { z } from 'zod';
import { endSessions, listOwnSessions } from '../../auth/own-sessions.ts';
import { authContext, knownPrincipal } from '../auth-context.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema, IdParams, Time } from '../schemas.ts';

const TAG = 'Access';

const Session = z
  .object({
    id: z.string(),
    current: z.boolean().describe('The one that asks.'),
    address: z.string(),
    userAgent: z.string(),
    createdAt: Time,
    lastSeenAt: Time.describe('To the minute.'),
    expiresAt: Time.describe('30 days after it was last used.'),
  })
  .meta({ id: 'Session' });

/** One's own sessions. */
export const sessionRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/auth/sessions',
    scope: 'person',
    tag: TAG,
    summary: 'One’s own sessions, newest first',
    response: z.object({ sessions: z.array(Session) }),
    handle: async (request) => {
      const principal = knownPrincipal(request);
      const rows = await listOwnSessions(authContext(request), principal);
      return {
        sessions: rows.map((row) => ({
          id: row.id,
          current: row.id === principal.credential,
          address: row.address,
          userAgent: row.user_agent,
          createdAt: row.created_at,
          lastSeenAt: row.last_seen_at,
          expiresAt: row.expires_at,
        })),
      };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/auth/sessions',
    scope: 'person',
    tag: TAG,
    summary: 'End all of one’s own sessions but the one that asks',
    response: DeletedSchema.extend({ ended: z.int() }),
    handle: async (request) => {
      const ended = await endSessions(authContext(request), knownPrincipal(request));
      return { message: 'Sessions ended', ended };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/api/auth/sessions/{id}',
    scope: 'person',
    tag: TAG,
    summary: 'End one of one’s own sessions',
    params: IdParams,
    response: DeletedSchema,
    errors: ['not_found'],
    handle: async (request) => {
      await endSessions(authContext(request), knownPrincipal(request), request.params.id);
      return { message: 'Session ended' };
    },
  }),
];
