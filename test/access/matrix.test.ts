import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineRoute } from '../../src/http/route.ts';
import { INTERFACE } from '../../src/interface.ts';
import { inOurForm } from '../error-form.ts';
import type { Json } from '../server.ts';
import { ACCESS_KEY, invitePeople, makeCredentials, PASSWORD, type People } from './matrix-callers.ts';
import { fill, type Operation, operationsOf, sampleBody } from './matrix-requests.ts';
import { CALLERS, type CallerName, type CallerRow, type MatrixScope, SCOPE_OF } from './matrix-scopes.ts';
import {
  type Answer,
  type Credential,
  type OpenServer,
  onBothDatabases,
  ownAddress,
  startOpenServer,
} from './matrix-server.ts';
import { addMember, type Ids, Things } from './matrix-things.ts';

const ROUTES = INTERFACE.routes;

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path.replace('+}', '}')}`;

describe('a route says who may call it', () => {
  it('or it does not compile', () => {
    const common = {
      method: 'get',
      path: '/api/x',
      tag: 'X',
      summary: 'X',
      response: z.string(),
      handle: () => '',
    } as const;
    // @ts-expect-error: it has no scope
    const without = defineRoute({ ...common });
    // @ts-expect-error: there is no such scope
    const unknown = defineRoute({ ...common, scope: 'everybody' });
    expect([without.scope, unknown.scope]).toEqual([undefined, 'everybody']);
  });

  it('and says what was decided', () => {
    expect(Object.fromEntries(ROUTES.map((route) => [nameOf(route), route.scope]))).toEqual(
      Object.fromEntries(SCOPE_OF),
    );
  });
});

/** A server and everybody who calls it. */
interface Stage {
  server: OpenServer;
  document: Json;
  operations: Operation[];
  people: People;
  credentials: Record<CallerName, () => Credential | Promise<Credential>>;
  things: Things;
  /** What a route's requests name, until a success has used it up. */
  ids: Map<string, Ids>;
  /** Somebody who may have everything made. */
  maker: Credential;
}

async function prepare(databaseUrl: string | undefined): Promise<{ value: Stage; stop: () => Promise<void> }> {
  const server = await startOpenServer({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, databaseUrl);
  const people = await invitePeople(server);
  const credentials = await makeCredentials(server, people);
  const maker = await credentials['the owner’s key with all scopes']();
  const { body: document } = await server.ask('GET', '/api/openapi.json', maker);
  const things = new Things(server, maker, 'Something');
  const operations = operationsOf(document);
  return {
    value: { server, document, operations, people, credentials, things, ids: new Map(), maker },
    stop: server.stop,
  };
}

onBothDatabases(prepare, (stage) => {
  it('the document has every route with its scope, and says for which a credential is needed', () => {
    const { operations } = stage();
    expect(Object.fromEntries(operations.map(({ name, spec }) => [name, spec['x-scope']]))).toEqual(
      Object.fromEntries(SCOPE_OF),
    );
    for (const { name, spec } of operations) {
      const isFree = ['open', 'public'].includes(spec['x-scope']);
      expect(spec.security, name).toEqual(isFree ? [] : [{ key: [] }, { session: [] }]);
    }
    expect(Object.keys(stage().document.components.securitySchemes)).toEqual(['key', 'session']);
  });

  it('nothing else is answered', async () => {
    const { server, operations, maker } = stage();
    const patterns = operations.map(
      ({ method, path }) => new RegExp(`^${method} ${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    );
    for (const { path } of operations) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const target = fill(path, {});
        if (patterns.some((pattern) => pattern.test(`${method} ${target}`))) continue;
        const { status, body } = await server.ask(method, target, maker);
        expect({ status, error: inOurForm({ status, body }).error }).toEqual({
          status: 404,
          error: expect.stringMatching(/^Route ".*" not found/),
        });
      }
    }
  });

  it.each(Object.keys(CALLERS) as CallerName[])('%s', { timeout: 60_000 }, async (name) => {
    const { operations, credentials, server } = stage();
    const complaints: string[] = [];
    for (const operation of operations) {
      const { method } = operation;
      const { path, body } = await requestFor(stage(), operation, CALLERS[name]);
      const credential = { ...ownAddress(), ...(await credentials[name]()) };
      const answer = await server.ask(method, path, credential, body);
      const complaint = judge(operation, CALLERS[name], answer);
      if (complaint !== undefined)
        complaints.push(`${method} ${path}: ${complaint}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (usesUp(operation) && answer.status === 200) forget(stage().ids, operation);
      if (method === 'GET' && answer.status >= 400) {
        const head = await server.ask('HEAD', path, { ...ownAddress(), ...(await credentials[name]()) });
        if (head.status !== answer.status) complaints.push(`HEAD ${path}: ${head.status}, not ${answer.status}`);
      }
    }
    expect(complaints).toEqual([]);
  });
});

/** Is what the request names no good for another one? */
function usesUp({ method, path }: Operation): boolean {
  return method === 'DELETE' || path.endsWith('/cancel');
}

/** What was deleted has to be made anew; with all sessions, the one that was to be ended. */
function forget(ids: Stage['ids'], { name, path }: Operation): void {
  ids.delete(name);
  if (path === '/api/auth/sessions') ids.delete(`delete ${path}/{id}`);
}

/** Each has a name of its own. */
let servers = 0;

/** A request that would succeed if the owner made it. */
async function requestFor(
  { server, document, things, ids, maker }: Stage,
  operation: Operation,
  caller: CallerRow,
): Promise<{ path: string; body: Json | undefined }> {
  const { name, path } = operation;
  if (path.includes('{') && !ids.has(name)) ids.set(name, await things.make(path));
  const fields: Record<string, () => Json | Promise<Json>> = {
    'post /api/auth/login': async () => ({ email: (await addMember(server, maker)).email, password: PASSWORD }),
    'post /api/auth/signup': async () => ({
      email: `${ownAddress()['x-forwarded-for']}@example.com`,
      inviteCode: (await things.post('/api/invites', {})).code,
    }),
    'post /api/auth/verify-access-key': () => ({ key: ACCESS_KEY }),
    // Nobody can give more than they have.
    'post /api/keys': () => ({ scopes: [caller.may.includes('chat') ? 'chat' : 'admin'] }),
    'post /api/chat/mcp/servers': () => ({ name: `s-${++servers}`, url: 'https://mcp.example.com/', enabled: false }),
    'post /api/chat/tools/approve': async () => {
      const { conversationId, approvalId } = await things.waiting();
      return { conversationId, approvalId, decision: 'deny', wait: 0 };
    },
  };
  return { path: fill(path, ids.get(name) ?? {}), body: sampleBody(document, operation, await fields[name]?.()) };
}

/** Statuses that a caller who is let in may meet beside a success, for want of what the request is about. */
const WANTING: Readonly<Record<string, number>> = {
  // Nothing has failed.
  'post /api/chat/conversations/{id}/retry': 409,
  // Nothing was compacted.
  'delete /api/chat/conversations/{id}/compact': 409,
  // It is switched off.
  'post /api/chat/mcp/servers/{name}/test': 409,
  // The environment has set it.
  'put /api/auth/access-key': 409,
  // Ten a minute, whoever asks.
  'post /api/auth/verify-access-key': 429,
  // There is only POST.
  'get /mcp': 405,
  'delete /mcp': 405,
};

/** What is wrong with an answer; undefined if nothing is. */
function judge({ name }: Operation, caller: CallerRow, answer: Answer): string | undefined {
  const scope = SCOPE_OF.get(name);
  if (scope === undefined) return 'nobody has decided who may call it';
  const { status, headers } = answer;
  const body = inOurForm(answer);
  if (caller.may.includes(scope)) {
    // Nothing runs there.
    if (status === 204 && name === 'get /api/chat/ui/{id}/stream') return undefined;
    if (status === 200 || status === 201 || status === WANTING[name]) return undefined;
    // The things are the owner's.
    const isMissing = status === 404 && /^(approval_)?not_found$/.test(body.code) && !/^Route/.test(body.error);
    if (!caller.owns && isMissing) return undefined;
    return isOfHandler(name, caller, answer) ? undefined : 'must be let in';
  }
  if (status !== caller.otherwise) return `must be ${caller.otherwise}`;
  if (headers.has('set-cookie')) return 'gives a cookie to somebody who is refused';
  const [isRight, says] =
    status === 401 ? [isStrangers(body), 'how to come in'] : [isWithoutScope(body, scope), 'what is missing'];
  return isRight ? undefined : `must say ${says}`;
}

/** Refusals of callers who are let in, for who they are. */
function isOfHandler(name: string, { may, owns }: CallerRow, { status, body }: Answer): boolean {
  if (name === 'patch /api/auth/me') return !owns && status === 409 && /^You have no account/.test(body.error);
  if (name !== 'put /api/auth/access-key' || status !== 403) return false;
  if (owns) return !may.includes('chat') && /^An API key needs every scope/.test(body.error);
  return body.error === 'The access key is the owner’s to set';
}

function isStrangers({ code, error, details }: Json): boolean {
  const tells = /POST \/api\/|Authorization: Bearer profclaw_|disabled|expired/.test(details?.hint ?? '');
  return code === 'unauthenticated' && error === 'Authentication required' && tells;
}

function isWithoutScope({ code, error }: Json, scope: MatrixScope): boolean {
  const isNamed = error.includes(`scope ${scope === 'person' ? 'admin' : scope}`);
  return code === 'forbidden' && isNamed && /POST \/api\/keys|ask an admin|people who are logged in/.test(error);
}
