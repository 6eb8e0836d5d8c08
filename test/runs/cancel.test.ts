import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { execTool } from '../../src/tools/builtin/exec.ts';
import { findSandbox } from '../../src/tools/sandbox/find-sandbox.ts';
import { expectError } from '../contract/helpers.ts';
import { startTestServer } from '../server.ts';
import { countProcesses, ONLY_SANDBOX } from '../tools/rig.ts';
import { begin, held } from '../turns/rig.ts';
import { must, onBothDatabases, type RunRig, startAgent, story, withTools } from './rig.ts';
import { type RunEvent, saidIn, type Watch } from './watch.ts';

const exec = execTool(ONLY_SANDBOX);

// POST /api/chat/runs/{id}/cancel: a run ends at once, wherever it is; what was done is kept, and nothing comes after.

const CANCELLED = { code: 'CANCELLED', message: 'The run was cancelled' };
const DELETE = { method: 'DELETE' };

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** Cancels a run, and looks whether that was its end. */
  async function cancelled(watch: Watch): Promise<RunEvent[]> {
    const id = await watch.runId();
    const answer = await must(rig.cancel(id));
    expect(answer.run).toMatchObject({ id, status: 'cancelled', error: CANCELLED, stopReason: null });
    expect(Date.parse(answer.run.finishedAt)).not.toBeNaN();
    const events = await watch.all();
    expect(events.at(-1)).toMatchObject({ id: answer.run.lastEventId, type: 'error', data: CANCELLED });
    return events;
  }

  /** Nothing was written to the run since. */
  async function expectSilence(watch: Watch): Promise<void> {
    const { lastEventId, status } = await rig.run(await watch.runId());
    expect([lastEventId, status]).toEqual([watch.events.at(-1)?.id, 'cancelled']);
  }

  describe('in the middle of the model’s answer', () => {
    it('keeps what was said, and closes the connection to the provider', async () => {
      const { watch, model, talk } = await rig.agent([[['look', { what: 'x' }]], held]);
      const call = await model.call(2);
      call.piece('Once upon ');
      await watch.seen('content');
      const events = await cancelled(watch);
      await expect.poll(() => call.isGone()).toBe(true);
      call.piece('a time');
      expect(saidIn(events, 2)).toBe('Once upon ');
      expect(await story(talk)).toEqual([
        'complete user: Begin',
        'complete assistant:  [look success saw x]',
        'complete assistant: Once upon ',
      ]);
      const last = (await talk.messages()).at(-1);
      expect(last.finishReason).toBe('cancelled');
      expect(events.at(-2)).toMatchObject({ type: 'message_saved', data: { id: last.id } });
      await expectSilence(watch);
    });

    it('keeps what it was thinking, also if that is not shown', async () => {
      for (const showThinking of [true, false]) {
        const talk = await begin(rig.server, 'demo');
        const watch = await startAgent(talk, '/reason Hm\n/say Well\n/stall', { showThinking });
        await watch.seen('content');
        await cancelled(watch);
        expect((await talk.messages())[1]).toMatchObject({
          ...{ content: 'Well', finishReason: 'cancelled' },
          ...(showThinking ? { reasoning: 'Hm' } : {}),
        });
      }
    });

    it('before anything is said: the message is marked, and can be tried again', async () => {
      const { watch, model, talk } = await rig.agent([held, 'Hello']);
      const call = await model.call(1);
      await cancelled(watch);
      await expect.poll(() => call.isGone()).toBe(true);
      const [asked] = await talk.messages();
      expect(asked).toMatchObject({ status: 'failed', error: CANCELLED });
      expect((await must(talk.retry())).assistantMessage.content).toBe('Hello');
      expect(await story(talk)).toEqual(['complete user: Begin', 'complete assistant: Hello']);
    });

    it('what was said goes back to the model with the next message', async () => {
      const { watch, model, talk } = await rig.agent([held, 'Yes']);
      (await model.call(1)).piece('Half a ');
      await watch.seen('content');
      await cancelled(watch);
      await must(talk.send('Go on'));
      expect(model.calls[1]!.said).toEqual(['user: Begin', 'assistant: Half a ', 'user: Go on']);
    });

    it('of an answer that was begun anew, only the last try counts', async () => {
      const { watch, model, talk } = await rig.agent([held, held]);
      const call = await model.call(1);
      call.piece('First try');
      await watch.seen('content');
      call.cut();
      await watch.seen('attempt:reset');
      (await model.call(2)).piece('Second');
      await watch.seen('content', ({ text }) => text === 'Second');
      await cancelled(watch);
      expect((await talk.messages())[1].content).toBe('Second');
    });
  });

  describe('in the middle of a tool', () => {
    it('stops it; the calls that were not carried out are not', async () => {
      const from = rig.box.carried.length;
      const what = randomUUID();
      const calls: [string, object][] = [
        ['look', { what: 'a' }],
        ['hold', { what }],
        ['look', { what: 'b' }],
      ];
      const { watch, model, talk } = await rig.agent([{ text: 'I look', calls }]);
      const { carried } = await rig.box.held(what);
      const events = await cancelled(watch);
      expect(carried.context.signal.aborted).toBe(true);
      // Whatever it still has to say comes too late.
      carried.context.progress('too late');
      expect(events.filter(({ type }) => type === 'tool:result').map(({ data }) => data.status)).toEqual([
        ...['success', 'cancelled', 'cancelled'],
      ]);
      expect(rig.box.lines().slice(from)).toEqual(['look: a', `hold: ${what}`]);
      expect(await story(talk)).toEqual([
        'complete user: Begin',
        expect.stringMatching(
          /^complete assistant: I look \[look success saw a\] \[hold cancelled .*\] \[look cancelled .*\]$/,
        ),
      ]);
      await must(talk.send('What now?'));
      expect(model.calls[1]!.said.filter((line) => line.startsWith('tool: '))).toHaveLength(3);
      await expectSilence(watch);
    });

    it('a message with tools is answered with what there is', async () => {
      const what = randomUUID();
      const { talk } = await rig.talk({ text: 'I look', calls: [['hold', { what }]] });
      const sent = withTools(talk, 'Go');
      await rig.box.held(what);
      const { runs } = await must(rig.server.call(`/api/chat/runs?conversationId=${talk.id}`));
      await must(rig.cancel(runs[0].id));
      expect(await must(sent)).toMatchObject({
        ...{ finishReason: 'cancelled', assistantMessage: { content: 'I look' } },
        toolCalls: [{ name: 'hold', status: 'cancelled' }],
      });
    });
  });

  describe('while it waits for a person', () => {
    it('drops the questions', async () => {
      const { watch, talk } = await rig.agent([[['launch', { what: 'x' }]]], { securityMode: 'ask' });
      const { data: asked } = await watch.seen('approval:required');
      await watch.seen('waiting');
      const events = await cancelled(watch);
      expect(events.filter(({ type }) => type === 'approval:resolved').map(({ data }) => data)).toEqual([
        { id: asked.id, decision: 'cancelled', by: expect.any(String) },
      ]);
      expect((await rig.run(await watch.runId())).approvals).toMatchObject([{ id: asked.id, status: 'cancelled' }]);
      expectError(await rig.approve(asked, 'allow-once'), 409, 'conflict');
      // The conversation is free again.
      expect((await must(talk.send('Hi'))).assistantMessage.content).toBe('Answer 2');
    });
  });

  describe('while it waits until it may try the model again', () => {
    it('does not wait any longer', async () => {
      const { watch, model } = await rig.agent([(call) => call.fail(429, 'Slow down', { 'retry-after': '60' })]);
      await watch.seen('attempt:reset');
      await cancelled(watch);
      expect(model.calls).toHaveLength(1);
    });

    it('nor where the call itself is tried again', async () => {
      const { watch, model } = await rig.agent([(call) => call.fail(429, 'Slow down', { 'retry-after': '25' })]);
      await model.call(1);
      await cancelled(watch);
      expect(model.calls).toHaveLength(1);
    });
  });

  it('a run that has ended is not cancelled: 409 says how it has', async () => {
    const { watch } = await rig.agent(['Done']);
    await watch.all();
    const id = await watch.runId();
    const again = await rig.cancel(id);
    expectError(again, 409, 'conflict', /has ended \(completed\)/);
    expect(again.body.details).toEqual({ runId: id, status: 'completed' });
    const other = await rig.agent([held]);
    await cancelled(other.watch);
    expectError(await rig.cancel(await other.watch.runId()), 409, 'conflict', /has ended \(cancelled\)/);
  });

  it('no body is needed', async () => {
    const { watch, model } = await rig.agent([held]);
    await model.call(1);
    const url = `${rig.server.url}/api/chat/runs/${await watch.runId()}/cancel`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(200);
    await watch.all();
  });

  it('of somebody who cancels and somebody who allows, whoever is first counts', async () => {
    for (let round = 0; round < 6; round++) {
      const from = rig.box.carried.length;
      const { watch } = await rig.agent([[['launch', { what: 'x' }]], 'It flies'], { securityMode: 'ask' });
      const { data: asked } = await watch.seen('approval:required');
      if (round % 2 === 0) await watch.seen('waiting');
      const id = await watch.runId();
      const [cancel, approve] = await Promise.all([rig.cancel(id), rig.approve(asked, 'allow-once', { wait: 0 })]);
      const events = await watch.all();
      const decisions = events.filter(({ type }) => type === 'approval:resolved').map(({ data }) => data.decision);
      expect(decisions).toEqual([approve.status === 200 ? 'allow-once' : 'cancelled']);
      expect((await rig.run(id)).status).toBe(cancel.status === 200 ? 'cancelled' : 'completed');
      if (approve.status !== 200) expect(rig.box.carried).toHaveLength(from);
    }
  });

  it('of ten who cancel at once one does', async () => {
    const { watch, model } = await rig.agent([held]);
    await model.call(1);
    const id = await watch.runId();
    const answers = await Promise.all(Array.from({ length: 10 }, () => rig.cancel(id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    await watch.all();
  });

  it('at any moment: it ends either way, once, with nothing after it', async () => {
    for (let round = 0; round < 12; round++) {
      const { watch, talk } = await rig.agent([[['look', { what: 'a' }]], [['look', { what: 'b' }]], 'Done']);
      const id = await watch.runId();
      await watch.until('so many events', () => watch.events[1 + round] ?? (watch.isOver || undefined));
      const answer = await rig.cancel(id);
      expect([200, 409]).toContain(answer.status);
      const events = await watch.all();
      const { status, lastEventId } = await rig.run(id);
      expect([status, events.at(-1)?.type]).toEqual(
        answer.status === 200 ? ['cancelled', 'error'] : ['completed', 'complete'],
      );
      expect(lastEventId).toBe(events.at(-1)?.id);
      const calls = (await talk.messages()).flatMap(({ toolCalls }) => toolCalls);
      for (const { status: how } of calls) expect(['success', 'cancelled']).toContain(how);
    }
  });

  describe('what is deleted under a run', () => {
    it('its conversation: the run is cancelled first, and whoever watches hears of it', async () => {
      const { watch, model, talk } = await rig.agent([held]);
      const call = await model.call(1);
      call.piece('Once');
      await watch.seen('content');
      expect(await rig.server.call(talk.path, undefined, DELETE)).toMatchObject({
        ...{ status: 200, body: { message: 'Conversation deleted' } },
      });
      await expect.poll(() => call.isGone()).toBe(true);
      await watch.over;
      expect(watch.events.at(-1)).toMatchObject({ type: 'error', data: CANCELLED });
      expectError(await rig.server.call(`/api/chat/runs/${await watch.runId()}`), 404, 'not_found');
    });

    it('its conversation while it waits for a person', async () => {
      const { watch, talk } = await rig.agent([[['launch', { what: 'x' }]]], { securityMode: 'ask' });
      const { data: asked } = await watch.seen('approval:required');
      await watch.seen('waiting');
      await must(rig.server.call(talk.path, undefined, DELETE));
      await watch.over;
      expect(watch.events.at(-1)).toMatchObject({ type: 'error', data: CANCELLED });
      expectError(await rig.approve(asked, 'allow-once'), 404, 'approval_not_found');
      expect((await must(rig.server.call(`/api/chat/approvals?conversationId=${talk.id}`))).approvals).toEqual([]);
    });

    it('a message before it only when it has ended', async () => {
      const { talk } = await rig.talk('Hello', [['launch', { what: 'x' }]]);
      await must(talk.send('Hi'));
      const { runId } = await must(withTools(talk, 'Go'));
      const [first] = await talk.messages();
      const refused = await rig.server.call(`${talk.path}/messages/${first.id}`, undefined, DELETE);
      expectError(refused, 409, 'conflict', /waits for an approval/);
      await must(rig.cancel(runId));
      await must(rig.server.call(`${talk.path}/messages/${first.id}`, undefined, DELETE));
      expect(await talk.messages()).toEqual([]);
    });

    it('its message', async () => {
      const what = randomUUID();
      const { watch, talk } = await rig.agent([[['hold', { what }]]]);
      const { carried } = await rig.box.held(what);
      const [asked] = await talk.messages();
      expect(await must(rig.server.call(`${talk.path}/messages/${asked.id}`, undefined, DELETE))).toMatchObject({
        deleted: 2,
      });
      expect(carried.context.signal.aborted).toBe(true);
      expect((await watch.all()).at(-1)?.data).toEqual(CANCELLED);
      expect(await talk.messages()).toEqual([]);
      await must(talk.send('Anew'));
    });
  });
});

describe('a command', async () => {
  const sandbox = await findSandbox();

  it.skipIf(sandbox === undefined)('is gone with all that it has started', async () => {
    const server = await startTestServer({}, undefined, undefined, [exec]);
    const talk = await begin(server, 'demo');
    // A duration that no other process of this machine sleeps.
    const mark = `98765.${Math.floor(Math.random() * 1e9)}`;
    const command = `sleep ${mark} & (setsid sleep ${mark} &) ; nohup sleep ${mark} >/dev/null 2>&1 & echo started; wait`;
    const watch = await startAgent(talk, `/tool exec ${JSON.stringify({ command })}`);
    expect((await watch.seen('tool:progress')).data.text).toBe('started\n');
    await expect.poll(() => countProcesses(`sleep\0${mark}`)).toBe(3);
    await must(server.call(`/api/chat/runs/${await watch.runId()}/cancel`, {}));
    await expect.poll(() => countProcesses(mark)).toBe(0);
    const events = await watch.all();
    expect(events.at(-1)?.data).toEqual(CANCELLED);
    expect(events.find(({ type }) => type === 'tool:result')?.data.status).toBe('cancelled');
    await server.stop();
  });
});
