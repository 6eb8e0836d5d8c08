import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { openAiAnswer } from '../contract/upstream.ts';
import type { Json } from '../server.ts';
import { content, EVERYTHING, settings } from './everything.ts';
import { CONVERSATIONS, type Rig, startRig } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());
beforeEach(() => rig.upstream.reset());

async function forked(id: string, messageId?: string): Promise<Json> {
  const { status, body } = await rig.server.call(`${CONVERSATIONS}/${id}/fork`, { messageId });
  expect(status).toBe(201);
  return body.conversation;
}

describe('fork', () => {
  it('of all of it is the same conversation, and from then on another one', async () => {
    const made = await rig.create({ title: 'T', metadata: { a: 1 }, presetId: 'writer', model: 'gpt-4o' });
    for (const text of ['one', 'two']) await rig.send(made.id, text, {}, `re ${text}`);
    const original = await rig.export(made.id);
    const copy = await forked(made.id);
    expect(settings(copy)).toEqual(settings(original.conversation));
    expect(copy).toMatchObject({ messageCount: 4, usage: { totalTokens: 0, cost: null, unpricedAnswers: 0 } });
    expect((await rig.export(copy.id)).messages.map(content)).toEqual(original.messages.map(content));
    await rig.send(copy.id, 'onlyhere');
    await rig.patch(copy.id, { title: 'Another' });
    expect(await rig.export(made.id)).toEqual(original);
    expect((await rig.remove(made.id)).status).toBe(200);
    expect(await rig.read(copy.id)).toMatchObject({ conversation: { title: 'Another', messageCount: 6 } });
    expect((await rig.list('?q=onlyhere')).conversations.map(({ id }: Json) => id)).toEqual([copy.id]);
  });

  it('copies everything a message has', async () => {
    const { id } = await rig.import({ messages: EVERYTHING });
    const [original, copy] = [await rig.export(id), await rig.export((await forked(id)).id)];
    expect(copy.messages.map(content)).toEqual(original.messages.map(content));
  });

  it('ends with the message that is named, and the model is sent no more', async () => {
    const { id } = await rig.create({ systemPrompt: 'S' });
    for (const text of ['one', 'two']) await rig.send(id, text, {}, `re ${text}`);
    const { messages } = await rig.read(id);
    for (const count of [1, 2, 3]) {
      const copy = await forked(id, messages[count - 1].id);
      expect(copy.messageCount).toBe(count);
      await rig.send(copy.id, 'three');
      const sent = rig.upstream.sent.at(-1)!.body.messages.map((message: Json) => message.content);
      expect(sent).toEqual(['S', 'one', 're one', 'two'].slice(0, count + 1).concat('three'));
    }
  });

  it('leaves out what failed', async () => {
    const { id } = await rig.create();
    await rig.send(id, 'one');
    rig.upstream.replies.push({ status: 400, json: { error: { message: 'No.' } } });
    await rig.send(id, 'fails');
    const failed = (await rig.read(id)).messages.at(-1);
    await rig.send(id, 'two');
    const texts = async (copy: Json) => (await rig.read(copy.id)).messages.map((message: Json) => message.content);
    expect(await texts(await forked(id))).toEqual(['one', expect.any(String), 'two', expect.any(String)]);
    expect(await texts(await forked(id, failed.id))).toEqual(['one', expect.any(String)]);
  });

  it('keeps the summaries of what it has, so that they are not paid for again', async () => {
    const { id } = await rig.create({ systemPrompt: 'S' });
    // A gap in the numbers of the messages, as a deletion leaves it.
    await rig.send(id, 'gone');
    await rig.remove(`${id}/messages/${(await rig.read(id)).messages[0].id}`);
    for (const text of ['one', 'two']) await rig.send(id, `${text} ${'bla '.repeat(400)}`);
    for (const text of ['three', 'four']) await rig.send(id, text);
    rig.upstream.replies.push({ json: openAiAnswer({ content: 'The summary.' }) });
    const compacted = await rig.server.call(`${CONVERSATIONS}/${id}/compact`, {});
    expect(compacted.body.compaction.summary).toBe('The summary.');
    const memory = async (of: string): Promise<Json> => (await rig.server.call(`${CONVERSATIONS}/${of}/memory`)).body;
    const original = await memory(id);
    const copy = await forked(id);
    const { summary, liveMessages } = await memory(copy.id);
    expect([summary, liveMessages]).toEqual(['The summary.', original.liveMessages]);
    const sent = async (of: string): Promise<Json> => {
      await rig.send(of, 'five');
      return rig.upstream.sent.at(-1)!.body.messages;
    };
    const history = await sent(id);
    expect(JSON.stringify(history)).not.toContain('one bla');
    expect(await sent(copy.id)).toEqual(history);
    // Without the messages that it covers, a summary does not hold.
    const early = await forked(id, (await rig.read(id)).messages[1].id);
    expect(await memory(early.id)).toMatchObject({ summary: null, compactions: [], liveMessages: 2 });
  });

  it('of an empty conversation is one', async () => {
    const { id } = await rig.create({ title: 'T' });
    expect(await forked(id)).toMatchObject({ title: 'T', messageCount: 0 });
    expectError(await rig.server.call(`${CONVERSATIONS}/${id}/fork`, { messageId: id }), 404, 'not_found');
  });
});
