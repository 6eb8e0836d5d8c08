import { beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { begin, type Call, held } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, startAgent, story, withTools } from './rig.ts';
import { type RunEvent, saidIn } from './watch.ts';

// A run stops by itself: steps, tokens, no progress, time, its caller's budget. What was done until then is kept.

const MUCH = { tokens: 1_000_000, period: 'total' };

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** A model that looks somewhere else each time, for ever. */
  const curious = (): Reply[] => Array.from({ length: 210 }, (_, index): Reply => [['look', { what: `at ${index}` }]]);
  const end = (events: readonly RunEvent[]): Json => events.at(-1)?.data;
  const dataOf = (events: readonly RunEvent[], type: string): Json[] =>
    events.filter((event) => event.type === type).map(({ data }) => data);

  describe('steps', () => {
    it.each([1, 2, 7])('no more than %i', async (maxSteps) => {
      const { watch, model, talk } = await rig.agent(curious(), { maxSteps });
      const events = await watch.all();
      expect(model.calls).toHaveLength(maxSteps);
      expect(end(events)).toMatchObject({ stopReason: 'max_steps', totalSteps: maxSteps, totalTokens: 10 * maxSteps });
      expect(dataOf(events, 'step:start').map(({ step }) => step)).toEqual(
        Array.from({ length: maxSteps }, (_, index) => index + 1),
      );
      expect(await story(talk)).toEqual([
        'complete user: Begin',
        ...Array.from({ length: maxSteps }, (_, i) => `complete assistant:  [look success saw at ${i}]`),
      ]);
      expect(await rig.run(await watch.runId())).toMatchObject({
        status: 'completed',
        stopReason: 'max_steps',
        maxSteps,
      });
    });

    it('as many as the effort allows', async () => {
      const { watch, model } = await rig.agent(curious(), { effort: 'low' });
      expect(end(await watch.all())).toMatchObject({ stopReason: 'max_steps', totalSteps: 5 });
      expect(model.calls).toHaveLength(5);
    });

    it('what comes after it has all that was done before it', async () => {
      const { watch, talk, model } = await rig.agent(curious(), { maxSteps: 2 });
      await watch.all();
      await must(talk.send('And?'));
      expect(model.calls[2]!.said.filter((line) => !line.startsWith('assistant'))).toEqual([
        ...['user: Begin', 'tool: saw at 0', 'tool: saw at 1', 'user: And?'],
      ]);
    });
  });

  describe('tokens', () => {
    /** So many steps of the demo, which counts words: each adds a hundred. */
    const orders = (steps: number): string =>
      Array.from({ length: steps }, (_, i) => `/say ${'word '.repeat(100)}\n/tool look {"what": "${i}"}`).join(
        '\n/next\n',
      );

    it.each([1000, 2500, 6000, 20_000])('no more than %i, but for one call', async (maxBudget) => {
      const talk = await begin(rig.server, 'demo');
      const events = await (await startAgent(talk, orders(20), { maxBudget, maxSteps: 20 })).all();
      const used = dataOf(events, 'step:complete').map(({ usedBudget }) => usedBudget);
      expect(end(events)).toMatchObject({ stopReason: 'budget', totalTokens: used.at(-1) });
      for (const { usedBudget, maxBudget: most } of dataOf(events, 'step:start')) {
        expect(usedBudget).toBeLessThan(maxBudget);
        expect(most).toBe(maxBudget);
      }
      // What was under way when it was used up is all that is over it.
      expect(used.at(-2) ?? 0).toBeLessThan(maxBudget);
      const messages = await talk.messages();
      expect(messages).toHaveLength(used.length + 1);
      expect(messages.every(({ status }) => status === 'complete')).toBe(true);
    });

    it('a model may write no more than what is left', async () => {
      const { watch, model } = await rig.agent([...curious().slice(0, 3), 'Done'], { maxBudget: 1500 });
      await watch.all();
      const left = model.calls.map(({ body }) => body.max_tokens);
      for (const [index, most] of left.entries()) expect(most).toBeLessThan(1500 - 10 * index);
    });

    it('a model that may write less anyway may not write more because of it', async () => {
      const { watch, model } = await rig.agent(['Done'], { maxBudget: 100_000, maxTokens: 50 });
      await watch.all();
      expect(model.calls[0]!.body.max_tokens).toBe(50);
    });
  });

  describe('no progress', () => {
    const same: Reply = [['look', { what: 'same' }]];

    it('the same call three times', async () => {
      const other: Reply = [['look', { what: 'other' }]];
      const { watch, model, talk } = await rig.agent([same, same, other, same, same, same, same]);
      const events = await watch.all();
      expect(end(events)).toMatchObject({ stopReason: 'no_progress', totalSteps: 6 });
      expect(model.calls).toHaveLength(6);
      expect(await talk.messages()).toHaveLength(7);
    });

    it('three failed calls, of whatever kind', async () => {
      const failing: Reply[] = [
        [['fail', { what: 'a' }]],
        [['lock', {}]],
        [['look', { what: 1 }]],
        [['look', { what: 'b' }]],
      ];
      const { watch, model, talk } = await rig.agent(failing);
      expect(end(await watch.all())).toMatchObject({ stopReason: 'no_progress', totalSteps: 3 });
      expect(model.calls).toHaveLength(3);
      expect(await story(talk)).toEqual([
        'complete user: Begin',
        'complete assistant:  [fail error no a]',
        expect.stringMatching(/\[lock error There is no tool/),
        expect.stringMatching(/\[look error The arguments do not fit/),
      ]);
    });

    it('not if all were made at once, without having seen how the others went', async () => {
      const atOnce: Reply = ['a', 'b', 'c', 'd'].map((what) => ['fail', { what }]);
      const { watch } = await rig.agent([atOnce, 'I see']);
      expect(end(await watch.all())).toMatchObject({ stopReason: 'completed', totalSteps: 2 });
    });

    it('not if one in between works', async () => {
      const fail = (what: string): Reply => [['fail', { what }]];
      const { watch } = await rig.agent([fail('a'), fail('b'), same, fail('c'), fail('d'), 'I give up']);
      expect(end(await watch.all())).toMatchObject({ stopReason: 'completed', totalSteps: 6 });
    });
  });

  describe('time', () => {
    it('what the model has said until then is kept, and its call is ended', async () => {
      const hasty = await start({ PROFCLAW_RUN_TIMEOUT: '2' });
      const { watch, model, talk } = await hasty.agent([same('x'), held]);
      const call = await model.call(2);
      call.piece('Once upon a time');
      const events = await watch.all();
      expect(end(events)).toEqual({ code: 'TIMEOUT', message: expect.stringMatching(/PROFCLAW_RUN_TIMEOUT/) });
      await expect.poll(() => call.isGone()).toBe(true);
      expect(saidIn(events, 2)).toBe('Once upon a time');
      expect(await story(talk)).toEqual([
        'complete user: Begin',
        'complete assistant:  [look success saw x]',
        'complete assistant: Once upon a time',
      ]);
      expect(await hasty.run(await watch.runId())).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } });
      // The conversation goes on.
      await must(talk.send('And then?'));
    });

    it('also in a tool, which is stopped', async () => {
      const hasty = await start({ PROFCLAW_RUN_TIMEOUT: '2' });
      const { watch, talk } = await hasty.agent([[['hold', { what: 'too long' }]]]);
      const { carried } = await hasty.box.held('too long');
      const events = await watch.all();
      expect(end(events).code).toBe('TIMEOUT');
      expect(carried.context.signal.aborted).toBe(true);
      expect(events.filter(({ type }) => type === 'tool:result').map(({ data }) => data.status)).toEqual(['cancelled']);
      expect((await story(talk))[1]).toMatch(/^complete assistant: {2}\[hold cancelled /);
    });

    it('a message with tools is answered with 504 then', async () => {
      const hasty = await start({ PROFCLAW_RUN_TIMEOUT: '1' });
      const { talk } = await hasty.talk(held);
      const answer = await withTools(talk, 'Go');
      expectError(answer, 504, 'provider_timeout', /PROFCLAW_RUN_TIMEOUT/);
      expect(answer.body.details.runId).toMatch(/^run_/);
    });

    it('waiting for a person does not count', async () => {
      const hasty = await start({ PROFCLAW_RUN_TIMEOUT: '2' });
      const waiting = await hasty.agent([[['launch', { what: 'x' }]], 'It flies'], { securityMode: 'ask' });
      const { data: asked } = await waiting.watch.seen('approval:required');
      await waiting.watch.seen('waiting');
      // Another run that begins now and is ended by its time says how long that is.
      const other = await hasty.agent([held]);
      expect(end(await other.watch.all()).code).toBe('TIMEOUT');
      await must(hasty.approve(asked, 'allow-once'));
      expect(end(await waiting.watch.all()).stopReason).toBe('completed');
    });
  });

  describe('the budget of the key that it was asked with', () => {
    /** A caller with a key of its own. */
    async function holder(own: RunRig, budget: object) {
      const json = { 'content-type': 'application/json' };
      const scopes = ['chat', 'tools', 'conversations:read'];
      const { secret } = await must(own.server.call('/api/keys', { name: 'K', scopes, budget }));
      const headers = { ...json, authorization: `Bearer ${secret}` };
      return {
        post: (path: string, body: object) =>
          own.server.call(`/api/chat${path}`, undefined, { method: 'POST', headers, body: JSON.stringify(body) }),
        used: async (): Promise<number> => (await must(own.server.call('/api/keys'))).keys[0].budget.usedTokens,
      };
    }

    it('counts each step, also after an approval', async () => {
      const own = await start();
      const { post, used } = await holder(own, MUCH);
      const { conversation } = await must(post('/conversations', { model: 'demo' }));
      const steps = ['/tool look {"what": "a"}', '/tool launch {"what": "b"}', '/say Done'];
      const content = steps.join('\n/next\n');
      const answer = await must(post(`/conversations/${conversation.id}/messages/with-tools`, { content }));
      expect(answer.finishReason).toBe('approval-required');
      const before = await used();
      expect(before).toBe(answer.usage.totalTokens);
      const [{ id: approvalId }] = answer.pendingApprovals;
      const given = { conversationId: conversation.id, approvalId, decision: 'allow-once' };
      expect((await must(post('/tools/approve', given))).run.status).toBe('completed');
      const { usage } = await own.run(answer.runId);
      expect(usage.totalTokens).toBeGreaterThan(before);
      expect(await used()).toBe(usage.totalTokens);
    });

    it('ends the run when it is used up; what was done is kept', async () => {
      const own = await start();
      const { post } = await holder(own, { tokens: 25, period: 'total' });
      const { talk, model } = await own.talk(...curious());
      const path = `/conversations/${talk.id}`;
      const refused = await post(`${path}/messages/with-tools`, { content: 'Go' });
      expectError(refused, 429, 'budget_exceeded', /used up/);
      expect(refused.body.details.budget).toMatchObject({ tokens: 25, usedTokens: 30 });
      // Ten tokens each: the third one was let in with five left.
      expect(model.calls).toHaveLength(3);
      const run = await own.run(refused.body.details.runId);
      expect(run).toMatchObject({ status: 'failed', usage: { totalTokens: 30 } });
      expect(run.error).toMatchObject({ code: 'BUDGET_EXCEEDED', message: expect.stringMatching(/used up/) });
      const events = await (await own.watch(run.id)).all();
      expect(end(events)).toEqual(run.error);
      const kept = Array.from({ length: 3 }, (_, i) => `complete assistant:  [look success saw at ${i}]`);
      expect(await story(talk)).toEqual(['complete user: Go', ...kept]);
      expectError(await post(`${path}/messages/with-tools`, { content: 'Go on' }), 429, 'budget_exceeded');
      expect(model.calls).toHaveLength(3);
      expect(await story(talk)).toEqual(['complete user: Go', ...kept, 'failed user: Go on']);
    });
  });

  function same(what: string): Reply {
    return [['look', { what }]];
  }

  it('nothing that was stopped goes on in the background', async () => {
    const hasty = await start({ PROFCLAW_RUN_TIMEOUT: '1' });
    const gone: Call[] = [];
    const { watch, model } = await hasty.agent([(call) => gone.push(call)]);
    await watch.all();
    await expect.poll(() => gone.every((call) => call.isGone())).toBe(true);
    expect(model.calls).toHaveLength(1);
    const { lastEventId } = await hasty.run(await watch.runId());
    expect(lastEventId).toBe(watch.events.at(-1)?.id);
  });
});
