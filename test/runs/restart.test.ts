import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectError } from '../contract/helpers.ts';
import { type Json, startTestServer } from '../server.ts';
import { held } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, RunRig, story, withTools } from './rig.ts';
import { expectWhole, type RunEvent, saidIn, type Watch } from './watch.ts';

// A server that is stopped in order hands its runs over, and the next one goes on with them.

/** Seconds: less than any of these runs needs. */
const HASTY = { PROFCLAW_STOP_TIMEOUT: '0.5' };

onBothDatabases((start) => {
  /** What a run has told until its server was stopped, and then to the end. */
  async function toTheEnd(rig: RunRig, watch: Watch): Promise<RunEvent[]> {
    await watch.over;
    const after = watch.events.at(-1)?.id ?? 0;
    const again = await rig.watch(await watch.runId(), after);
    await again.over;
    const events = [...watch.events, ...again.events];
    expectWhole(events);
    return events;
  }

  it('a step that can still be ended is, and the next one is begun by the next server', async () => {
    const rig = await start({ PROFCLAW_STOP_TIMEOUT: '20' });
    const { watch, model, talk } = await rig.agent([held, 'Done']);
    const call = await model.call(1);
    const stopping = rig.stopServer();
    await watch.over;
    call.answer({ content: '', tool_calls: [toolCall()] });
    await stopping;
    expect(model.calls).toHaveLength(1);
    await rig.startServer();
    const events = await toTheEnd(rig, watch);
    expect(events.filter(({ type }) => type === 'attempt:reset')).toEqual([]);
    expect(model.calls).toHaveLength(2);
    expect(await story({ ...talk, messages: () => messages(rig, talk.path) })).toEqual([
      'complete user: Begin',
      'complete assistant:  [look success saw x]',
      'complete assistant: Done',
    ]);
    expect((await rig.run(await watch.runId())).attempts).toBe(2);
  });

  it('an answer that takes too long is broken off, and begun anew', async () => {
    const rig = await start(HASTY);
    const { watch, model, talk } = await rig.agent([[['look', { what: 'x' }]], held, 'At last']);
    const call = await model.call(2);
    call.piece('Once');
    await watch.seen('content');
    await rig.stopServer();
    await expect.poll(() => call.isGone()).toBe(true);
    expect(watch.events.map(({ type }) => type)).not.toContain('error');
    await rig.startServer();
    const events = await toTheEnd(rig, watch);
    const resets = events.filter(({ type }) => type === 'attempt:reset');
    expect(resets.map(({ data }) => data)).toEqual([
      { step: 2, reason: 'interrupted', from: model.name, to: model.name },
    ]);
    expect(saidIn(events, 2)).toBe('At last');
    expect(rig.box.lines()).toEqual(['look: x']);
    expect((await messages(rig, talk.path)).map(({ content }: Json) => content)).toEqual(['Begin', '', 'At last']);
  });

  it('a tool that takes too long is stopped, and carried out again with the same key if that does no harm', async () => {
    const rig = await start(HASTY);
    const { watch } = await rig.agent([[['hold', { what: 'x' }]], 'Done']);
    const first = await rig.box.held('x');
    await rig.stopServer();
    expect(first.carried.context.signal.aborted).toBe(true);
    await rig.startServer();
    const second = await rig.box.held('x', 2);
    expect(second.carried.context.idempotencyKey).toBe(first.carried.context.idempotencyKey);
    second.end('held at last');
    const events = await toTheEnd(rig, watch);
    expect(events.filter(({ type }) => type === 'tool:call')).toHaveLength(1);
    expect(events.find(({ type }) => type === 'tool:result')?.data.result).toBe('held at last');
  });

  it('if it might do harm a person is asked first', async () => {
    const rig = await start(HASTY);
    const { watch, model } = await rig.agent([[['grab', { what: 'x' }]], 'Done']);
    const { carried } = await rig.box.held('x');
    await rig.stopServer();
    expect(carried.context.signal.aborted).toBe(true);
    await rig.startServer();
    const again = await rig.watch(await watch.runId());
    const { data: asked } = await again.seen('approval:required');
    expect(asked).toMatchObject({
      toolName: 'grab',
      params: { what: 'x' },
      reason: expect.stringMatching(/server stopped/),
    });
    await must(rig.approve(asked, 'deny'));
    await again.all();
    expect(rig.box.carried).toHaveLength(1);
    expect(model.calls[1]!.said.at(-1)).toMatch(/not to repeat it|not carried out/);
  });

  it('whoever waits for a message with tools is told where it goes on', async () => {
    const rig = await start(HASTY);
    const { talk, model } = await rig.talk(held, 'At last');
    const sent = withTools(talk, 'Go');
    await model.call(1);
    await rig.stopServer();
    const answer = await sent;
    expectError(answer, 503, 'shutting_down');
    await rig.startServer();
    const watch = await rig.watch(answer.body.details.runId);
    expect(saidIn(await watch.all(), 1)).toBe('At last');
  });

  it('messages to a run that its model has not seen yet are not lost', async () => {
    const rig = await start(HASTY);
    const { watch, model } = await rig.agent([[['hold', { what: 'x' }]], 'Done']);
    await rig.box.held('x');
    await must(rig.steer(await watch.runId(), 'By the way'));
    await rig.stopServer();
    await rig.startServer();
    (await rig.box.held('x', 2)).end();
    await toTheEnd(rig, watch);
    expect(model.calls[1]!.said.at(-1)).toBe('user: By the way');
  });

  it('a call that was allowed of a tool that the next server does not have is an error, which the model reads', async () => {
    let names = ['launch', 'look'];
    const rig = await start(HASTY, (environment, home, box) => {
      const tools = box.tools.filter(({ name }) => names.includes(name));
      return startTestServer(environment, home, undefined, tools);
    });
    const { watch, model } = await rig.agent([[['launch', { what: 'x' }]], 'Pity'], { securityMode: 'ask' });
    const { data: asked } = await watch.seen('approval:required');
    await watch.seen('waiting');
    await rig.stopServer();
    names = ['look'];
    await rig.startServer();
    const answer = await must(rig.approve(asked, 'allow-once'));
    expect(answer).toMatchObject({ success: false, result: expect.stringMatching(/There is no tool "launch"/) });
    await toTheEnd(rig, watch);
    expect(model.calls[1]!.said.at(-1)).toMatch(/^tool: There is no tool "launch"/);
    expect(rig.box.carried).toEqual([]);
  });

  it('a run that dies in the same step again and again is thought to be the reason, and ended', async () => {
    const rig = await start(HASTY);
    const { watch, talk, model } = await rig.agent([[['look', { what: 'x' }]], held]);
    await model.call(2);
    await rig.stopServer();
    await rig.db.updateTable('runs').set({ tries: 20 }).execute();
    await rig.startServer();
    const events = await toTheEnd(rig, watch);
    expect(events.at(-1)).toMatchObject({ type: 'error', data: { code: 'INTERRUPTED' } });
    expect(model.calls).toHaveLength(2);
    expect(await story({ ...talk, messages: () => messages(rig, talk.path) })).toEqual([
      ...['complete user: Begin', 'complete assistant:  [look success saw x]'],
    ]);
  });

  function toolCall(): object {
    const called = { name: 'look', arguments: '{"what": "x"}' };
    return { index: 0, id: 'c', type: 'function', function: called };
  }

  async function messages(rig: RunRig, path: string) {
    return (await must(rig.server.call(path))).messages;
  }
});

describe('the file of the engine', () => {
  it('holds nothing that counts: without it runs go on, and those that wait too', async () => {
    const rig = await RunRig.start(undefined, HASTY);
    onTestFinished(() => rig.stop());
    const launch: Reply = [['launch', { what: 'x' }]];
    const waiting = await rig.agent([launch, 'It flies'], { securityMode: 'ask' });
    const { data: asked } = await waiting.watch.seen('approval:required');
    await waiting.watch.seen('waiting');
    const running = await rig.agent([[['look', { what: 'y' }]], held, 'Done']);
    await running.model.call(2);
    await rig.stopServer();
    for (const end of ['', '-wal', '-shm']) rmSync(join(rig.home, `engine.db${end}`), { force: true });
    await rig.startServer();
    await must(rig.approve(asked, 'allow-once'));
    for (const { watch } of [waiting, running])
      expect((await (await rig.watch(await watch.runId())).all()).at(-1)?.type).toBe('complete');
    expect(rig.box.lines().sort()).toEqual(['launch: x', 'look: y']);
  });
});
