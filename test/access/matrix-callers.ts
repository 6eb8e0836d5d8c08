import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Json } from '../server.ts';
import type { CallerName } from './matrix-scopes.ts';
import { type Credential, OF_THE_TEST, type OpenServer, ownAddress } from './matrix-server.ts';

export const ACCESS_KEY = 'the-access-key-of-the-matrix';
export const PASSWORD = 'correct horse battery';

const ALL = ['chat', 'tools', 'conversations:read', 'providers:write', 'admin'];
const MEMBER = ALL.slice(0, 3);
const PAST = '2026-01-01T00:00:00.000Z';

/** Somebody with an account. */
export interface Person {
  id: string;
  email: string;
  /** Begins a session like the one that logging in gave, which a request may use up. */
  session(change?: { expires_at?: string; account?: string }): Promise<Credential>;
  /** Makes a key of theirs, asked for with a session. */
  key(scopes: readonly string[], more?: object): Promise<{ id: string; credential: Credential }>;
}

/** Everybody there is on one server. */
export interface People {
  owner: Person;
  admin: Person;
  member: Person;
  /** Whoever has the access key. */
  keyHolder: () => Promise<Credential>;
  /** A key of theirs, made before there were accounts. */
  earlyKey: Credential;
  signUp(role: 'admin' | 'member', email: string): Promise<Person>;
}

/** What is kept of a secret. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function cookie(secret: string): Credential {
  return { cookie: `profclaw_session=${secret}` };
}

/** The credential of an API key's secret. */
export function bearer(secret: string): Credential {
  return { authorization: `Bearer ${secret}` };
}

/** Signs an owner, an admin and a member up on a server that has an access key and nobody yet. */
export async function invitePeople(server: OpenServer): Promise<People> {
  const begin = async (
    path: string,
    body: object,
    credential: Credential = {},
  ): Promise<{ secret: string; body: Json }> => {
    const answer = await server.ask('POST', path, { ...ownAddress(), ...credential }, body);
    expect(answer).toMatchObject({ status: expect.toBeOneOf([200, 201]) });
    const [, secret = ''] = /profclaw_session=([\w-]{43});/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
    return { secret, body: answer.body };
  };
  const holder = await begin('/api/auth/verify-access-key', { key: ACCESS_KEY });
  const keyHolder = await sessionsLike(server, holder.secret);
  const early = await makeKey(server, await keyHolder(), ['chat']);
  const signUp = async (body: object, credential?: Credential): Promise<Person> => {
    const account = { name: 'Somebody', password: PASSWORD, ...body };
    const { secret, body: said } = await begin('/api/auth/signup', account, credential);
    const session = await sessionsLike(server, secret);
    const key = async (scopes: readonly string[], more = {}) => makeKey(server, await session(), scopes, more);
    return { id: said.user.id, email: said.user.email, session, key };
  };
  const owner = await signUp({ email: 'owner@example.com' }, await keyHolder());
  const invited = async (role: 'admin' | 'member', email: string): Promise<Person> => {
    const { body } = await server.ask('POST', '/api/invites', await owner.session(), { role });
    return await signUp({ email, inviteCode: body.code });
  };
  return {
    owner,
    admin: await invited('admin', 'admin@example.com'),
    member: await invited('member', 'member@example.com'),
    keyHolder: () => keyHolder(),
    earlyKey: early.credential,
    signUp: invited,
  };
}

/** The credentials of every caller of the matrix; each is asked for once per request. */
export async function makeCredentials(
  server: OpenServer,
  { owner, admin, member, keyHolder, earlyKey, signUp }: People,
): Promise<Record<CallerName, () => Credential | Promise<Credential>>> {
  const { db, ask } = server;
  const ownersKey = await owner.key(ALL);
  const membersKey = await member.key(['chat']);
  const always = (credential: Credential) => () => credential;
  const keyOf = async (person: Person, scopes: readonly string[]) => always((await person.key(scopes)).credential);

  const loggedOut = await member.session();
  await ask('POST', '/api/auth/logout', loggedOut);
  const revoked = await owner.key(ALL);
  await ask('DELETE', `/api/keys/${revoked.id}`, await owner.session());
  const expired = await owner.key(ALL, { expiresInDays: 1 });
  await db.updateTable('api_keys').set({ expires_at: PAST }).where('id', '=', expired.id).execute();
  const bare = await owner.key(['chat']);
  await db.updateTable('api_keys').set({ scopes: '[]' }).where('id', '=', bare.id).execute();

  const disabled = await signUp('member', 'disabled@example.com');
  const deleted = await signUp('member', 'deleted@example.com');
  const demoted = await signUp('admin', 'demoted@example.com');
  const [disabledKey, deletedKey, demotedKey] = [
    await keyOf(disabled, MEMBER),
    await keyOf(deleted, MEMBER),
    await keyOf(demoted, ALL),
  ];
  await ask('PATCH', `/api/users/${disabled.id}`, await owner.session(), { disabled: true });
  await ask('DELETE', `/api/users/${deleted.id}`, await owner.session());
  await ask('PATCH', `/api/users/${demoted.id}`, await owner.session(), { role: 'member' });
  const orphan = await member.key(MEMBER);
  await db.updateTable('api_keys').set({ account: 'usr_gone' }).where('id', '=', orphan.id).execute();

  const unknown = randomBytes(32).toString('base64url');
  const secretOf = ({ authorization = '' }: Credential) => authorization.replace('Bearer ', '');
  const good = secretOf(ownersKey.credential);
  return {
    'no credential': always({}),
    'a cookie that nobody was given': always(cookie(unknown)),
    'a malformed cookie': always(cookie('%00; profclaw_session')),
    'two cookies, one of them good': async () => {
      const { cookie: theirs = '' } = await owner.session();
      return { cookie: `${theirs}; profclaw_session=${unknown}` };
    },
    'an API key as cookie': always(cookie(good)),
    'a session that has expired': () => owner.session({ expires_at: PAST }),
    'a session that was logged out': always(loggedOut),
    // Disabling and deleting end all sessions; these were begun beside it.
    'a session of a disabled member': () => disabled.session(),
    'a session of a deleted user': () => deleted.session(),
    'a session of a user that is no more': () => member.session({ account: 'usr_gone' }),
    'an empty Authorization': always({ authorization: '' }),
    'Basic authentication': always({
      authorization: `Basic ${Buffer.from(`owner@example.com:${PASSWORD}`).toString('base64')}`,
    }),
    'Bearer and nothing': always({ authorization: 'Bearer' }),
    'another service’s key': always(bearer(`sk-${unknown}`)),
    'a key that nobody was given': always(bearer(`profclaw_${unknown}`)),
    'a session’s secret as key': async () => {
      const { cookie: theirs = '' } = await owner.session();
      return bearer(theirs.replace('profclaw_session=', ''));
    },
    'a good key with a character more': always(bearer(`${good}A`)),
    'two good keys in one header': always(bearer(`${good}, Bearer ${good}`)),
    'a wrong key beside the owner’s cookie': async () => ({
      ...(await owner.session()),
      ...bearer(`profclaw_${unknown}`),
    }),
    'a key that has expired': always(expired.credential),
    'a key that was revoked': always(revoked.credential),
    'a key of a disabled member': disabledKey,
    'a key of a deleted user': deletedKey,
    'a key of a user that is no more': always(orphan.credential),
    'a key without scopes': always(bare.credential),
    'a member’s key with chat': always(membersKey.credential),
    'a member’s key with tools': await keyOf(member, ['tools']),
    'a member’s key with conversations:read': await keyOf(member, ['conversations:read']),
    'a member’s key with all that a member may': await keyOf(member, MEMBER),
    'a key with all scopes of somebody who has become a member': demotedKey,
    'a member’s key beside the owner’s cookie': async () => ({ ...(await owner.session()), ...membersKey.credential }),
    'a key from before there were accounts': always(earlyKey),
    'the owner’s key with chat': await keyOf(owner, ['chat']),
    'the owner’s key with tools': await keyOf(owner, ['tools']),
    'the owner’s key with conversations:read': await keyOf(owner, ['conversations:read']),
    'the owner’s key with providers:write': await keyOf(owner, ['providers:write']),
    'the owner’s key with admin': await keyOf(owner, ['admin']),
    'a session of a member': () => member.session(),
    'an admin’s key with all scopes': await keyOf(admin, ALL),
    'a session of an admin': () => admin.session(),
    'a session of the access key': keyHolder,
    'the owner’s key with all scopes': always(ownersKey.credential),
    'a session of the owner': () => owner.session(),
  };
}

async function makeKey(
  server: OpenServer,
  credential: Credential,
  scopes: readonly string[],
  more: object = {},
): Promise<{ id: string; credential: Credential }> {
  const { status, body } = await server.ask('POST', '/api/keys', credential, { name: 'Key', scopes, ...more });
  expect({ status, body }).toMatchObject({ status: 201 });
  return { id: body.key.id, credential: bearer(body.secret) };
}

/** Gives sessions with everything that this one has but its id and secret: many requests end the one they come with. */
async function sessionsLike({ db }: OpenServer, secret: string): Promise<Person['session']> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('hash', '=', hashOf(secret))
    .modifyEnd(OF_THE_TEST)
    .executeTakeFirstOrThrow();
  return async (change = {}) => {
    const own = randomBytes(32).toString('base64url');
    const id = `session_${hashOf(own).slice(0, 24)}`;
    await db
      .insertInto('sessions')
      .values({ ...row, ...change, id, hash: hashOf(own) })
      .execute();
    return cookie(own);
  };
}
