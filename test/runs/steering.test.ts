import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EventLog } from '../../src/agent/event-log.ts';
import { expectError, issuePaths } from '../contract/helpers.ts';
import { keyed, newKey } from '../contract/keyed.ts';
import { held } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, startAgent, story, withTools } from './rig.ts';
import { typesOf } from './watch.ts';

// POST /api/chat/runs/{id}/messages: what is said to a run is seen by its model before its next step, and never lost.

onBothDatabases((start) => {
  let rig: RunRig;
  let holds = 0;
  beforeAll(async () => {
    rig = await start();
  });

  afterEach(() => vi.restoreAllMocks());

  /** A call of `hold` that no other test has. */
  const holding = (): [Reply, string] => {
    const what = `steering ${++holds}`;
    return [[['hold', { what }]], what];
  };

  it('is seen before the next step, after the results', async () => {
    const [call, what] = holding();
    const { watch, model, talk } = await rig.agent([call, 'So be it']);
    const { end } = await rig.box.held(what);
    const id = await watch.runId();
    const answer = await rig.steer(id, 'Rather y');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ id: expect.stringMatching(/^msg_/), run: { id, status: 'running' } });
    const { data } = await watch.seen('user_message', ({ steering }) => steering);
    expect(data).toEqual({
      ...{ id: answer.body.id, content: 'Rather y', steering: true },
      ...{ compactionApplied: false, messageCount: 3 },
    });
    end();
    const events = await watch.all();
    expect(model.calls[1]!.said.slice(-2)).toEqual(['tool: released', 'user: Rather y']);
    expect(await story(talk)).toEqual([
      'complete user: Begin',
      'complete assistant:  [hold success released]',
      'complete user: Rather y',
      'complete assistant: So be it',
    ]);
    expect((await talk.messages())[2].id).toBe(answer.body.id);
    expect((await must(rig.server.call(talk.path))).conversation.messageCount).toBe(4);
    expect(events.at(-1)?.data).toMatchObject({ stopReason: 'completed', totalSteps: 2 });
  });

  it('is seen while the model answers what it takes for the last time', async () => {
    const { watch, model, talk } = await rig.agent([held, 'Two']);
    const call = await model.call(1);
    call.piece('One');
    await watch.seen('content');
    await must(rig.steer(await watch.runId(), 'And?'));
    call.end();
    const events = await watch.all();
    expect(model.calls[1]!.said).toEqual(['user: Begin', 'assistant: One', 'user: And?']);
    expect(await story(talk)).toEqual([
      ...['complete user: Begin', 'complete assistant: One', 'complete user: And?', 'complete assistant: Two'],
    ]);
    expect(typesOf(events).filter((type) => type === 'summary')).toHaveLength(1);
    expect(events.at(-2)?.data.id).toBe((await talk.messages()).at(-1).id);
  });

  it('is seen although the model has said that it is done', async () => {
    const [call, what] = holding();
    const done: Reply = [...(call as []), ['complete_task', { summary: 'Done' }]];
    const { watch, model } = await rig.agent([done, 'One more thing']);
    const { end } = await rig.box.held(what);
    await must(rig.steer(await watch.runId(), 'Not yet'));
    end();
    const events = await watch.all();
    expect(model.calls[1]!.said.at(-1)).toBe('user: Not yet');
    expect(events.find(({ type }) => type === 'summary')?.data.summary).toBe('One more thing');
  });

  it('is seen after the answer of a person who was asked', async () => {
    const { watch, model, talk } = await rig.agent([[['launch', { what: 'x' }]], 'Both'], { securityMode: 'ask' });
    const { data: asked } = await watch.seen('approval:required');
    await watch.seen('waiting');
    const said = await must(rig.steer(await watch.runId(), 'Carefully'));
    expect(said.run.status).toBe('waiting_approval');
    expect(model.calls).toHaveLength(1);
    await must(rig.approve(asked, 'allow-once'));
    await watch.all();
    expect(model.calls[1]!.said.slice(-2)).toEqual(['tool: launched x', 'user: Carefully']);
    expect(await story(talk)).toEqual([
      'complete user: Begin',
      'complete assistant:  [launch success launched x]',
      'complete user: Carefully',
      'complete assistant: Both',
    ]);
  });

  it('does not keep whoever waits for the approval waiting', async () => {
    const { talk } = await rig.talk([['launch', { what: 'x' }]], 'Both');
    const first = await must(withTools(talk, 'Go'));
    await must(rig.steer(first.runId, 'Carefully'));
    const answer = await must(rig.approve(first.pendingApprovals[0], 'allow-once'));
    expect(answer.message.content).toBe('Both');
  });

  it('many at once are seen in the order in which they came', async () => {
    const [call, what] = holding();
    const { watch, model, talk } = await rig.agent([call, 'All']);
    const { end } = await rig.box.held(what);
    const id = await watch.runId();
    const words = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    for (const word of words) await must(rig.steer(id, word));
    end();
    await watch.all();
    expect(model.calls[1]!.said.slice(-12)).toEqual(words.map((word) => `user: ${word}`));
    expect((await talk.messages()).map(({ seq }) => seq)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
  });

  it('may have parts, and any text', async () => {
    const [call, what] = holding();
    const { watch, model, talk } = await rig.agent([call, 'Seen']);
    const { end } = await rig.box.held(what);
    const content = [{ type: 'text', text: 'NUL \u0000 and \ud800 and 🏁' }];
    await must(rig.steer(await watch.runId(), content));
    end();
    await watch.all();
    expect((await talk.messages())[2].content).toEqual(content);
    expect(model.calls[1]!.said.at(-1)).toContain('🏁');
  });

  describe('what was never seen', () => {
    it('because the steps were used up is kept, and can be tried again', async () => {
      const [call, what] = holding();
      const { watch, model, talk } = await rig.agent([call, 'Late but seen'], { maxSteps: 1 });
      const { end } = await rig.box.held(what);
      await must(rig.steer(await watch.runId(), 'Too late'));
      end();
      const events = await watch.all();
      expect(events.at(-1)?.data.stopReason).toBe('max_steps');
      expect((await story(talk)).at(-1)).toBe('failed user: Too late');
      expect((await talk.messages()).at(-1).error).toMatchObject({ code: 'conflict' });
      await must(talk.retry());
      expect(model.calls[1]!.said.slice(-2)).toEqual(['tool: released', 'user: Too late']);
      expect((await story(talk)).slice(-2)).toEqual(['complete user: Too late', 'complete assistant: Late but seen']);
    });

    it('because the run was cancelled too', async () => {
      const { watch, model, talk } = await rig.agent([held, 'Later']);
      (await model.call(1)).piece('One');
      await watch.seen('content');
      await must(rig.steer(await watch.runId(), 'Too late'));
      await must(rig.cancel(await watch.runId()));
      expect(await story(talk)).toEqual([
        ...['complete user: Begin', 'complete assistant: One', 'failed user: Too late'],
      ]);
      expect((await must(talk.retry())).assistantMessage.content).toBe('Later');
      expect(model.calls[1]!.said).toEqual(['user: Begin', 'assistant: One', 'user: Too late']);
    });
  });

  it('after the end is refused, whatever that was', async () => {
    const { watch } = await rig.agent(['Done']);
    await watch.all();
    expectError(await rig.steer(await watch.runId(), 'x'), 409, 'conflict', /has ended \(completed\)/);
    const failed = await rig.agent([(call) => call.fail(401, 'no')]);
    await failed.watch.all();
    expectError(await rig.steer(await failed.watch.runId(), 'x'), 409, 'conflict', /has ended \(failed\)/);
  });

  it('in the last moment before the end is seen', async () => {
    const { talk, model } = await rig.talk(held, 'Two');
    const watch = await startAgent(talk, 'Begin');
    const id = await watch.runId();
    const call = await model.call(1);
    // The answer is stored, and that there is no message was looked at: what comes next is the end.
    const { take } = EventLog.prototype;
    const end = vi.spyOn(EventLog.prototype, 'take').mockImplementation(async function (this: EventLog, writer) {
      if (writer.run === id && (await talk.messages()).length === 2) {
        end.mockRestore();
        expect((await rig.steer(id, 'Wait')).status).toBe(201);
      }
      return await take.call(this, writer);
    });
    call.answer('One');
    const events = await watch.all();
    expect(model.calls[1]!.said.at(-1)).toBe('user: Wait');
    expect(events.filter(({ type }) => type === 'summary')).toHaveLength(1);
    expect((await story(talk)).slice(2)).toEqual(['complete user: Wait', 'complete assistant: Two']);
  });

  it('at the end is either seen or refused', async () => {
    for (let round = 0; round < 10; round++) {
      const { talk, model } = await rig.talk('One', 'Two', 'Three');
      const watch = await startAgent(talk, 'Begin');
      const id = await watch.runId();
      await watch.seen('content');
      const { status } = await rig.steer(id, 'Now');
      await watch.all();
      const lines = await story(talk);
      expect(lines.filter((line) => line === 'complete user: Now')).toHaveLength(status === 201 ? 1 : 0);
      expect(model.calls).toHaveLength(status === 201 ? 2 : 1);
    }
  });

  it('is refused where a hundred are unseen', async () => {
    const [call, what] = holding();
    const { watch, model } = await rig.agent([call, 'All']);
    const { end } = await rig.box.held(what);
    const id = await watch.runId();
    const answers = await Promise.all(Array.from({ length: 103 }, (_, index) => rig.steer(id, `number ${index}`)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(3);
    for (const answer of refused) expectError(answer, 409, 'conflict', /100 messages/);
    end();
    const events = await watch.all();
    const said = events.filter(({ data }) => data.steering).map(({ data }) => `user: ${data.content}`);
    expect(said).toHaveLength(100);
    expect(model.calls[1]!.said.slice(-100)).toEqual(said);
  });

  it('is not empty, nor anything else', async () => {
    const [call, what] = holding();
    const { watch } = await rig.agent([call]);
    const { end } = await rig.box.held(what);
    const path = `/api/chat/runs/${await watch.runId()}/messages`;
    for (const content of ['', [], 7, null]) {
      const paths = issuePaths(await rig.server.call(path, { content, mood: 'bad' }));
      expect(paths).toEqual(expect.arrayContaining([expect.stringMatching(/^content/), 'mood']));
    }
    end();
    await watch.all();
  });

  describe('with an Idempotency-Key', () => {
    it('is said once, however often it is sent', async () => {
      const [call, what] = holding();
      const { watch, model } = await rig.agent([call, 'Once']);
      const { end } = await rig.box.held(what);
      const path = `/api/chat/runs/${await watch.runId()}/messages`;
      const options = keyed(newKey(), { content: 'Just once' });
      const answers = await Promise.all(Array.from({ length: 5 }, () => rig.server.call(path, undefined, options)));
      expect(answers.map(({ status, body }) => [status, body.id])).toEqual(
        answers.map(() => [201, answers[0]?.body.id]),
      );
      end();
      const events = await watch.all();
      expect(events.filter(({ data }) => data.steering)).toHaveLength(1);
      expect(model.calls[1]!.said.filter((line) => line === 'user: Just once')).toHaveLength(1);
      // It was said, so that is still the answer.
      expect((await rig.server.call(path, undefined, options)).status).toBe(201);
    });

    it('and another text is refused', async () => {
      const [call, what] = holding();
      const { watch } = await rig.agent([call]);
      const { end } = await rig.box.held(what);
      const path = `/api/chat/runs/${await watch.runId()}/messages`;
      const key = newKey();
      await must(rig.server.call(path, undefined, keyed(key, { content: 'This' })));
      expectError(await rig.server.call(path, undefined, keyed(key, { content: 'That' })), 422, 'idempotency_mismatch');
      end();
      await watch.all();
    });
  });
});
