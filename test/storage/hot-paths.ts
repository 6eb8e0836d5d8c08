import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import pino from 'pino';
import { seedConversations, seedMessages } from '../../bench/conversation-seed.ts';
import { LOCAL_OWNER } from '../../src/auth/principal.ts';
import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/http/server.ts';
import { INTERFACE } from '../../src/interface.ts';
import { openServices } from '../../src/open-services.ts';
import { claimKey, finishKey, releaseKey, removeExpiredKeys, renewKeys } from '../../src/storage/idempotency.ts';
import { removeExpiredOrphans } from '../../src/storage/orphans.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { createTask } from '../../src/storage/tasks.ts';
import { createTicket } from '../../src/storage/tickets.ts';
import { endExpiredTurns, renewTurns, takeTurn } from '../../src/storage/turns.ts';
import { driveResponses } from '../access/matrix-drive-responses.ts';
import { driveRuns } from '../access/matrix-drive-runs.ts';
import { ask } from '../access/matrix-server.ts';
import type { Place } from '../access/matrix-things.ts';
import type { Json } from '../server.ts';

const OTHER_OWNERS = 10;

/** What `runHotPaths` works on. */
export interface Seeded {
  taskId: string;
  ticketId: string;
  /** Conversations: a long one with a compaction, and a short one. */
  long: string;
  short: string;
}

/** Some thousand rows of the local owner, and some of others. */
export async function seed(db: Kysely<Schema>): Promise<Seeded> {
  for (let i = 0; i < OTHER_OWNERS; i++) {
    await seedConversations(db, `other-${i}`, 200);
    await seedMessages(db, `other-${i}`, { stored: 100, live: 20 });
  }
  const { id: taskId } = await createTask(db, LOCAL_OWNER, { title: 'Task', prompt: 'Do it' });
  const { id: ticketId } = await createTicket(db, LOCAL_OWNER, { title: 'Ticket' });
  for (let i = 0; i < 300; i++) {
    await createTask(db, LOCAL_OWNER, { title: `Task ${i}`, prompt: 'Do it' });
    await createTicket(db, LOCAL_OWNER, { title: `Ticket ${i}` });
  }
  await seedConversations(db, LOCAL_OWNER, 4000);
  await db
    .updateTable('conversations')
    .set({ task_id: taskId, ticket_id: ticketId })
    .where(sql<boolean>`number % 10 = 0`)
    .where('owner', '=', LOCAL_OWNER)
    .execute();
  const long = await seedMessages(db, LOCAL_OWNER, { stored: 2000, live: 8 });
  const short = await seedMessages(db, LOCAL_OWNER, { stored: 300 });
  await db.updateTable('conversations').set({ model: 'demo' }).where('model', 'is not', null).execute();
  const call = JSON.stringify({ id: 'call', name: 'look', arguments: {} });
  await sql`insert into tool_calls (conversation, seq, position, owner, status, tokens, body, result)
    select conversation, seq, 0, owner, 'success', 2, ${sql.lit(call)}, '"seen"'
    from messages where role = 'assistant'`.execute(db);
  await db.updateTable('messages').set({ calls: 1 }).where('role', '=', 'assistant').execute();
  return { taskId, ticketId, long: long.id, short: short.id };
}

/** Has a server do everything with conversations that it does again and again, and what it does in the background. */
export async function runHotPaths(db: Kysely<Schema>, kind: 'sqlite' | 'postgres', seeded: Seeded): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'profclaw-plans-'));
  const workspace = join(home, 'workspace');
  mkdirSync(workspace);
  const folders = { PROFCLAW_HOME: home, PROFCLAW_WORKSPACE: workspace };
  const config = loadConfig({ PORT: '0', OLLAMA_BASE_URL: 'http://127.0.0.1:9', ...folders });
  const log = pino({ level: 'silent' });
  const secretKey = Buffer.alloc(32, 1);
  const database = { db, kind, ping: () => Promise.resolve(), close: () => Promise.resolve() };
  const { services, close } = await openServices({ config, database, secretKey, log, version: 'test' });
  const server = await startServer(services, INTERFACE);
  try {
    await drive(async (method, path, status, body, headers) => {
      const answer = await fetch(`${server.url}/api/chat${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.status !== status)
        throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${text}`);
      return JSON.parse(text);
    }, seeded);
    const place: { server: Place } = { server: { db, ask: (...request) => ask(server.url, ...request) } };
    await driveRuns(place, {});
    await driveResponses(place, {});
  } finally {
    await server.stop();
    await close();
    rmSync(home, { recursive: true, force: true });
  }
  await runInBackground(db, seeded);
}

type Send = (
  method: string,
  path: string,
  status: number,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Json>;

async function drive(send: Send, { taskId, ticketId, long, short }: Seeded): Promise<void> {
  const list = '/conversations?limit=2';
  const { nextCursor } = await send('GET', list, 200);
  for (const filter of ['', `&taskId=${taskId}`, `&ticketId=${ticketId}`, '&q=seldom', '&q=tide+moon']) {
    await send('GET', list + filter, 200);
    await send('GET', `${list}${filter}&offset=1`, 200);
    await send('GET', `${list}${filter}&cursor=${nextCursor}`, 200);
  }
  await send('GET', `/conversations/${long}?limit=50`, 200);
  await send('GET', `/conversations/${long}?limit=50&before=1500`, 200);

  const fields = { title: 'New', taskId, ticketId, model: 'demo' };
  const { conversation: made } = await send('POST', '/conversations', 201, fields, { 'idempotency-key': 'made' });
  await send('POST', '/conversations', 201, fields, { 'idempotency-key': 'made' });
  await send('PATCH', `/conversations/${made.id}`, 200, { title: 'Newer' });

  for (const id of [long, short, made.id]) {
    await send('POST', `/conversations/${id}/messages`, 200, { content: 'Hello' }, { 'idempotency-key': `sent-${id}` });
    await send('POST', `/conversations/${id}/messages`, 200, { content: 'Hello' }, { 'idempotency-key': `sent-${id}` });
    await send('POST', `/conversations/${id}/messages`, 502, { content: '/fail 503' });
    await send('POST', `/conversations/${id}/retry`, 502, {});
  }
  const completion = { conversationId: long, model: 'demo' };
  const called = await send('POST', '/completions', 200, {
    ...completion,
    messages: [{ role: 'user', content: '/tool look {}' }],
  });
  const [call] = called.message.toolCalls;
  await send('POST', '/completions', 200, {
    ...completion,
    messages: [{ role: 'tool', toolCallId: call.id, content: 'seen' }],
  });

  // The demo model obeys the order when it is asked for a summary.
  const given = [
    { role: 'user', content: 'Hello\n/say A short summary' },
    { role: 'assistant', content: 'and so on '.repeat(400) },
    { role: 'user', content: 'Go on' },
  ];
  await send('POST', '/completions', 200, { conversationId: made.id, model: 'demo', messages: given });
  await send('POST', `/conversations/${made.id}/compact`, 200, {});
  await send('GET', `/conversations/${made.id}/memory`, 200);
  await send('DELETE', `/conversations/${made.id}/compact`, 200);
  await send('POST', `/conversations/${short}/fork`, 201, {});
  const { messages } = await send('GET', `/conversations/${short}?limit=250`, 200);
  await send('DELETE', `/conversations/${short}/messages/${messages[0].id}`, 200);
  await send('DELETE', `/conversations/${made.id}`, 200);
}

async function runInBackground(db: Kysely<Schema>, { short }: Seeded): Promise<void> {
  const lease = { id: 'turn-of-the-dead', node: 'dead', leaseMs: -1000 };
  await takeTurn(db, LOCAL_OWNER, short, lease, (_, row) => Promise.resolve({ value: 1, firstSeq: row.last_seq }));
  await renewTurns(db, 'dead', ['turn-of-the-dead', 'another'], -1000);
  await endExpiredTurns(db, '{}');
  await removeExpiredOrphans(db);
  for (const key of ['finished', 'released']) {
    const attempt = { owner: LOCAL_OWNER, route: 'POST /', key, fingerprint: 'print', node: `node-${key}` };
    await claimKey(db, attempt);
    await claimKey(db, attempt);
    await renewKeys(db, [attempt.node, 'another']);
    if (key === 'finished') await finishKey(db, attempt, { status: 200, contentType: 'text/plain', text: 'done' });
    else await releaseKey(db, attempt);
  }
  await removeExpiredKeys(db, 100);
}
