import { describe, expect, it, onTestFinished } from 'vitest';
import { SCOPES } from '../../src/auth/scopes.ts';
import type { Json } from '../server.ts';
import { ACCESS_KEY, bearer, invitePeople, type People } from './matrix-callers.ts';
import {
  type Answer,
  type Credential,
  type OpenServer,
  onBothDatabases,
  ownAddress,
  startOpenServer,
} from './matrix-server.ts';

const MEMBERS = ['chat', 'tools', 'conversations:read'];

/** A request that needs just this scope, and succeeds with it, or finds nothing. */
const PROBES: readonly [scope: string, method: string, path: string, body?: object][] = [
  ['chat', 'GET', '/api/tasks'],
  // Nobody has asked for anything.
  ['tools', 'POST', '/api/chat/tools/approve', { conversationId: 'x', approvalId: 'x', decision: 'deny' }],
  ['conversations:read', 'GET', '/api/chat/conversations'],
  ['providers:write', 'POST', '/api/chat/providers/demo/health'],
  ['admin', 'GET', '/api/users'],
];

/** The scopes that a caller really has, of those for which there is a route. */
async function effective({ ask }: OpenServer, credential: Credential): Promise<string[]> {
  const found: string[] = [];
  for (const [scope, method, path, body] of PROBES) {
    const { status } = await ask(method, path, credential, body);
    if (status === 200 || (scope === 'tools' && status === 404)) found.push(scope);
    else expect({ path, status }).toMatchObject({ status: 403 });
  }
  return found;
}

const probed = (scopes: readonly string[]) => PROBES.map(([scope]) => scope).filter((scope) => scopes.includes(scope));

async function prepare(databaseUrl: string | undefined) {
  const server = await startOpenServer({ PROFCLAW_ACCESS_KEY: ACCESS_KEY }, databaseUrl);
  return { value: { server, people: await invitePeople(server) }, stop: server.stop };
}

const make = ({ ask }: OpenServer, credential: Credential, scopes: readonly string[]): Promise<Answer> =>
  ask('POST', '/api/keys', credential, { name: 'Made', scopes });

onBothDatabases<{ server: OpenServer; people: People }>(prepare, (stage) => {
  describe('a key has no more than its maker', () => {
    it.each<[maker: string, may: readonly string[], credential: (people: People) => Promise<Credential>]>([
      ['a member', MEMBERS, ({ member }) => member.session()],
      ['an admin', SCOPES, ({ admin }) => admin.session()],
      ['the owner', SCOPES, ({ owner }) => owner.session()],
      ['the access key', SCOPES, ({ keyHolder }) => keyHolder()],
      ['a key with admin', ['admin'], async ({ owner }) => (await owner.key(['admin'])).credential],
      [
        'a key with chat and admin',
        ['chat', 'admin'],
        async ({ admin }) => (await admin.key(['chat', 'admin'])).credential,
      ],
    ])('made by %s', async (_, may, credentialOf) => {
      const { server, people } = stage();
      const maker = await credentialOf(people);
      const before = (await server.ask('GET', '/api/keys', maker)).body.total;
      let made = 0;
      for (const wanted of [...SCOPES.map((scope) => [scope]), ['chat', 'admin'], SCOPES]) {
        const { status, body } = await make(server, maker, wanted);
        const missing = wanted.filter((scope) => !may.includes(scope));
        if (missing.length > 0) {
          expect({ wanted, status, code: body.code }).toEqual({ wanted, status: 403, code: 'forbidden' });
          for (const scope of missing) expect(body.error).toContain(scope);
          continue;
        }
        made++;
        expect({ wanted, status, scopes: body.key?.scopes }).toEqual({ wanted, status: 201, scopes: wanted });
        expect(await effective(server, bearer(body.secret))).toEqual(probed(wanted));
      }
      expect((await server.ask('GET', '/api/keys', maker)).body.total).toBe(before + made);
    });

    it('and without admin it makes, lists and revokes none', async () => {
      const { server, people } = stage();
      const others = SCOPES.filter((scope) => scope !== 'admin');
      const { id, credential } = await people.owner.key(others);
      for (const answer of [
        await make(server, credential, ['chat']),
        await server.ask('GET', '/api/keys', credential),
        await server.ask('DELETE', `/api/keys/${id}`, credential),
      ])
        expect(answer).toMatchObject({
          status: 403,
          body: { code: 'forbidden', error: expect.stringContaining('admin') },
        });
      expect(await effective(server, credential)).toEqual(probed(others));
    });
  });

  it('what was asked with tools is not repeated by a key that may only chat', async () => {
    const { server, people } = stage();
    const { member } = people;
    const session = await member.session();
    const ask = (path: string, credential: Credential, body: object) => server.ask('POST', path, credential, body);
    const { conversation } = (await ask('/api/chat/conversations', session, { model: 'demo' })).body;
    const path = `/api/chat/conversations/${conversation.id}`;
    const fails = '/tool list_directory {}\n/next\n/fail 400';
    const [chat, both] = [await member.key(['chat']), await member.key(['chat', 'tools'])];
    const retry = ({ credential }: { credential: Credential }) => ask(`${path}/retry`, credential, {});
    for (const [end, forbidden] of [
      ['messages', 400],
      ['messages/with-tools', 403],
    ] as const) {
      expect((await ask(`${path}/${end}`, session, { content: end === 'messages' ? '/fail 400' : fails })).status).toBe(
        400,
      );
      const runs = async () => (await server.ask('GET', '/api/chat/runs', session)).body.runs.length;
      const before = await runs();
      expect((await retry(chat)).status).toBe(forbidden);
      expect(await runs()).toBe(before);
      expect((await retry(both)).status).toBe(400);
    }
  });

  it('whoever loses a role loses its scopes at the next request, with sessions and keys; and has them back with it', async () => {
    const { server, people } = stage();
    const person = await people.signUp('admin', 'demoted@example.com');
    const [session, { credential: key }] = [await person.session(), await person.key(SCOPES)];
    const owner = await people.owner.session();
    for (const [role, scopes] of [
      ['admin', SCOPES],
      ['member', MEMBERS],
      ['admin', SCOPES],
    ] as const) {
      expect((await server.ask('PATCH', `/api/users/${person.id}`, owner, { role })).status).toBe(200);
      for (const credential of [session, key]) {
        expect((await server.ask('GET', '/api/auth/me', credential)).body).toMatchObject({ role, scopes });
        expect(await effective(server, credential)).toEqual(probed(scopes));
      }
      expect((await make(server, key, ['admin'])).status).toBe(role === 'admin' ? 201 : 403);
    }
  });

  it('whoever is disabled is out at the next request; and in again with a key, not with an old session', async () => {
    const { server, people } = stage();
    const person = await people.signUp('member', 'disabled@example.com');
    const [session, { credential: key }] = [await person.session(), await person.key(['chat'])];
    const owner = await people.owner.session();
    for (const [disabled, statuses] of [
      [undefined, [200, 200]],
      [true, [401, 401]],
      [false, [401, 200]],
    ] as const) {
      if (disabled !== undefined) await server.ask('PATCH', `/api/users/${person.id}`, owner, { disabled });
      const found = [await server.ask('GET', '/api/tasks', session), await server.ask('GET', '/api/tasks', key)];
      expect(found.map(({ status }) => status)).toEqual(statuses);
    }
  });

  it('a session of the access key acts as the owner, without an account', async () => {
    const { server, people } = stage();
    const credential = await people.keyHolder();
    const { body } = await server.ask('GET', '/api/auth/me', credential);
    expect(body).toEqual({ user: null, budget: null, via: 'session', role: 'owner', scopes: SCOPES });
    const { task } = (await server.ask('POST', '/api/tasks', credential, { title: 'T', prompt: 'P' })).body;
    expect((await server.ask('GET', `/api/tasks/${task.id}`, await people.owner.session())).status).toBe(200);
    expect((await server.ask('POST', '/api/invites', credential, { role: 'admin' })).status).toBe(201);
    expect((await server.ask('PATCH', '/api/auth/me', credential, { name: 'N' })).status).toBe(409);
  });
});

onBothDatabases<OpenServer>(
  async (databaseUrl) => {
    const server = await startOpenServer({}, databaseUrl);
    return { value: server, stop: server.stop };
  },
  (server) => {
    it('as long as nothing is locked, a program of this machine is the owner, and whoever shows something is who that says', async () => {
      const { ask } = server();
      const me = { user: null, budget: null, via: 'local', role: 'owner', scopes: SCOPES };
      expect((await ask('GET', '/api/auth/me')).body).toEqual(me);
      expect(await effective(server(), {})).toEqual(probed(SCOPES));
      // What comes through a proxy is not of this machine.
      expect((await ask('GET', '/api/auth/me', ownAddress())).status).toBe(401);
      expect((await ask('GET', '/api/auth/me', bearer('profclaw_wrong'))).status).toBe(401);
      const { secret } = (await make(server(), {}, ['chat'])).body;
      for (const credential of [bearer(secret), { ...bearer(secret), ...ownAddress() }]) {
        expect(await effective(server(), credential)).toEqual(['chat']);
        expect((await ask('GET', '/api/auth/me', credential)).body).toMatchObject({ via: 'key', scopes: ['chat'] });
      }
    });

    it('from the first account on, none is, at once; keys from before are the owner’s', async () => {
      const { ask } = server();
      const { secret } = (await make(server(), {}, MEMBERS)).body;
      const { task } = (await ask('POST', '/api/tasks', {}, { title: 'T', prompt: 'P' })).body;
      const account = { email: 'first@example.com', password: 'correct horse battery', name: 'First' };
      const { status, headers } = await ask('POST', '/api/auth/signup', {}, account);
      expect(status).toBe(201);
      const session = { cookie: (headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
      for (const [scope, method, path] of PROBES) {
        const { status: refused, body } = await ask(method, path);
        expect({ scope, refused, code: body.code }).toEqual({ scope, refused: 401, code: 'unauthenticated' });
      }
      const read = async (credential: Credential): Promise<Json> =>
        (await ask('GET', `/api/tasks/${task.id}`, credential)).status;
      expect([await read(session), await read(bearer(secret)), await read({})]).toEqual([200, 200, 401]);
      expect(await effective(server(), bearer(secret))).toEqual(probed(MEMBERS));
    });
  },
);

it('a key with admin alone does not get at everything by way of the access key', async () => {
  const server = await startOpenServer({}, undefined);
  onTestFinished(server.stop);
  const { secret } = (await make(server, {}, ['admin'])).body;
  const all = (await make(server, {}, SCOPES)).body;
  const set = (key: string) => server.ask('PUT', '/api/auth/access-key', bearer(key), { key: 'a'.repeat(16) });
  expect(await set(secret)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  expect((await server.ask('GET', '/api/auth/status')).body.accessKey).toBe(false);
  expect((await set(all.secret)).status).toBe(200);
});
