import type { Kysely } from 'kysely';
import { renewHolds } from '../../src/storage/budget-holds.ts';
import { renewKeys } from '../../src/storage/idempotency.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { renewTurns } from '../../src/storage/turns.ts';
import type { Json } from '../server.ts';
import { ACCESS_KEY, PASSWORD } from './matrix-callers.ts';
import { leaveRuns } from './matrix-drive-runs.ts';
import { CONVERSATIONS, type Stage } from './matrix-isolation.ts';
import { fill, sampleBody } from './matrix-requests.ts';
import type { MatrixScope } from './matrix-scopes.ts';
import { type Credential, OF_THE_TEST, ownAddress } from './matrix-server.ts';
import { type Ids, Things } from './matrix-things.ts';

/** Sends every route of these scopes a request that can succeed, as one caller, about things of the caller's own. */
export async function driveRoutes(
  { server, document, operations }: Stage,
  credential: Credential,
  scopes: readonly MatrixScope[],
): Promise<void> {
  const things = new Things(server, credential, 'Driven');
  for (const operation of operations) {
    // It would end the session that drives.
    if (!scopes.includes(operation.spec['x-scope']) || operation.path === '/api/auth/logout') continue;
    const { path, method } = operation;
    const ids = path.includes('{') ? await things.make(path) : {};
    await server.ask(method, fill(path, ids), credential, sampleBody(document, operation));
  }
}

/** Has conversations with all that can be in one: failures, tools, compactions, copies, pages. */
export async function driveConversations({ server }: Stage, credential: Credential): Promise<void> {
  const things = new Things(server, credential, 'Driven');
  const send = async (method: string, path: string, body?: object, headers: Credential = {}): Promise<Json> => {
    const answer = await server.ask(method, path, { ...credential, ...headers }, body);
    // The demo model fails when it is told to.
    if (answer.status >= 400 && answer.status !== 502) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const [{ id: taskId }, { id: ticketId, key }, { id: presetId }] = [
    await things.make('/api/tasks/{id}'),
    await things.make('/api/tickets/{id}'),
    await things.make('/api/chat/presets/{id}'),
  ];
  const again = { 'idempotency-key': 'driven' };
  const fields = { taskId, ticketId: key, presetId, model: 'demo' };
  for (let i = 0; i < 3; i++) await send('POST', CONVERSATIONS, fields, i < 2 ? again : {});
  const { conversations, nextCursor } = await send('GET', `${CONVERSATIONS}?limit=1`);
  const path = `${CONVERSATIONS}/${conversations[0].id}`;
  for (const filter of ['', `&taskId=${taskId}`, `&ticketId=${ticketId}`, '&q=Driven', '&q=hello+demo'])
    for (const page of ['', '&offset=1', `&cursor=${nextCursor}`])
      await send('GET', `${CONVERSATIONS}?limit=1${filter}${page}`);
  for (const content of ['Hello demo', '/fail 503', '/tool look {}'])
    await send('POST', `${path}/messages`, { content });
  await send('POST', `${path}/messages`, { content: 'Hello' }, again);
  await send('POST', `${path}/messages`, { content: 'Hello' }, again);
  await send('POST', `${path}/messages`, { content: '/fail 503' });
  await send('POST', `${path}/retry`, {});
  const inIt = { conversationId: conversations[0].id, model: 'demo', taskId, ticketId };
  const ask = (content: string) => ({ ...inIt, messages: [{ role: 'user', content }] });
  const called = await send('POST', '/api/chat/completions', ask('/tool look {}'));
  const result = { role: 'tool', toolCallId: called.message.toolCalls[0].id, content: 'seen' };
  await send('POST', '/api/chat/completions', { ...inIt, messages: [result] });
  const long = { role: 'assistant', content: 'and so on '.repeat(400) };
  const messages = [{ role: 'user', content: 'Hello\n/say A summary' }, long, { role: 'user', content: 'Go on' }];
  await send('POST', '/api/chat/completions', { ...inIt, messages });
  await send('POST', `${path}/compact`, {});
  const read = await send('GET', `${path}?limit=3`);
  await send('GET', `${path}?limit=2&before=${read.nextBefore}`);
  await send('POST', `${path}/fork`, { messageId: read.messages[0].id });
  await send('DELETE', `${path}/compact`);
  await send('DELETE', `${path}/messages/${read.messages[0].id}`);
  await send('POST', '/api/keys', { name: 'K', scopes: ['chat'], budget: { tokens: 1000 } });
  await send('DELETE', path);
}

/** Comes in and goes out by every door. */
export async function driveAccess({ server, people }: Stage): Promise<void> {
  const { email, key } = await people.signUp('member', 'visitor@example.com');
  await server.ask('GET', '/api/tasks', (await key(['chat'])).credential);
  await server.ask('POST', '/api/auth/login', ownAddress(), { email, password: PASSWORD });
  await server.ask('POST', '/api/auth/verify-access-key', ownAddress(), { key: ACCESS_KEY });
  await server.ask('POST', '/api/auth/logout', await people.member.session());
}

/** Does what timers do: keeps what is under way, and clears up after processes and accounts that are no more. */
export async function driveBackground(stage: Stage): Promise<void> {
  const { server, people } = stage;
  const { db } = server;
  await renewTurns(db, 'node', ['turn'], 1000);
  await renewKeys(db, ['node']);
  await renewHolds(db, 'node', ['hold'], 1000);
  const { id: owner, session } = await people.signUp('member', 'gone@example.com');
  const things = new Things(server, await session(), 'Driven');
  const { key } = await things.post('/api/keys', { name: 'K', scopes: ['chat'], budget: { tokens: 1000 } });
  const lost = { owner, node: 'dead', expires_at: 0 };
  const [busy, going] = [
    await numberOf(db, await things.conversation()),
    await numberOf(db, await things.conversation()),
  ];
  await db
    .insertInto('turns')
    .values({ ...lost, conversation: busy, id: 'turn', first_seq: 1 })
    .execute();
  await db.insertInto('orphans').values({ conversation: going, owner, expires_at: 0 }).execute();
  await db
    .insertInto('budget_holds')
    .values({ ...lost, id: 'hold', subject: key.id, tokens: 1, cost: 0 })
    .execute();
  await leaveRuns(stage, things);
  await server.sweep();
  await server.ask('DELETE', `/api/users/${owner}`, await people.owner.session());
  // The conversations first, the rest then.
  for (let i = 0; i < 2; i++) await server.sweep();
}

async function numberOf(db: Kysely<Schema>, { id = '' }: Ids): Promise<number> {
  const query = db.selectFrom('conversations').select('number').where('id', '=', id).modifyEnd(OF_THE_TEST);
  return (await query.executeTakeFirstOrThrow()).number;
}
