import { beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { keyed, newKey } from '../contract/keyed.ts';
import type { Json } from '../server.ts';
import { held, type Talk } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, story } from './rig.ts';
import { Watch } from './watch.ts';

// An Idempotency-Key: a request that is sent again finds the run that it has made.

const LOOK: Reply = [['look', { what: 'x' }]];

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** Sends a message with a key. */
  const send = (talk: Talk, key: string, body: object, kind = 'messages/with-tools') =>
    rig.server.call(`${talk.path}/${kind}`, undefined, keyed(key, body));
  const agent = (talk: Talk, key: string, body: object): Promise<Watch> =>
    Watch.open(`${rig.server.url}${talk.path}/messages/agentic`, body, { 'idempotency-key': key });
  const runsOf = async (talk: Talk): Promise<Json[]> =>
    (await must(rig.server.call(`/api/chat/runs?conversationId=${talk.id}`))).runs;

  describe('an agent’s run', () => {
    it('is watched from its start by whoever asks again while it runs', async () => {
      const { talk, model } = await rig.talk(LOOK, held);
      const key = newKey();
      const first = await agent(talk, key, { content: 'Go' });
      const call = await model.call(2);
      call.piece('Once ');
      await first.seen('content');
      const others = await Promise.all(Array.from({ length: 4 }, () => agent(talk, key, { content: 'Go' })));
      call.piece('more');
      call.end();
      const events = await first.all();
      for (const other of others) expect(await other.all()).toEqual(events);
      expect(model.calls).toHaveLength(2);
      expect(await runsOf(talk)).toHaveLength(1);
      expect(await story(talk)).toHaveLength(3);
    });

    it('is one, of ten requests at once', async () => {
      const { talk, model } = await rig.talk(LOOK, 'Done');
      const key = newKey();
      const all = await Promise.all(Array.from({ length: 10 }, () => agent(talk, key, { content: 'Go' })));
      const [first, ...rest] = await Promise.all(all.map((watch) => watch.all()));
      for (const events of rest) expect(events).toEqual(first);
      expect(model.calls).toHaveLength(2);
      expect(await runsOf(talk)).toHaveLength(1);
    });

    it('is replayed after its end, also after a failed one', async () => {
      const { talk, model } = await rig.talk(LOOK, 'Done', (call) => call.fail(401, 'no'));
      const key = newKey();
      const events = await (await agent(talk, key, { content: 'Go' })).all();
      expect(await (await agent(talk, key, { content: 'Go' })).all()).toEqual(events);
      const other = newKey();
      const failed = await (await agent(talk, other, { content: 'Again' })).all();
      expect(failed.at(-1)?.type).toBe('error');
      expect(await (await agent(talk, other, { content: 'Again' })).all()).toEqual(failed);
      expect(model.calls).toHaveLength(3);
    });

    it('is found by who comes back after a restart', async () => {
      const own = await start({ PROFCLAW_STOP_TIMEOUT: '0.5' });
      const { talk, model } = await own.talk(LOOK, held, 'At last');
      const headers = { 'idempotency-key': newKey() };
      const open = () => Watch.open(`${own.server.url}${talk.path}/messages/agentic`, { content: 'Go' }, headers);
      const first = await open();
      (await model.call(2)).piece('Once');
      await first.seen('content');
      await own.stopServer();
      await first.over.catch(() => undefined);
      await own.startServer();
      const events = await (await open()).all();
      expect(events.slice(0, first.events.length)).toEqual(first.events);
      expect(await own.db.selectFrom('runs').select('id').execute()).toHaveLength(1);
      expect(own.box.lines()).toEqual(['look: x']);
    });

    it('is not another one: 422', async () => {
      const { talk } = await rig.talk('Done');
      const key = newKey();
      await (await agent(talk, key, { content: 'Go' })).all();
      const body = { content: 'Go', effort: 'low' };
      expectError(await send(talk, key, body, 'messages/agentic'), 422, 'idempotency_mismatch');
      expect(await runsOf(talk)).toHaveLength(1);
    });
  });

  describe('a message with tools', () => {
    it('is answered once, to all who ask, at once and later', async () => {
      const { talk, model } = await rig.talk(LOOK, held);
      const key = newKey();
      const sent = Array.from({ length: 5 }, () => send(talk, key, { content: 'Go' }));
      (await model.call(2)).answer('Done');
      const answers = await Promise.all(sent.map(must));
      answers.push(await must(send(talk, key, { content: 'Go' })));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject({ finishReason: 'stop', assistantMessage: { content: 'Done' } });
      expect(model.calls).toHaveLength(2);
      expect(await story(talk)).toHaveLength(3);
    });

    it('that waits for a person says so again, and after the approval how it ended', async () => {
      const { talk, model } = await rig.talk([['launch', { what: 'x' }]], 'It flies');
      const key = newKey();
      const first = await must(send(talk, key, { content: 'Go' }));
      expect(first.finishReason).toBe('approval-required');
      await must(rig.approve(first.pendingApprovals[0], 'allow-once'));
      const again = await must(send(talk, key, { content: 'Go' }));
      expect(again.runId).toBe(first.runId);
      expect(model.calls).toHaveLength(2);
      expect(await runsOf(talk)).toHaveLength(1);
    });

    it('streamed is told from its start to whoever asks again', async () => {
      const { talk, model } = await rig.talk(LOOK, 'Done');
      const headers = { 'content-type': 'application/json', 'idempotency-key': newKey() };
      const body = JSON.stringify({ content: 'Go', stream: true });
      const ask = async (): Promise<string> =>
        (await fetch(`${rig.server.url}${talk.path}/messages/with-tools`, { method: 'POST', headers, body })).text();
      const [first, second] = await Promise.all([ask(), ask()]);
      // What comes in one piece may come in several.
      const text = (stream: string) =>
        [...stream.matchAll(/"content":"([^"]*)"\}\n/g)].map(([, piece]) => piece).join('');
      for (const stream of [second, await ask()]) {
        expect(stream.split('\n\n').at(-2)).toBe(first.split('\n\n').at(-2));
        expect(text(stream)).toBe(text(first));
      }
      expect(text(first)).toBe('Done');
      expect(model.calls).toHaveLength(2);
    });

    it('is not another one: 422', async () => {
      const { talk } = await rig.talk('Done');
      const key = newKey();
      await must(send(talk, key, { content: 'Go' }));
      expectError(await send(talk, key, { content: 'Go', securityMode: 'full' }), 422, 'idempotency_mismatch');
    });

    it('that failed says so again, and asks nobody', async () => {
      const { talk, model } = await rig.talk((call) => call.fail(401, 'Bad key'), 'Well');
      const key = newKey();
      const answers = [await send(talk, key, { content: 'Go' }), await send(talk, key, { content: 'Go' })];
      for (const answer of answers) expectError(answer, 502, 'provider_auth', /Bad key/);
      expect(answers[0]?.body.details).toEqual(answers[1]?.body.details);
      expect(model.calls).toHaveLength(1);
      expect(await story(talk)).toEqual(['failed user: Go']);
    });
  });

  describe('a retry', () => {
    it('asks in the same way: the same tools in the same mode', async () => {
      const calls: Reply = [
        ['change', { what: 'a' }],
        ['look', { what: 'b' }],
      ];
      const { talk, model } = await rig.talk((call) => call.fail(401, 'no'), calls, 'Done');
      const asked = { content: 'Go', tools: ['change'], securityMode: 'full', maxRoundtrips: 2, temperature: 0.5 };
      expectError(await rig.server.call(`${talk.path}/messages/with-tools`, asked), 502, 'provider_auth');
      const answer = await must(talk.retry());
      expect(answer.toolCalls.map(({ status }: Json) => status)).toEqual(['success', 'error']);
      const { tools, temperature, ...rest } = model.calls[1]!.body;
      expect(tools.map((tool: Json) => tool.function.name)).toEqual(['change']);
      expect([temperature, rest.messages.at(-1)]).toEqual([0.5, { role: 'user', content: 'Go' }]);
      expect(await rig.run(answer.runId)).toMatchObject({ kind: 'tools', securityMode: 'full', maxSteps: 2 });
    });

    it('of an agent’s run is one, with its limits, and may have another model', async () => {
      const { watch, talk } = await rig.agent([(call) => call.fail(401, 'no')], { maxSteps: 3, maxBudget: 5000 });
      await watch.all();
      const other = await rig.talk('From another');
      const answer = await must(talk.retry({ model: other.model.name }));
      expect(answer.assistantMessage.content).toBe('From another');
      expect(await rig.run(answer.runId)).toMatchObject({ kind: 'agent', maxSteps: 3, maxBudget: 5000 });
    });

    it('of a retry still is what was asked first, wherever that failed', async () => {
      const fail: Reply = (call) => call.fail(401, 'no');
      const { talk, model } = await rig.talk(LOOK, fail, [['look', { what: 'y' }]], fail, 'At last');
      const asked = { content: 'Go', tools: ['look'], securityMode: 'full' };
      expectError(await rig.server.call(`${talk.path}/messages/with-tools`, asked), 502, 'provider_auth');
      expectError(await talk.retry(), 502, 'provider_auth');
      const answer = await must(talk.retry());
      expect(answer).toMatchObject({ runId: expect.any(String), assistantMessage: { content: 'At last' } });
      expect(await rig.run(answer.runId)).toMatchObject({ securityMode: 'full', kind: 'tools' });
      for (const { body } of model.calls) expect(body.tools).toHaveLength(1);
    });

    it('of what was said to a run is that run', async () => {
      const fail: Reply = (call) => call.fail(401, 'no');
      const { talk, model } = await rig.talk([['hold', { what: 'said to' }]], fail, fail, 'At last');
      const sent = rig.server.call(`${talk.path}/messages/with-tools`, { content: 'Go', tools: ['hold', 'look'] });
      const { end } = await rig.box.held('said to');
      const [{ id }] = await runsOf(talk);
      await must(rig.steer(id, 'Hurry'));
      end();
      expectError(await sent, 502, 'provider_auth');
      expect((await story(talk)).at(-1)).toBe('failed user: Hurry');
      expectError(await talk.retry(), 502, 'provider_auth');
      expect(await must(talk.retry())).toMatchObject({ runId: expect.any(String) });
      for (const { body } of model.calls) expect(body.tools).toHaveLength(2);
      expect(await story(talk)).toEqual([
        'complete user: Go',
        'complete assistant:  [hold success released]',
        'complete user: Hurry',
        'complete assistant: At last',
      ]);
    });

    it('can be streamed', async () => {
      const { talk } = await rig.talk((call) => call.fail(401, 'no'), LOOK, 'Done');
      await rig.server.call(`${talk.path}/messages/with-tools`, { content: 'Go' });
      const { events } = await rig.server.stream(`${talk.path}/retry`, { stream: true });
      expect(events.map((event) => Object.keys(event)[0])).toEqual(['toolCall', 'toolResult', 'content', 'done']);
    });

    it('with a key is done once', async () => {
      const { talk, model } = await rig.talk((call) => call.fail(401, 'no'), held);
      await rig.server.call(`${talk.path}/messages/with-tools`, { content: 'Go' });
      const key = newKey();
      const sent = Array.from({ length: 4 }, () => send(talk, key, {}, 'retry'));
      (await model.call(2)).answer('Done');
      const answers = await Promise.all(sent.map(must));
      answers.push(await must(send(talk, key, {}, 'retry')));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(model.calls).toHaveLength(2);
      expect(await story(talk)).toEqual(['complete user: Go', 'complete assistant: Done']);
    });

    it('of a plain message is still a plain answer', async () => {
      const { talk } = await rig.talk(LOOK, 'Done', (call) => call.fail(401, 'no'), 'Plain');
      await must(rig.server.call(`${talk.path}/messages/with-tools`, { content: 'Go' }));
      expectError(await talk.send('Plainly'), 502, 'provider_auth');
      const answer = await must(talk.retry());
      expect(answer.assistantMessage.content).toBe('Plain');
      expect(answer).not.toHaveProperty('runId');
    });
  });
});
