import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BUILT_IN_PRESETS } from '../../src/chat/presets.ts';
import { expectError, method } from '../contract/helpers.ts';
import { openAiAnswer, PLAIN } from '../contract/upstream.ts';
import { type Json, startTestServer } from '../server.ts';
import { CONVERSATIONS, type Rig, startRig } from './rig.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOTHING_SPENT = { promptTokens: 0, completionTokens: 0, totalTokens: 0, cost: null, unpricedAnswers: 0 };
/** Seven tokens at 0.15 and three at 0.60 USD per million. */
const COST = 0.00000285;
/** A model that no catalogue has a price of. */
const UNPRICED = 'openai/gpt-of-tomorrow';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
beforeEach(() => rig.upstream.reset());

const promptOf = (id: string) => BUILT_IN_PRESETS.find((preset) => preset.id === id)!.systemPrompt;
const lastSent = (): Json => rig.upstream.sent.at(-1)!.body;

async function preset(fields: object = {}): Promise<Json> {
  const least = { name: 'N', systemPrompt: 'Be brief.' };
  return (await rig.server.call('/api/chat/presets', { ...least, ...fields })).body.preset;
}

describe('POST /conversations', () => {
  it('gives a conversation with every field, and nothing in it', async () => {
    const { status, body } = await rig.server.call(CONVERSATIONS, {});
    expect(status).toBe(201);
    expect(body).toEqual({
      conversation: {
        id: expect.stringMatching(/^conv_[0-9a-z]{24}$/),
        title: '',
        presetId: 'profclaw-assistant',
        taskId: null,
        ticketId: null,
        model: null,
        systemPrompt: promptOf('profclaw-assistant'),
        temperature: null,
        maxTokens: null,
        metadata: {},
        createdAt: expect.stringMatching(ISO),
        updatedAt: body.conversation.createdAt,
        messageCount: 0,
        usage: NOTHING_SPENT,
      },
    });
    expect(await rig.read(body.conversation.id)).toEqual({ ...body, messages: [], hasMore: false, nextBefore: null });
  });

  it('keeps everything given', async () => {
    const { task } = (await rig.server.call('/api/tasks', { title: 'T', prompt: 'P' })).body;
    const { ticket } = (await rig.server.call('/api/tickets', { title: 'T' })).body;
    const metadata = { a: [1, null, { b: 'ü' }], 'c d': true };
    const given = { title: 'x'.repeat(500), presetId: 'writer', taskId: task.id, metadata, model: 'openai/gpt-4o' };
    const made = await rig.create({ ...given, ticketId: ticket.key.toLowerCase() });
    expect(made).toMatchObject({ ...given, ticketId: ticket.id, systemPrompt: promptOf('writer') });
    expect((await rig.read(made.id)).conversation).toEqual(made);
  });

  it.each([
    ['task', { taskId: 'task_none' }, 'task_none'],
    ['ticket', { ticketId: 'PC-999' }, 'PC-999'],
    ['preset', { presetId: 'preset_none' }, 'preset_none'],
    ['preset with a NUL', { presetId: 'a\0' }, 'a'],
    ['task with half a surrogate pair', { taskId: '\ud800' }, 'Task'],
    ['ticket with a NUL', { ticketId: '\0' }, 'Ticket'],
  ])('404 for a %s that is not there', async (_, fields, words) => {
    const { total } = await rig.list();
    expectError(await rig.server.call(CONVERSATIONS, fields), 404, 'not_found', words);
    expect((await rig.list()).total).toBe(total);
  });

  it('says which model is none, and which provider has no key', async () => {
    const unknown = await rig.server.call(CONVERSATIONS, { model: 'gpd-4o' });
    expectError(unknown, 404, 'model_not_found', 'gpd-4o');
    expect(unknown.body.details.suggestions).toContain('gpt-4o');
    const keyless = await rig.server.call(CONVERSATIONS, { model: 'groq/llama' });
    expectError(keyless, 503, 'provider_not_configured', 'GROQ_API_KEY');
  });
});

describe('POST …/messages', () => {
  it('answers with both messages as they are kept', async () => {
    const made = await rig.create();
    const { status, body } = await rig.send(made.id, 'Hello?');
    expect(status).toBe(200);
    const common = { conversationId: made.id, status: 'complete', error: null, createdAt: expect.stringMatching(ISO) };
    const usage = { promptTokens: 7, completionTokens: 3, totalTokens: 10, cost: COST };
    const nothing = {
      reasoning: null,
      model: null,
      provider: null,
      tokenUsage: null,
      cost: null,
      finishReason: null,
      duration: null,
    };
    expect(body).toEqual({
      userMessage: {
        ...common,
        ...nothing,
        id: expect.stringMatching(/^msg_[0-9a-z]{24}$/),
        seq: 1,
        role: 'user',
        content: 'Hello?',
        toolCalls: [],
      },
      assistantMessage: {
        ...common,
        id: expect.stringMatching(/^msg_[0-9a-z]{24}$/),
        seq: 2,
        role: 'assistant',
        content: PLAIN,
        reasoning: null,
        provider: 'openai',
        model: 'gpt-4o-mini',
        tokenUsage: { prompt: 7, completion: 3, total: 10 },
        cost: COST,
        toolCalls: [],
        finishReason: 'stop',
        duration: expect.any(Number),
      },
      usage,
      compaction: null,
    });
    const { conversation, messages } = await rig.read(made.id);
    expect(messages).toEqual([body.userMessage, body.assistantMessage]);
    expect(conversation).toEqual({
      ...made,
      title: 'Hello?',
      messageCount: 2,
      usage: { ...usage, unpricedAnswers: 0 },
      updatedAt: expect.stringMatching(ISO),
    });
    expect(conversation.updatedAt >= made.updatedAt).toBe(true);
  });

  it('streams the same, and what it streams is kept', async () => {
    const { id } = await rig.create();
    const body = { content: 'Hi', model: 'gpt-4o-mini', stream: true };
    const { events } = await rig.server.stream(`${CONVERSATIONS}/${id}/messages`, body);
    const { done, ...last } = events.at(-1);
    expect([events.slice(0, -1), done]).toEqual([[{ content: PLAIN }], true]);
    expect(Object.keys(last)).toEqual(['userMessage', 'assistantMessage', 'usage', 'compaction']);
    expect((await rig.read(id)).messages).toEqual([last.userMessage, last.assistantMessage]);
  });

  it('adds up what was spent, and counts what has no price', async () => {
    const { id } = await rig.create();
    await rig.send(id, 'one', { model: UNPRICED });
    expect((await rig.read(id)).conversation.usage).toMatchObject({ cost: null, unpricedAnswers: 1 });
    for (const content of ['two', 'three']) await rig.send(id, content);
    const { conversation, messages } = await rig.read(id);
    expect(conversation.usage).toEqual({
      promptTokens: 21,
      completionTokens: 9,
      totalTokens: 30,
      cost: 2 * COST,
      unpricedAnswers: 1,
    });
    expect(messages.map(({ cost }: Json) => cost)).toEqual([null, null, null, COST, null, COST]);
    expect(conversation.messageCount).toBe(6);
  });

  it('adds up small costs exactly', async () => {
    const { id } = await rig.create();
    // 1 token is 0.00000015 USD: a sum of floating point numbers would drift.
    const counts = { prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 };
    for (let i = 0; i < 30; i++) {
      rig.upstream.replies.push({ json: openAiAnswer({ content: 'x' }, 'stop', counts) });
      await rig.send(id, 'x');
    }
    expect((await rig.read(id)).conversation.usage.cost).toBe(0.0000045);
  });
});

describe('presets', () => {
  it('are applied when the conversation begins, whatever becomes of them later', async () => {
    const own = await preset({ model: 'openai/gpt-4o', temperature: 0.3, maxTokens: 77 });
    const { id } = await rig.create({ presetId: own.id });
    const changed = { systemPrompt: 'Other', model: 'gpt-4', temperature: 1, maxTokens: 5 };
    expect((await rig.server.call(`/api/chat/presets/${own.id}`, undefined, method('PATCH', changed))).status).toBe(
      200,
    );
    const asked = async () => {
      expect((await rig.send(id, 'Hi', { model: undefined })).status).toBe(200);
      return lastSent();
    };
    const first = { model: 'gpt-4o', temperature: 0.3, max_tokens: 77 };
    const system = { role: 'system', content: 'Be brief.' };
    expect(await asked()).toMatchObject({ ...first, messages: [system, { role: 'user', content: 'Hi' }] });
    await rig.server.call(`/api/chat/presets/${own.id}`, undefined, method('DELETE'));
    expect(await asked()).toMatchObject({ ...first, messages: [system, {}, {}, { content: 'Hi' }] });
    expect((await rig.read(id)).conversation).toMatchObject({ presetId: own.id, systemPrompt: 'Be brief.' });
  });

  it('yield to what the conversation is given, and both to what a message is given', async () => {
    const own = await preset({ model: 'openai/gpt-4o', temperature: 0.3 });
    const { id } = await rig.create({ presetId: own.id, systemPrompt: 'Mine', model: 'openai/gpt-4.1' });
    await rig.send(id, 'Hi', { model: undefined, temperature: 1, maxTokens: 9 });
    expect(lastSent()).toMatchObject({ model: 'gpt-4.1', temperature: 1, max_tokens: 9 });
    expect(lastSent().messages[0].content).toBe('Mine');
    await rig.send(id, 'Hi', { model: 'gpt-4o-mini' });
    expect(lastSent()).toMatchObject({ model: 'gpt-4o-mini', temperature: 0.3 });
    expect(lastSent()).not.toHaveProperty('max_tokens');
  });
});

describe('PATCH …/{id}', () => {
  it('changes what is given and nothing else', async () => {
    const given = { title: 'Old', model: 'gpt-4o', metadata: { a: 1, b: 2 }, systemPrompt: 'S' };
    let known = await rig.create(given);
    const steps = [{ title: 'New' }, { metadata: { c: 3 } }, { model: 'openai/gpt-4.1' }, { systemPrompt: 'T' }, {}];
    for (const change of steps) {
      const { status, body } = await rig.patch(known.id, change);
      expect(status).toBe(200);
      expect(body.conversation).toEqual({ ...known, ...change, updatedAt: expect.stringMatching(ISO) });
      expect((await rig.read(known.id)).conversation).toEqual(body.conversation);
      known = body.conversation;
    }
  });

  it('applies a preset before what else is given', async () => {
    const own = await preset({ model: 'openai/gpt-4o', temperature: 0.3, maxTokens: 77 });
    const { id } = await rig.create({ presetId: own.id });
    const bare = (await rig.patch(id, { presetId: 'writer' })).body.conversation;
    expect(bare).toMatchObject({ presetId: 'writer', model: null, systemPrompt: promptOf('writer') });
    await rig.send(id, 'Hi');
    for (const field of ['temperature', 'max_tokens']) expect(lastSent()).not.toHaveProperty(field);
    const { body } = await rig.patch(id, { presetId: own.id, systemPrompt: 'Mine', model: null });
    expect(body.conversation).toMatchObject({ presetId: own.id, systemPrompt: 'Mine', model: null });
    await rig.send(id, 'Hi');
    expect(lastSent()).toMatchObject({ temperature: 0.3, max_tokens: 77 });
  });

  it('null clears the model and the system prompt', async () => {
    const { id } = await rig.create({ model: 'gpt-4.1', systemPrompt: 'S' });
    const { body } = await rig.patch(id, { model: null, systemPrompt: null });
    expect(body.conversation).toMatchObject({ model: null, systemPrompt: null });
    await rig.send(id, 'Hi');
    expect(lastSent().messages).toEqual([{ role: 'user', content: 'Hi' }]);
    await rig.send(id, 'Hi', { model: undefined });
    expect(lastSent().model).not.toBe('gpt-4.1');
  });

  it('changes nothing if anything of it is not there', async () => {
    const made = await rig.create({ title: 'T' });
    for (const [change, code] of [
      [{ title: 'X', model: 'gpd-4o' }, 'model_not_found'],
      [{ title: 'X', presetId: 'none' }, 'not_found'],
      [{ title: 'X', presetId: '\0' }, 'not_found'],
    ] as const) {
      expectError(await rig.patch(made.id, change), 404, code);
    }
    expect((await rig.read(made.id)).conversation).toEqual(made);
  });
});

describe('linked tasks and tickets', () => {
  it('go into every prompt as they are then, and are missed by nobody once deleted', async () => {
    const { task } = (await rig.server.call('/api/tasks', { title: 'Old task', prompt: 'P' })).body;
    const { ticket } = (await rig.server.call('/api/tickets', { title: 'A ticket' })).body;
    const { id } = await rig.create({ taskId: task.id, ticketId: ticket.key });
    const system = async (): Promise<string> => {
      expect((await rig.send(id, 'Hi')).status).toBe(200);
      const messages: Json[] = lastSent().messages;
      return messages.flatMap(({ role, content }) => (role === 'system' ? [content] : [])).join('\n');
    };
    expect(await system()).toMatch(/<task>.*Old task.*<ticket>.*A ticket/s);
    await rig.server.call(`/api/tasks/${task.id}`, undefined, method('PATCH', { title: 'New task' }));
    expect(await system()).toMatch(/New task/);
    await rig.server.call(`/api/tasks/${task.id}`, undefined, method('DELETE'));
    await rig.server.call(`/api/tickets/${ticket.id}`, undefined, method('DELETE'));
    expect(await system()).toBe(promptOf('profclaw-assistant'));
    expect((await rig.read(id)).conversation).toMatchObject({ taskId: task.id, ticketId: ticket.id });
  });
});

describe('DELETE …/messages/{messageId}', () => {
  it('removes it and what followed; the conversation goes on from there', async () => {
    const { id } = await rig.create({ systemPrompt: 'S' });
    for (const content of ['one', 'two', 'three']) await rig.send(id, content, {}, `re ${content}`);
    const { messages, conversation } = await rig.read(id);
    expect(await rig.remove(`${id}/messages/${messages[3].id}`)).toMatchObject({
      status: 200,
      body: { message: 'Message deleted', deleted: 3 },
    });
    const left = await rig.read(id);
    expect(left.messages).toEqual(messages.slice(0, 3));
    expect(left.conversation).toEqual({ ...conversation, messageCount: 3, updatedAt: expect.stringMatching(ISO) });
    expectError(await rig.remove(`${id}/messages/${messages[3].id}`), 404, 'not_found', messages[3].id);
    await rig.send(id, 'four');
    expect(lastSent().messages.map(({ content }: Json) => content)).toEqual(['S', 'one', 're one', 'two', 'four']);
    const seqs = (await rig.read(id)).messages.map(({ seq }: Json) => seq);
    expect(seqs).toEqual([1, 2, 3, 7, 8]);
  });

  it('takes a failed one too, and the last one left', async () => {
    const { id } = await rig.create();
    rig.upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
    expect((await rig.send(id, 'one')).status).toBe(400);
    const { messages } = await rig.read(id);
    expect(messages).toMatchObject([{ status: 'failed', error: { code: 'provider_rejected' } }]);
    expect((await rig.remove(`${id}/messages/${messages[0].id}`)).body.deleted).toBe(1);
    expect(await rig.read(id)).toMatchObject({ messages: [], conversation: { messageCount: 0 } });
    expect((await rig.send(id, 'two')).status).toBe(200);
  });
});

it('conversations survive a restart', async () => {
  const made = await rig.create({ title: 'kept', metadata: { a: 1 } });
  await rig.send(made.id, 'Hi');
  const second = await startTestServer({}, rig.server.home);
  const { body } = await second.call(`${CONVERSATIONS}/${made.id}`);
  await second.stop();
  expect(body).toEqual(await rig.read(made.id));
  expect(body.messages).toHaveLength(2);
});
