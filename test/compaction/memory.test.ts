import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { brokenPairs } from './histories.ts';
import { kinds, pairsOf, type Rig, SUMMARY, startRig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.vendor.reset());
afterAll(() => rig.stop());

const READ = { name: 'read', parameters: { type: 'object' } };

describe('GET …/memory', () => {
  it('shows what the model sees, before and after', async () => {
    const path = await rig.conversation(8, 600);
    const before = await rig.memory(path);
    expect(before).toEqual({
      summary: null,
      coveredSeq: 0,
      liveMessages: 8,
      tokens: 8 * 154,
      contextWindow: 2000,
      compactions: [],
    });
    const { body } = await rig.compact(path);
    const after = await rig.memory(path);
    const { originalCount, compactedCount, tokensReduced } = body.compaction;
    expect(after).toMatchObject({
      summary: SUMMARY,
      coveredSeq: 8 - (compactedCount - 1),
      liveMessages: compactedCount - 1,
      contextWindow: 2000,
    });
    expect(after.tokens).toBeLessThan(before.tokens);
    expect(after.compactions).toEqual([
      {
        coveredSeq: after.coveredSeq,
        originalCount,
        compactedCount,
        tokensBefore: before.tokens,
        tokensAfter: before.tokens - tokensReduced,
        summary: SUMMARY,
        madeBy: {
          provider: 'openai',
          model: 'gpt-4o',
          usage: expect.objectContaining({ totalTokens: expect.any(Number) }),
        },
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
  });

  it('is 404 for a conversation that is not there, as are compact and undo', async () => {
    const path = '/api/chat/conversations/conv_none';
    expectError(await rig.server.call(`${path}/memory`), 404, 'not_found');
    expectError(await rig.compact(path), 404, 'not_found');
    expectError(await rig.undo(path), 404, 'not_found');
  });
});

describe('POST …/compact', () => {
  it('summarises all but the end although there is room', async () => {
    const path = await rig.conversation(8, 600, { model: 'openai/large' });
    const { status, body } = await rig.compact(path);
    expect(status).toBe(200);
    expect(body.compaction).toMatchObject({ originalCount: 8, compactedCount: 3, summary: SUMMARY });
    expect(kinds(rig.vendor)).toEqual(['summary']);
    await rig.say(path, 'What now?');
    expect(rig.vendor.calls.at(-1)!.body.messages.map(({ role }: { role: string }) => role)).toEqual([
      'system',
      'user',
      'user',
      'assistant',
      'user',
    ]);
  });

  it('is null if there is too little, and asks nobody', async () => {
    for (const messages of [0, 2]) {
      const path = await rig.conversation(messages, 40);
      expect(await rig.compact(path)).toMatchObject({ status: 200, body: { compaction: null } });
    }
    expect(rig.vendor.calls).toEqual([]);
  });

  it('has the named model make it', async () => {
    const path = await rig.conversation(8, 600);
    await rig.compact(path, { model: 'openai/large' });
    expect(rig.vendor.calls[0]!.body.model).toBe('large');
    expect((await rig.memory(path)).compactions[0].madeBy.model).toBe('large');
    expectError(await rig.compact(path, { model: 'nothing-of-the-kind' }), 404, 'model_not_found');
  });

  it('is the provider’s error if there is one, and stores nothing', async () => {
    const path = await rig.conversation(8, 600);
    const before = await rig.memory(path);
    rig.vendor.summarise = () => 'REFUSED';
    expectError(await rig.compact(path), 400, 'provider_rejected', /No, thank you/);
    expect(await rig.memory(path)).toEqual(before);
  });

  it.each([
    ['empty', () => ' \n '],
    ['an echo', (transcript: string) => transcript],
  ])('is an error if the summary is %s: nothing is stored, and what it took is counted', async (_, summarise) => {
    const path = await rig.conversation(8, 600);
    const before = await rig.memory(path);
    rig.vendor.summarise = summarise;
    expectError(await rig.compact(path), 502, 'provider_protocol', /no summary that could be used/);
    expect(await rig.memory(path)).toEqual(before);
    const { usage } = (await rig.read(path)).conversation;
    expect(usage.promptTokens).toBe(rig.vendor.calls[0]!.tokens);
    expect(usage.cost).toBeGreaterThan(0);
  });

  it('leaves calls whose results are still to come', async () => {
    const path = await rig.conversation(8, 200, { model: 'openai/large' });
    const conversationId = path.split('/').at(-1);
    rig.vendor.replies = [[{ id: 'call_1', name: 'read', arguments: { text: 'a'.repeat(3000) } }]];
    const ask = (message: object) =>
      rig.server.call('/api/chat/completions', { conversationId, tools: [READ], messages: [message] });
    await ask({ role: 'user', content: 'Read it' });
    expect((await rig.compact(path)).body.compaction).toMatchObject({ summary: SUMMARY });
    const { status } = await ask({ role: 'tool', toolCallId: 'call_1', content: 'It says moo' });
    expect(status).toBe(200);
    const { body } = rig.vendor.calls.at(-1)!;
    expect(body.messages.at(-1)).toMatchObject({ role: 'tool', content: 'It says moo' });
    expect(brokenPairs(pairsOf(body))).toEqual([]);
  });
});

describe('a result that comes for a call that is covered', () => {
  it('is kept, but does not make the memory longer', async () => {
    const path = await rig.conversation(2, 100, { model: 'openai/large' });
    const conversationId = path.split('/').at(-1);
    const ask = (message: object) =>
      rig.server.call('/api/chat/completions', { conversationId, tools: [READ], messages: [message] });
    rig.vendor.replies = [[{ id: 'call_1', name: 'read', arguments: {} }]];
    await ask({ role: 'user', content: 'Read it' });
    await rig.say(path, 'y'.repeat(4000));
    await rig.compact(path);
    const { tokens } = await rig.memory(path);
    rig.vendor.replies = ['REFUSED'];
    await ask({ role: 'tool', toolCallId: 'call_1', content: 'r'.repeat(40_000) });
    expect((await rig.memory(path)).tokens).toBe(tokens);
    await rig.undo(path);
    expect((await rig.memory(path)).tokens).toBeGreaterThan(10_000);
  });
});

describe('DELETE …/compact', () => {
  it('takes compactions back one by one; without one it is 409', async () => {
    const path = await rig.conversation(8, 600, { model: 'openai/large' });
    const first = await rig.memory(path);
    await rig.compact(path);
    const second = await rig.memory(path);
    rig.vendor.summarise = () => 'Second summary.';
    await rig.compact(path, {});
    await rig.say(path, 'y'.repeat(2000));
    await rig.compact(path);
    const { compactions } = await rig.memory(path);
    expect(compactions.at(-1).summary).toBe('Second summary.');

    for (let left = compactions.length; left > 2; left--) await rig.undo(path);
    const { body, status } = await rig.undo(path);
    expect(status).toBe(200);
    expect(body.compactions).toEqual(second.compactions);
    expect(body).toMatchObject({ summary: SUMMARY, coveredSeq: second.coveredSeq });
    const { body: last } = await rig.undo(path);
    expect(last).toMatchObject({ ...first, liveMessages: 10, tokens: expect.any(Number) });
    expectError(await rig.undo(path), 409, 'conflict', /no compaction/);
  });

  it('gives the model the very bytes that it would have had', async () => {
    const path = await rig.conversation(12, 400, { model: 'openai/large' });
    rig.vendor.replies = ['REFUSED'];
    await rig.say(path, 'What now?');
    const before = rig.vendor.calls[0]!.text;
    await rig.compact(path);
    rig.vendor.replies = ['REFUSED'];
    await rig.server.call(`${path}/retry`, {});
    expect(rig.vendor.calls.at(-1)!.text).not.toBe(before);
    const { tokens } = await rig.memory(path);
    await rig.undo(path);
    expect((await rig.memory(path)).tokens).toBeGreaterThan(tokens);
    await rig.server.call(`${path}/retry`, {});
    expect(rig.vendor.calls.at(-1)!.text).toBe(before);
  });

  it('brings back what was shortened', async () => {
    const messages = [
      { role: 'user', content: 'Read it' },
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'c', name: 'read', arguments: {}, result: 'r'.repeat(9000) }],
      },
    ];
    const { body } = await rig.server.call('/api/chat/conversations/import', {
      conversation: { model: 'openai/gpt-4o' },
      messages,
    });
    const path = `/api/chat/conversations/${body.conversation.id}`;
    const answer = await rig.say(path, 'What does it say?');
    expect(answer.body.compaction).toMatchObject({ originalCount: 2, compactedCount: 2, summary: null });
    expect(kinds(rig.vendor)).toEqual(['chat']);
    expect((await rig.memory(path)).tokens).toBeLessThan(1000);
    expect((await rig.undo(path)).body.tokens).toBeGreaterThan(2000);
    await rig.say(path, 'Once more', { model: 'openai/large' });
    const tool = rig.vendor.calls.at(-1)!.body.messages.find(({ role }: { role: string }) => role === 'tool');
    expect(tool.content).toBe('r'.repeat(9000));
  });
});

describe('a change to a model with a smaller window', () => {
  it('makes a long summary shorter instead of leaving everything else out', async () => {
    const path = await rig.conversation(40, 1000, { model: 'openai/large' });
    rig.vendor.summarise = () => 's'.repeat(7900);
    expect((await rig.compact(path)).body.compaction.summary).toHaveLength(7900);
    rig.vendor.summarise = () => SUMMARY;
    const { status, body } = await rig.say(path, 'What now?', { model: 'openai/gpt-4o' });
    expect(status).toBe(200);
    expect(body.compaction).toMatchObject({ summary: SUMMARY });
    expect((await rig.memory(path)).compactions).toHaveLength(2);
    expect(rig.vendor.calls.at(-1)!.body.messages.length).toBeGreaterThan(3);
  });
});
