import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { isPostgres } from '../../src/storage/dialect.ts';
import { removeExpiredOrphans } from '../../src/storage/orphans.ts';
import { removeDeletedAccounts } from '../../src/storage/owners.ts';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { onBothDatabases, PASSWORD, Rig } from './rig.ts';
import type { Visitor } from './visitor.ts';

// An account that is deleted is out at once, and nothing that it owned is left.

const CONVERSATIONS = '/api/chat/conversations';

/** How many rows of each table are an owner's; the audit log outlives everybody. */
async function rowsOf({ db }: Pick<Rig, 'db'>, owner: string): Promise<Record<string, number>> {
  const tables = await db.introspection.getTables();
  const counts: Record<string, number> = {};
  for (const { name, columns } of tables) {
    if (name === 'audit_log' || !columns.some((column) => column.name === 'owner')) continue;
    const { rows } = await sql`select owner from ${sql.table(name)} where owner = ${owner}`.execute(db);
    if (rows.length > 0) counts[name] = rows.length;
  }
  return counts;
}

/** How many entries the search index has for these conversations. */
async function searchable({ db }: Pick<Rig, 'db'>, numbers: readonly number[]): Promise<number> {
  const key = sql.ref(isPostgres(db) ? 'entry' : 'rowid');
  const entries = sql`select ${key} from search where ${key} >> 24 in (${sql.join(numbers)})`;
  return (await entries.execute(db)).rows.length;
}

const numbersOf = async ({ db }: Pick<Rig, 'db'>, owner: string) =>
  (await db.selectFrom('conversations').select('number').where('owner', '=', owner).execute()).map(
    ({ number }) => number,
  );

const call = { id: 'call_1', name: 'look', arguments: { at: 'x' }, result: 'seen' };

/** A conversation of so many messages. */
function imported(count: number): Json {
  const messages = Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? { role: 'user', content: `vanishing ${i}` }
      : { role: 'assistant', content: `a ${i}`, toolCalls: [call] },
  );
  return { conversation: { title: 'A long one' }, messages };
}

/** A run that waits for a person, with a message that it has not seen. */
async function ask(browser: Visitor): Promise<{ conversationId: string; approvalId: string; runId: string }> {
  const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'C' });
  const content = '/tool write_file {"path":"written","content":"by a tool"}';
  const path = `${CONVERSATIONS}/${conversation.id}/messages/with-tools`;
  const { runId, pendingApprovals } = await browser.must('POST', path, { content, model: 'demo' });
  await browser.must('POST', `/api/chat/runs/${runId}/messages`, { content: 'Wait' });
  return { conversationId: conversation.id, approvalId: pendingApprovals[0].id, runId };
}

/** One that has ended, by rules for its conversation and for all, and one that waits. */
async function fillRuns(browser: Visitor): Promise<void> {
  for (const scope of ['conversation', 'user']) {
    // The rule of the first one is for its own conversation.
    const { runId: _, ...asked } = await ask(browser);
    const answer = { ...asked, decision: 'allow-always', scope };
    expect((await browser.must('POST', '/api/chat/tools/approve', answer)).run.status).toBe('completed');
  }
  const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'C' });
  const content = '/tool exec {"command":"true"}';
  const path = `${CONVERSATIONS}/${conversation.id}/messages/with-tools`;
  const { runId } = await browser.must('POST', path, { content, model: 'demo' });
  await browser.must('POST', `/api/chat/runs/${runId}/messages`, { content: 'Wait' });
}

/** Gives somebody a row in every table that there is. */
async function fill(rig: Rig, browser: Visitor, messages: number): Promise<void> {
  await browser.must('POST', `${CONVERSATIONS}/import`, imported(messages));
  const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'C' });
  const keyed = { 'idempotency-key': 'k' };
  const sent = await browser.send('POST', `${CONVERSATIONS}/${conversation.id}/messages`, { content: 'Hi' }, keyed);
  expect(sent.status).toBe(200);
  expect((await browser.send('POST', '/api/tasks', { title: 'T', prompt: 'P' }, keyed)).status).toBe(201);
  await browser.must('POST', '/api/tickets', { title: 'T' });
  await browser.must('POST', '/api/chat/presets', { name: 'N', systemPrompt: 'S' });
  await browser.must('POST', '/api/keys', { name: 'K', scopes: ['chat'], budget: { tokens: 1000 } });
  const { user } = await browser.must('GET', '/api/auth/me');
  const { code } = await browser.must('POST', '/api/invites', {});
  expect(code).toBeDefined();
  await fillRuns(browser);
  expect(await rowsOf(rig, user.id)).toMatchObject({
    accounts: 1,
    api_keys: 1,
    approvals: 3,
    budgets: 1,
    conversation_counts: 1,
    conversations: 5,
    idempotency_keys: 2,
    invites: 1,
    messages: messages + 12,
    presets: 1,
    run_events: expect.any(Number),
    rule_sets: 1,
    runs: 3,
    sessions: 1,
    steering: 1,
    tasks: 1,
    ticket_counters: 1,
    tickets: 1,
    tool_calls: messages / 2 + 3,
    tool_rules: 2,
    turns: 1,
  });
}

onBothDatabases((start) => {
  let rig: Rig;
  let owner: Visitor;

  beforeAll(async () => {
    rig = await start();
    owner = (await rig.owner()).browser;
  });

  it('is out at once, and its email is free', async () => {
    const { browser, user } = await rig.join(owner, 'gone', 'admin');
    const { program } = await rig.withKey(browser, { scopes: ['chat'] });
    const { code } = await browser.must('POST', '/api/invites', {});
    const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'Old' });
    expect((await owner.remove(`/api/users/${user.id}`)).body).toEqual({ message: 'User deleted' });
    for (const visitor of [browser, program]) expectError(await visitor.get('/api/tasks'), 401, 'unauthenticated');
    const login = { email: 'gone@example.com', password: PASSWORD };
    expectError(await rig.stranger().post('/api/auth/login', login), 401, 'unauthenticated');
    const signUp = { ...login, email: 'friend@example.com', name: 'N', inviteCode: code };
    expectError(await rig.stranger().post('/api/auth/signup', signUp), 403, 'forbidden');
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const again = await owner.send(
        method,
        `/api/users/${user.id}`,
        method === 'PATCH' ? { disabled: false } : undefined,
      );
      expectError(again, 404, 'not_found', user.id);
    }
    expect((await owner.must('GET', '/api/users')).users.map(({ id }: Json) => id)).not.toContain(user.id);
    const next = await rig.join(owner, 'gone');
    expect(next.user.id).not.toBe(user.id);
    expect((await next.browser.must('GET', CONVERSATIONS)).total).toBe(0);
    expectError(await next.browser.get(`${CONVERSATIONS}/${conversation.id}`), 404, 'not_found');
  });

  it('leaves nothing, not of a thousand messages, and takes nothing of anybody else’s', async () => {
    const gone = await rig.join(owner, 'large', 'admin');
    const kept = await rig.join(owner, 'kept', 'admin');
    await fill(rig, gone.browser, 1000);
    await fill(rig, kept.browser, 4);
    const [ours, theirs] = [await numbersOf(rig, kept.user.id), await numbersOf(rig, gone.user.id)];
    const [before, owners] = [await rowsOf(rig, kept.user.id), await rowsOf(rig, 'local')];
    expect([await searchable(rig, ours), await searchable(rig, theirs)]).toEqual([18, 1014]);
    await owner.must('DELETE', `/api/users/${gone.user.id}`);
    await expect.poll(() => rowsOf(rig, gone.user.id)).toEqual({ accounts: 1 });
    expect([await searchable(rig, ours), await searchable(rig, theirs)]).toEqual([18, 0]);
    expect([await rowsOf(rig, kept.user.id), await rowsOf(rig, 'local')]).toEqual([before, owners]);
    expect((await kept.browser.must('GET', `${CONVERSATIONS}?q=vanishing`)).total).toBe(1);
  });

  it.concurrent('leaves nothing of what comes late either, and then not even its own row', async ({ expect }) => {
    const { browser, user } = await rig.join(owner, 'late');
    await owner.must('DELETE', `/api/users/${user.id}`);
    const task = {
      owner: user.id,
      title: 'T',
      prompt: 'P',
      description: null,
      status: 'pending',
      priority: 3,
    } as const;
    const times = { labels: '[]', created_at: '', updated_at: '' };
    await expect.poll(() => rowsOf(rig, user.id)).toEqual({ accounts: 1 });
    await rig.db
      .insertInto('tasks')
      .values({ id: 'task_late', ...task, ...times })
      .execute();
    await expect.poll(() => rowsOf(rig, user.id)).toEqual({ accounts: 1 });
    const longAgo = new Date(Date.now() - 20 * 60_000).toISOString();
    await rig.db.updateTable('accounts').set({ updated_at: longAgo }).where('id', '=', user.id).execute();
    await expect.poll(() => rowsOf(rig, user.id)).toEqual({});
    expectError(await browser.get('/api/auth/me'), 401, 'unauthenticated');
    expectError(await owner.get(`/api/users/${user.id}`), 404, 'not_found');
  });

  // Side by side: each waits for the server to clear up, which it does every few seconds.
  it.concurrent('stops what is being answered, of which nothing is kept', async ({ expect }) => {
    const { browser, user } = await rig.join(owner, 'talker');
    const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'C' });
    const content = '/stream 100 100\n/say a long answer';
    const sent = browser.post(`${CONVERSATIONS}/${conversation.id}/messages`, { content, model: 'demo' });
    await expect.poll(() => rowsOf(rig, user.id)).toMatchObject({ messages: 1, turns: 1 });
    await owner.must('DELETE', `/api/users/${user.id}`);
    await expect.poll(() => rowsOf(rig, user.id)).toEqual({ accounts: 1 });
    expectError(await sent, 409, 'conflict', /conversation was deleted/);
    expect(await rowsOf(rig, user.id)).toEqual({ accounts: 1 });
  });

  it.concurrent.for(['/stream 100 100\n/say a long answer', '/say Well\n/stall', '/tool exec {"command":"sleep 100"}'])(
    'stops a run in the middle of %j, of which nothing is kept either',
    async (content, { expect }) => {
      const { browser, user } = await rig.join(owner, content.replaceAll(/\W/g, ''));
      const { conversation } = await browser.must('POST', CONVERSATIONS, { title: 'C' });
      const more = { content, model: 'demo', securityMode: 'full' };
      const sent = browser.post(`${CONVERSATIONS}/${conversation.id}/messages/with-tools`, more);
      const isUnderWay = async () => {
        const events = rig.db.selectFrom('run_events').select('type').where('owner', '=', user.id);
        return (await events.where('type', 'in', ['content', 'tool:call']).execute()).length > 0;
      };
      await expect.poll(isUnderWay).toBe(true);
      await owner.must('DELETE', `/api/users/${user.id}`);
      await expect.poll(() => rowsOf(rig, user.id)).toEqual({ accounts: 1 });
      expectError(await sent, 404, 'not_found', /Run ".*" not found/);
      expect(await rowsOf(rig, user.id)).toEqual({ accounts: 1 });
    },
  );
});

describe.each(['SQLite', 'PostgreSQL'])('clearing up on %s', (kind) => {
  let postgres: PostgresServer | undefined;
  let rig: Rig;
  let database: Database;
  let ids: string[];

  // Without a server, whose sweep would do the work.
  beforeAll(async () => {
    if (kind === 'PostgreSQL') postgres = await startPostgres();
    const databaseUrl = await postgres?.newDatabase();
    rig = await Rig.start(databaseUrl);
    const { browser } = await rig.owner();
    ids = [];
    for (const name of ['one', 'two', 'kept']) {
      const member = await rig.join(browser, name, 'admin');
      ids.push(member.user.id);
      await fill(rig, member.browser, name === 'one' ? 450 : 4);
    }
    await rig.stopServer();
    database = await openDatabase({ databaseUrl, file: `${rig.home}/profclaw.db` });
  });
  afterAll(async () => {
    await database.close();
    await rig.stop();
    await postgres?.stop();
  });

  const conversations = async (owner: string) => (await rowsOf(rig, owner)).conversations ?? 0;
  const setDeleted = async (ids: string[], at: number) => {
    const change = { status: 'deleted', updated_at: new Date(at).toISOString() } as const;
    await database.db.updateTable('accounts').set(change).where('id', 'in', ids).execute();
  };

  it('takes no more conversations at once than it is told, of all who are deleted', async () => {
    const [, two = '', kept = ''] = ids;
    const before = await rowsOf(rig, kept);
    await setDeleted([two], Date.now());
    await removeDeletedAccounts(database.db, 1);
    expect(await conversations(two)).toBe(4);
    expect((await rowsOf(rig, two)).tasks).toBe(1);
    await removeDeletedAccounts(database.db, 4);
    expect(await conversations(two)).toBe(0);
    await removeDeletedAccounts(database.db, 1);
    expect(await rowsOf(rig, two)).toEqual({ accounts: 1 });
    expect(await rowsOf(rig, kept)).toEqual(before);
  });

  it('goes on where it was when the process died, wherever that was', async () => {
    const [one = '', , kept = ''] = ids;
    const numbers = await numbersOf(rig, one);
    const before = await rowsOf(rig, kept);
    await setDeleted([one], 0);
    let deaths = 0;
    for (let queries = 1; Object.keys(await rowsOf(rig, one)).length > 0; queries++) {
      let left = queries;
      const mortal = database.db.withPlugin({
        transformQuery: ({ node }) => {
          if (left-- === 0) throw new Error('the process has died');
          return node;
        },
        transformResult: ({ result }) => Promise.resolve(result),
      });
      await removeDeletedAccounts(mortal, 1).catch(() => deaths++);
      // As if time had passed.
      await database.db.updateTable('orphans').set({ expires_at: 0 }).execute();
      if (queries % 3 === 0) await removeExpiredOrphans(database.db);
      expect(await rowsOf(rig, kept)).toEqual(before);
    }
    expect(deaths).toBeGreaterThan(10);
    await removeExpiredOrphans(database.db);
    expect(await searchable(rig, numbers)).toBe(0);
    const orphaned = await database.db.selectFrom('conversations').select('id').where('owner', '=', '').execute();
    expect(orphaned).toEqual([]);
    expect(await rowsOf(rig, kept)).toEqual(before);
  });
});
