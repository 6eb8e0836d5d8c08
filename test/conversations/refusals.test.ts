import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConversation, getConversation } from '../../src/storage/conversations.ts';
import type { Database } from '../../src/storage/database.ts';
import { allMessages, insertMessages } from '../../src/storage/messages.ts';
import { createPreset } from '../../src/storage/presets.ts';
import { createTask } from '../../src/storage/tasks.ts';
import { createTicket } from '../../src/storage/tickets.ts';
import { expectError, issuePaths, method } from '../contract/helpers.ts';
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

const OTHER = 'other';

/** Everything that has a conversation's id in its path. */
const OF_ONE: [string, string, object?][] = [
  ['GET', ''],
  ['PATCH', '', { title: 'X' }],
  ['DELETE', ''],
  ['POST', '/messages', { content: 'Hi' }],
  ['POST', '/messages', { content: 'Hi', stream: true }],
  ['POST', '/retry', {}],
  ['DELETE', '/messages/msg_none'],
  ['POST', '/fork', {}],
  ['GET', '/export'],
  ['GET', '/export?format=markdown'],
  ['GET', '/memory'],
  ['POST', '/compact', {}],
  ['DELETE', '/compact'],
];

function ask([name, rest, body]: (typeof OF_ONE)[number], id: string) {
  return rig.server.call(`${CONVERSATIONS}/${id}${rest}`, undefined, method(name, body));
}

/** A conversation of another owner with one message, straight in the database. */
async function othersConversation(): Promise<{ id: string; number: number; messageId: string }> {
  const input = {
    title: 'Secret',
    titleBy: 'client' as const,
    presetId: 'writer',
    taskId: null,
    ticketId: null,
    model: null,
    systemPrompt: null,
    temperature: null,
    maxTokens: null,
    metadata: '{}',
  };
  const { id, number } = await createConversation(database.db, OTHER, input);
  const messageId = `msg_of_${id}`;
  const message = {
    id: messageId,
    role: 'user' as const,
    status: 'failed' as const,
    tokens: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    body: '{"content":"Secret"}',
    words: 'Secret',
    calls: [],
  };
  await insertMessages(database.db, { owner: OTHER, conversation: number, turn: 't', firstSeq: 1 }, [message]);
  return { id, number, messageId };
}

describe('what is not there is 404', () => {
  it.each(OF_ONE)('%s …/{id}%s', async (...route) => {
    for (const id of ['conv_none', '%00', 'a%00b', '%F0%9F%A6%80', '%ED%A0%80', 'x'.repeat(200), '..%2f..', '%zz'])
      expectError(await ask(route, id), 404, 'not_found');
    expect(issuePaths(await ask(route, 'x'.repeat(201)))).toEqual(['path.id']);
  });

  it.each(OF_ONE)('once deleted: %s …/{id}%s', async (...route) => {
    const { id } = await rig.create();
    await rig.send(id, 'Hi');
    expect((await rig.remove(id)).body).toEqual({ message: 'Conversation deleted' });
    expectError(await ask(route, id), 404, 'not_found', id);
  });

  it.each(OF_ONE)('of another owner: %s …/{id}%s', async (...route) => {
    const { id, number } = await othersConversation();
    expectError(await ask(route, id), 404, 'not_found', id);
    expect(await getConversation(database.db, OTHER, id)).toMatchObject({ title: 'Secret', number });
    expect(await allMessages(database.db, { owner: OTHER, conversation: number })).toHaveLength(1);
  });

  it('a conversation for a completion', async () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const { id } = await othersConversation();
    for (const conversationId of ['conv_none', '\0', '\ud800', id]) {
      const body = { messages, model: 'gpt-4o-mini', conversationId };
      expectError(await rig.server.call('/api/chat/completions', body), 404, 'not_found', 'Conversation');
    }
  });

  it('a message: unknown, of another conversation, of another owner', async () => {
    const { id } = await rig.create();
    await rig.send(id, 'Hi');
    const elsewhere = (await rig.send((await rig.create()).id, 'Hi')).body.userMessage.id;
    const others = await othersConversation();
    for (const messageId of ['msg_none', '\0', 'é\0', elsewhere, others.messageId]) {
      const path = `${id}/messages/${encodeURIComponent(messageId)}`;
      expectError(await rig.remove(path), 404, 'not_found', 'Message');
      const forked = await rig.server.call(`${CONVERSATIONS}/${id}/fork`, { messageId });
      expectError(forked, 404, 'not_found', 'Message');
    }
    expect(issuePaths(await rig.remove(`${id}/messages/${'x'.repeat(201)}`))).toEqual(['path.messageId']);
    expect((await rig.read(id)).messages).toHaveLength(2);
  });

  it('what another owner has to link', async () => {
    const { db } = database;
    const task = await createTask(db, OTHER, { title: 'T', prompt: 'P' });
    const ticket = await createTicket(db, OTHER, { title: 'T' });
    const preset = await createPreset(db, OTHER, { name: 'N', systemPrompt: 'S' });
    const links = [{ taskId: task.id }, { ticketId: ticket.id }, { ticketId: ticket.key }, { presetId: preset.id }];
    for (const link of links) expectError(await rig.server.call(CONVERSATIONS, link), 404, 'not_found');
    const { id } = await rig.create();
    expectError(await rig.patch(id, { presetId: preset.id }), 404, 'not_found');
    const imported = { conversation: { taskId: task.id, ticketId: ticket.key, presetId: preset.id }, messages: [] };
    expect((await rig.server.call(`${CONVERSATIONS}/import`, imported)).body.conversation).toMatchObject({
      taskId: null,
      ticketId: null,
      presetId: 'profclaw-assistant',
    });
  });
});

const nested = (levels: number): Json => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

/** Of a new conversation or a change, with the paths of the complaints. */
const WRONG: [string, object, string[]][] = [
  ['an empty title', { title: '' }, ['title']],
  ['a title too long', { title: 'x'.repeat(501) }, ['title']],
  ['a NUL in the title', { title: 'a\0b' }, ['title']],
  ['half a surrogate pair in the title', { title: '\udc00' }, ['title']],
  ['an empty prompt', { systemPrompt: '' }, ['systemPrompt']],
  ['a prompt too long', { systemPrompt: 'x'.repeat(1_000_001) }, ['systemPrompt']],
  ['NUL and half a pair at once', { title: '\0', systemPrompt: '\ud800' }, ['systemPrompt', 'title']],
  ['an empty model', { model: '' }, ['model']],
  ['a NUL in a model', { model: 'openai/a\0' }, ['model']],
  ['half a surrogate pair in a model', { model: 'openai/\ud800' }, ['model']],
  ['a preset that is no text', { presetId: 5 }, ['presetId']],
  ['a preset too long', { presetId: 'x'.repeat(201) }, ['presetId']],
  ['metadata that is no object', { metadata: [] }, ['metadata']],
  ['metadata too large', { metadata: { a: 'x'.repeat(65_530) } }, ['metadata']],
  ['metadata too deep', { metadata: { a: nested(100) } }, ['metadata']],
  ['fields of ours', { id: 'conv_1', usage: {}, owner: OTHER }, ['id', 'owner', 'usage']],
  ['several at once', { title: 1, metadata: 2, nope: 3, model: 4 }, ['metadata', 'model', 'nope', 'title']],
];

describe('wrong fields are 400, every one of them named', () => {
  it.each(WRONG)('%s', async (_, fields, paths) => {
    const { total } = await rig.list();
    expect(issuePaths(await rig.server.call(CONVERSATIONS, fields)).toSorted()).toEqual(paths);
    expect((await rig.list()).total).toBe(total);
    const made = await rig.create();
    expect(issuePaths(await rig.patch(made.id, fields)).toSorted()).toEqual(paths);
    expect((await rig.read(made.id)).conversation).toEqual(made);
  });

  it('metadata of any depth', async () => {
    for (const levels of [20_000, 1_000_000]) {
      const body = `{"metadata":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
      const headers = { 'content-type': 'application/json', 'idempotency-key': `deep-${levels}` };
      expect(issuePaths(await rig.server.call(CONVERSATIONS, undefined, { method: 'POST', headers, body }))).toEqual([
        'metadata',
      ]);
    }
    const most = { a: nested(99) };
    expect((await rig.create({ metadata: most })).metadata).toEqual(most);
  });

  it('what a change cannot clear or move', async () => {
    const { id } = await rig.create();
    const change = { title: null, presetId: null, metadata: null, taskId: 'x', ticketId: null };
    expect(issuePaths(await rig.patch(id, change)).toSorted()).toEqual(Object.keys(change).toSorted());
  });

  it.each<[object, string[]]>([
    [{}, ['content']],
    [{ content: '' }, ['content']],
    [{ content: [] }, ['content']],
    [{ content: [{ type: 'text', text: '' }] }, ['content.0.text']],
    [{ content: [{ type: 'image', image: 'http://a/b.png' }] }, ['content.0.image']],
    [{ content: 'x', role: 'system', temperature: 3, maxTokens: 0 }, ['maxTokens', 'role', 'temperature']],
    [{ content: null, stream: 'yes', model: '' }, ['content', 'model', 'stream']],
  ])('of a message: %j', async (body, paths) => {
    const { id } = await rig.create();
    const answer = await rig.server.call(`${CONVERSATIONS}/${id}/messages`, body);
    expect(issuePaths(answer).toSorted()).toEqual(paths);
    expect((await rig.read(id)).messages).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['?limit=0', ['query.limit']],
    ['?limit=1001', ['query.limit']],
    ['?limit=1.5&before=0', ['query.before', 'query.limit']],
    ['?before=abc', ['query.before']],
    ['?before=-1', ['query.before']],
    ['?before=1e30', ['query.before']],
    ['?before=1&before=2', ['query.before']],
    ['?offset=1&nope=2', ['query.nope', 'query.offset']],
    ['/export?format=xml', ['query.format']],
    ['/export?format=&limit=1', ['query.format', 'query.limit']],
  ])('of a reading: %s', async (rest, paths) => {
    const { id } = await rig.create();
    expect(issuePaths(await rig.server.call(`${CONVERSATIONS}/${id}${rest}`)).toSorted()).toEqual(paths);
  });
});

describe('a wrong import is 400, every problem named, and leaves nothing', () => {
  const call = { id: 'c', name: 'n', arguments: {} };
  const user = { role: 'user', content: 'Hi' };
  const assistant = { role: 'assistant', content: 'Hi' };

  it.each<[string, unknown, string[]]>([
    ['nothing', {}, ['messages']],
    ['a list', [], ['body']],
    ['another format', { format: 'chatgpt', version: 2, messages: [] }, ['format', 'version']],
    ['messages that are none', { messages: 'x' }, ['messages']],
    ['roles that are not kept', { messages: [{ role: 'system', content: 'x' }, user] }, ['messages.0.role']],
    ['a message that is none', { messages: [null, 5, 'x'] }, ['messages.0', 'messages.1', 'messages.2']],
    [
      'a user that answers',
      { messages: [{ ...user, model: 'm', reasoning: 'r', cost: 1, toolCalls: [call], parts: [] }] },
      ['model', 'reasoning', 'cost', 'toolCalls', 'parts'].map((field) => `messages.0.${field}`),
    ],
    [
      'an assistant of wrong types',
      { messages: [{ ...assistant, content: null, cost: -1, duration: 'x', finishReason: 'tired', tokenUsage: {} }] },
      ['content', 'cost', 'duration', 'finishReason']
        .map((field) => `messages.0.${field}`)
        .concat(['prompt', 'completion', 'total'].map((field) => `messages.0.tokenUsage.${field}`)),
    ],
    [
      'a time that is none',
      { messages: [user, { ...user, createdAt: 'yesterday' }, { ...user, createdAt: '2026-01-01T00:00:00+01:00' }] },
      ['messages.1.createdAt', 'messages.2.createdAt'],
    ],
    [
      'calls of wrong shapes',
      {
        messages: [
          {
            ...assistant,
            toolCalls: [
              { ...call, status: 'done', result: {} },
              { id: '', nope: 1 },
            ],
          },
        ],
      },
      ['0.status', '0.result', '1.id', '1.name', '1.arguments', '1.nope'].map((at) => `messages.0.toolCalls.${at}`),
    ],
    [
      'arguments too deep',
      { messages: [{ ...assistant, toolCalls: [{ ...call, arguments: { a: nested(1000) } }] }] },
      ['messages.0.toolCalls.0.arguments'],
    ],
    [
      'parts of wrong shapes',
      { messages: [{ ...assistant, parts: [{ type: 'image' }, { type: 'text' }, { type: 'reasoning', text: 1 }] }] },
      ['messages.0.parts.0.type', 'messages.0.parts.1.text', 'messages.0.parts.2.text'],
    ],
    [
      'two calls of one id',
      { messages: [assistant, { ...assistant, toolCalls: [call, call] }] },
      ['messages.1.toolCalls'],
    ],
    [
      'parts that are not those of the message',
      { messages: [{ ...assistant, parts: [{ type: 'text', text: 'Ho' }], toolCalls: [call] }] },
      ['messages.0.parts', 'messages.0.parts'],
    ],
    [
      'a conversation of wrong types',
      { conversation: { title: 'x'.repeat(501), presetId: 5, model: '', metadata: { a: nested(100) } }, messages: [] },
      ['title', 'presetId', 'model', 'metadata'].map((field) => `conversation.${field}`),
    ],
    ['a NUL in its title', { conversation: { title: '\0' }, messages: [user] }, ['conversation.title']],
    [
      'halves of surrogate pairs',
      { conversation: { title: '\ud800', systemPrompt: '\udc00', model: 'a\ud800' }, messages: [user] },
      ['title', 'systemPrompt', 'model'].map((field) => `conversation.${field}`),
    ],
    [
      'both halves of it',
      { conversation: { title: 5 }, messages: [{ role: 'user' }], nope: 1 },
      ['conversation.title', 'messages.0.content', 'nope'],
    ],
  ])('%s', async (_, body, paths) => {
    const { total } = await rig.list();
    expect(issuePaths(await rig.server.call(`${CONVERSATIONS}/import`, body)).toSorted()).toEqual(paths.toSorted());
    expect((await rig.list()).total).toBe(total);
    expect(await database.db.selectFrom('orphans').selectAll().execute()).toEqual([]);
  });

  it('also with a key, and fields of any depth that are passed over', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = `{"messages":[{"role":"user","content":"x","id":${deep}}],"conversation":{"more":${deep}}}`;
    const post = (headers: Record<string, string>) => {
      const json = { 'content-type': 'application/json', ...headers };
      return rig.server.call(`${CONVERSATIONS}/import`, undefined, { method: 'POST', headers: json, body });
    };
    expect((await post({})).status).toBe(201);
    expect(issuePaths(await post({ 'idempotency-key': 'deep' }))).toEqual(['body']);
  });
});
