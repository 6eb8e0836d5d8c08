import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { expectError } from '../contract/helpers.ts';
import { openAiAnswer, openAiDeltas } from '../contract/upstream.ts';
import type { Json } from '../server.ts';
import { CONVERSATIONS, type Rig, startRig } from './rig.ts';

let rig: Rig;
let database: Database;

beforeAll(async () => {
  rig = await startRig();
  database = await rig.open();
});
afterAll(async () => {
  await database.close();
  await rig.stop();
});
beforeEach(() => rig.upstream.reset());

const JSON_TYPE = { 'content-type': 'application/json' };

const TABLES = ['messages', 'tool_calls', 'compactions', 'turns', 'orphans'] as const;

async function numberOf(id: string): Promise<number> {
  const { number } = await database.db
    .selectFrom('conversations')
    .select('number')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return number;
}

/** How many rows of every table belong to a conversation. */
async function rowsOf(number: number): Promise<Record<string, number>> {
  const { db } = database;
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    counts[table] = (await db.selectFrom(table).selectAll().where('conversation', '=', number).execute()).length;
  }
  counts.conversations = (
    await db.selectFrom('conversations').selectAll().where('number', '=', number).execute()
  ).length;
  const search = sql<{ rowid: number }>`select rowid from search where rowid >> 24 = ${number}`;
  counts.search = (await search.execute(db)).rows.length;
  return counts;
}

const NOTHING = {
  messages: 0,
  tool_calls: 0,
  compactions: 0,
  turns: 0,
  orphans: 0,
  conversations: 0,
  search: 0,
};

const call = { id: 'call_1', name: 'look', arguments: { at: 'x' } };

async function imported(count: number, word: string): Promise<string> {
  const messages = Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? { role: 'user', content: `${word} ${i}` }
      : { role: 'assistant', content: `${word} ${i}`, toolCalls: [{ ...call, result: 'seen' }] },
  );
  const body = { conversation: { title: `A title with ${word}` }, messages };
  return (await rig.import(body)).id;
}

describe('after DELETE …/{id}', () => {
  it('nothing is left of a conversation that had everything', async () => {
    const { id } = await rig.create();
    const tool = { function: { name: call.name, arguments: JSON.stringify(call.arguments) }, id: call.id };
    rig.upstream.replies.push({ json: openAiAnswer({ tool_calls: [tool] }, 'tool-calls') });
    const asked = { conversationId: id, model: 'gpt-4o-mini', tools: [{ name: call.name, parameters: {} }] };
    const complete = (message: object) => rig.server.call('/api/chat/completions', { ...asked, messages: [message] });
    expect((await complete({ role: 'user', content: 'Look!' })).status).toBe(200);
    expect((await complete({ role: 'tool', toolCallId: call.id, content: 'seen' })).status).toBe(200);
    await rig.send(id, `A long story: ${'and then '.repeat(500)}`);
    await rig.send(id, 'Go on');
    const compacted = await rig.server.call(`${CONVERSATIONS}/${id}/compact`, {});
    expect(compacted.body.compaction).not.toBeNull();
    rig.upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
    expect((await rig.send(id, 'This fails')).status).toBe(400);
    const number = await numberOf(id);
    const before = await rowsOf(number);
    for (const table of ['messages', 'tool_calls', 'compactions', 'conversations', 'search']) {
      expect([table, before[table]]).not.toEqual([table, 0]);
    }
    expect((await rig.remove(id)).body).toEqual({ message: 'Conversation deleted' });
    expect(await rowsOf(number)).toEqual(NOTHING);
  });

  it('nothing is left of a thousand messages, and everything of its neighbours', async () => {
    const ids = [await imported(3, 'kept'), await imported(1000, 'vanishing'), await imported(3, 'kept')];
    const [first = 0, middle = 0, last = 0] = await Promise.all(ids.map(numberOf));
    const { total } = await rig.list();
    expect(await rowsOf(middle)).toEqual({
      ...NOTHING,
      messages: 1000,
      tool_calls: 500,
      conversations: 1,
      search: 1001,
    });
    expect((await rig.list('?q=vanishing')).total).toBe(1);
    expect((await rig.remove(ids[1]!)).status).toBe(200);
    expect(await rowsOf(middle)).toEqual(NOTHING);
    for (const number of [first, last]) {
      expect(await rowsOf(number)).toEqual({ ...NOTHING, messages: 3, tool_calls: 1, conversations: 1, search: 4 });
    }
    expect((await rig.list()).total).toBe(total - 1);
    expect(await rig.list('?q=vanishing')).toEqual({ conversations: [], total: 0, nextCursor: null });
    expect((await rig.list('?q=kept')).total).toBe(2);
  });

  it('a message that is being answered is stopped, and nothing of it is stored', async () => {
    const { id } = await rig.create();
    const number = await numberOf(id);
    rig.upstream.replies.push({ pieces: openAiDeltas([{ content: 'Once' }]), stall: true });
    const body = JSON.stringify({ content: 'Hi', model: 'gpt-4o-mini', stream: true });
    const headers = { 'content-type': 'application/json' };
    const url = `${rig.server.url}${CONVERSATIONS}/${id}/messages`;
    const response = await fetch(url, { method: 'POST', headers, body });
    expect(await rowsOf(number)).toMatchObject({ messages: 1, turns: 1 });
    expect((await rig.remove(id)).status).toBe(200);
    const last: Json = JSON.parse((await response.text()).trim().split('data: ').at(-1)!);
    expect(last).toMatchObject({
      done: true,
      partial: true,
      code: 'conflict',
      error: expect.stringMatching(/deleted while it was being answered/),
    });
    expect(await rowsOf(number)).toEqual(NOTHING);
    expectError(await rig.server.call(`${CONVERSATIONS}/${id}`), 404, 'not_found');
  });

  it('a number is not given again', async () => {
    const { id } = await rig.create();
    const number = await numberOf(id);
    await rig.remove(id);
    expect(await numberOf((await rig.create()).id)).toBeGreaterThan(number);
  });

  it('nothing is left in the answers that are kept for idempotency keys', async () => {
    const keyed = (key: string) => ({ method: 'POST', headers: { ...JSON_TYPE, 'idempotency-key': key } });
    const post = (path: string, key: string, body: Json) =>
      rig.server.call(path, undefined, { ...keyed(key), body: JSON.stringify(body) });
    const { id } = (await post(CONVERSATIONS, 'begin', { title: 'unspeakable' })).body.conversation;
    await post(`${CONVERSATIONS}/${id}/messages`, 'send', { content: 'unspeakable' });
    const messages = [{ role: 'user', content: 'unspeakable' }];
    await post('/api/chat/completions', 'complete', { messages, conversationId: id });
    const answers = async () =>
      (await database.db.selectFrom('idempotency_keys').select('answer').where('answer', 'like', `%${id}%`).execute())
        .length;
    expect(await answers()).toBe(3);
    await rig.remove(id);
    expect(await answers()).toBe(0);
    expect((await post(`${CONVERSATIONS}/${id}/messages`, 'send', { content: 'unspeakable' })).status).toBe(404);
  });
});

describe('after DELETE …/messages/{messageId}', () => {
  it('nothing is left of 900 messages, and everything of those before', async () => {
    const id = await imported(1000, 'shrinking');
    const number = await numberOf(id);
    const { messages } = await rig.read(id);
    expect((await rig.remove(`${id}/messages/${messages[100].id}`)).body.deleted).toBe(900);
    expect(await rowsOf(number)).toEqual({ ...NOTHING, messages: 100, tool_calls: 50, conversations: 1, search: 101 });
    expect(await rig.read(id)).toMatchObject({ messages: messages.slice(0, 100), conversation: { messageCount: 100 } });
    expect((await rig.list('?q=shrinking 101')).total).toBe(0);
    expect((await rig.list('?q=shrinking 99')).total).toBe(1);
  });

  it('a summary of what is deleted is gone, and the model sees again what is left', async () => {
    const { id } = await rig.create({ systemPrompt: 'S' });
    for (const content of ['one', 'two']) await rig.send(id, `${content} ${'bla '.repeat(400)}`, {}, `re ${content}`);
    for (const content of ['three', 'four']) await rig.send(id, content, {}, `re ${content}`);
    rig.upstream.replies.push({ json: openAiAnswer({ content: 'The summary.' }) });
    const { body } = await rig.server.call(`${CONVERSATIONS}/${id}/compact`, {});
    expect(body.compaction.summary).toBe('The summary.');
    const sent = async (content: string): Promise<string[]> => {
      await rig.send(id, content);
      return rig.upstream.sent
        .at(-1)!
        .body.messages.map((message: Json) => message.content.split(' ').slice(0, 2).join(' '));
    };
    const compacted = await sent('five');
    expect(compacted).not.toContain('one bla');
    const { messages } = await rig.read(id);
    const { coveredSeq } = (await rig.server.call(`${CONVERSATIONS}/${id}/memory`)).body;
    const covered = messages.find(({ seq }: Json) => seq === coveredSeq);
    // What follows the summary can go without it.
    await rig.remove(`${id}/messages/${messages.find(({ seq }: Json) => seq > coveredSeq).id}`);
    expect((await rig.server.call(`${CONVERSATIONS}/${id}/memory`)).body).toMatchObject({
      coveredSeq,
      summary: 'The summary.',
    });
    await rig.remove(`${id}/messages/${covered.id}`);
    const memory = (await rig.server.call(`${CONVERSATIONS}/${id}/memory`)).body;
    expect(memory).toMatchObject({ coveredSeq: 0, summary: null, compactions: [] });
    expect(await rowsOf(await numberOf(id))).toMatchObject({ compactions: 0 });
    const left = messages.filter(({ seq }: Json) => seq < coveredSeq);
    const begin = left.map((message: Json) => message.content.split(' ').slice(0, 2).join(' '));
    expect(await sent('six')).toEqual(['S', ...begin, 'six']);
  });
});
