import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { brokenPairs } from '../compaction/histories.ts';
import { kinds, pairsOf, type Reply, SUMMARY, startVendor, type Vendor } from '../compaction/rig.ts';
import type { Json } from '../server.ts';
import { begin } from '../turns/rig.ts';
import { must, onBothDatabases, type RunRig, startAgent, withTools } from './rig.ts';
import type { RunEvent } from './watch.ts';

// A run that grows longer than its model's window: its own finished steps are summed up as those of other turns are.

const STEPS = 14;
const TOOLS = { tools: ['look'] };

/** A call of `look` whose arguments and result take some 150 tokens each. */
const look = (step: number): Reply => [
  { id: `call-${step}`, name: 'look', arguments: { what: `place ${step} `.padEnd(600, 'x') } },
];

onBothDatabases((start) => {
  let vendor: Vendor;
  let rig: RunRig;
  beforeAll(async () => {
    vendor = await startVendor({
      'gpt-4o': { listed: 2000, window: 2000 },
      unlisted: { window: 2000 },
      tiny: { listed: 2000, window: 300 },
    });
    rig = await start(vendor.environment);
    await must(rig.server.call('/api/chat/providers/openai/models?refresh=true'));
  });
  afterEach(() => vendor.reset());
  afterAll(() => vendor.stop());

  const dataOf = (events: readonly RunEvent[], type: string): Json[] =>
    events.filter((event) => event.type === type).map(({ data }) => data);

  /** A long run with a model. */
  async function longRun(model: string, more: object = {}) {
    vendor.replies.push(...Array.from({ length: STEPS }, (_, step) => look(step)), 'All seen');
    const talk = await begin(rig.server, `openai/${model}`);
    const events = await (await startAgent(talk, 'See all places', { ...TOOLS, ...more })).all();
    return { talk, events };
  }

  it.each(['gpt-4o', 'unlisted'])('goes on to its end, with every call within the window (%s)', async (model) => {
    const { talk, events } = await longRun(model);
    // A refused call takes its reply with it.
    const steps = STEPS + 1 - kinds(vendor).filter((kind) => kind === 'chat refused').length;
    expect(events.at(-1)?.data).toMatchObject({ stopReason: 'completed', totalSteps: steps });
    const compactions = dataOf(events, 'compaction');
    expect(compactions.length).toBeGreaterThan(0);
    for (const { originalCount, compactedCount, tokensReduced, summary } of compactions) {
      expect(summary).toBe(SUMMARY);
      expect(originalCount).toBeGreaterThan(compactedCount);
      expect(tokensReduced).toBeGreaterThan(0);
    }
    const answered = vendor.calls.filter(({ isRefused }) => !isRefused);
    expect(answered.filter(({ kind }) => kind === 'chat')).toHaveLength(steps);
    expect(answered.filter(({ kind }) => kind === 'summary')).toHaveLength(compactions.length);
    // Only a model whose window nobody knew refuses anything.
    expect(kinds(vendor).includes('chat refused')).toBe(model === 'unlisted');
    for (const { body } of answered) expect(brokenPairs(pairsOf(body))).toEqual([]);
    // Of the run itself, not only of what came before: there was nothing.
    const memory = await must(rig.server.call(`${talk.path}/memory`));
    expect(memory.coveredSeq).toBeGreaterThan(1);
    // What was said stays.
    const messages = await talk.messages();
    expect(messages).toHaveLength(steps + 1);
    expect(messages.every(({ status }) => status === 'complete')).toBe(true);
    for (const { toolCalls } of messages.slice(1, -1)) expect(toolCalls).toMatchObject([{ status: 'success' }]);
  });

  it('the model sees the summary in place of its first steps, and its last step whole', async () => {
    await longRun('gpt-4o');
    const last = vendor.calls.findLast(({ kind }) => kind === 'chat')!.body.messages;
    const text = JSON.stringify(last);
    expect(text).toContain(SUMMARY);
    expect(text).not.toContain('place 0 ');
    expect(last.at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining(`saw place ${STEPS - 1} `) });
  });

  it('what the summaries took is counted in the conversation', async () => {
    const { talk, events } = await longRun('gpt-4o');
    const { conversation } = await must(rig.server.call(talk.path));
    const { totalTokens, cost } = events.at(-1)?.data ?? {};
    expect(conversation.usage.totalTokens).toBeGreaterThan(totalTokens);
    expect(cost).toBeGreaterThan(0);
    expect(conversation.usage.cost).toBeGreaterThan(cost);
  });

  it('a message with tools tells of it', async () => {
    vendor.replies.push(...Array.from({ length: 5 }, (_, step) => look(step)), 'All seen');
    const talk = await begin(rig.server, 'openai/gpt-4o');
    const before = await withTools(talk, 'Look '.padEnd(1500, 'x'), TOOLS);
    expect((await must(Promise.resolve(before))).compaction).toMatchObject({ summary: SUMMARY });
  });

  it('an approval in between changes nothing', async () => {
    vendor.replies.push(...Array.from({ length: 6 }, (_, step) => look(step)));
    vendor.replies.push([{ id: 'launch', name: 'launch', arguments: { what: 'x' } }], look(7), look(8), 'All seen');
    const talk = await begin(rig.server, 'openai/gpt-4o');
    const watch = await startAgent(talk, 'Go', { tools: ['look', 'launch'], securityMode: 'ask' });
    const { data: asked } = await watch.seen('approval:required');
    await must(rig.approve(asked, 'allow-once'));
    const events = await watch.all();
    expect(events.at(-1)?.data).toMatchObject({ stopReason: 'completed', totalSteps: 10 });
    for (const { body } of vendor.calls) expect(brokenPairs(pairsOf(body))).toEqual([]);
  });

  describe('where it cannot be made to fit', () => {
    it('a run ends with an error that says so, and keeps what was done', async () => {
      vendor.replies.push(look(0));
      const talk = await begin(rig.server, 'openai/tiny');
      const events = await (await startAgent(talk, 'Go', TOOLS)).all();
      expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'context_length_exceeded' } });
      expect((await talk.messages()).map(({ status, role }) => `${status} ${role}`)).toEqual([
        ...['complete user', 'complete assistant'],
      ]);
    });
  });
});
