import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Json } from '../server.ts';
import { must, onBothDatabases, type Reply, RunRig, startAgent, story, withTools } from './rig.ts';
import { saidIn } from './watch.ts';

// What becomes of a call in each mode, and the stream of a message with tools.

/** A safe tool that is for the sandbox, a moderate and a dangerous one that are not. */
const CALLS: Reply = [
  ['look', { what: 'a' }],
  ['change', { what: 'b' }],
  ['launch', { what: 'c' }],
];

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  describe('a mode decides on each call', () => {
    it.each<[string, string[], RegExp]>([
      ['deny', ['error', 'error', 'error'], /^There is no tool/],
      ['sandbox', ['success', 'denied', 'denied'], /may not be called in the mode sandbox/],
      ['allowlist', ['denied', 'denied', 'denied'], /No rule allows this call/],
      ['full', ['success', 'success', 'success'], /./],
    ])('%s', async (securityMode, statuses, words) => {
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk(CALLS, 'Well');
      const answer = await must(withTools(talk, 'Go', { securityMode }));
      expect(answer).toMatchObject({
        pendingApprovals: [],
        finishReason: 'stop',
        assistantMessage: { content: 'Well' },
      });
      expect(answer.toolCalls.map(({ status }: Json) => status)).toEqual(statuses);
      const refused = answer.toolCalls.filter(({ status }: Json) => status !== 'success');
      for (const { result } of refused) expect(result).toMatch(words);
      // The model reads why.
      expect(model.calls[1]!.said.slice(-3)).toEqual(answer.toolCalls.map(({ result }: Json) => `tool: ${result}`));
      const done = rig.box.carried.slice(from);
      expect(done).toHaveLength(statuses.filter((status) => status === 'success').length);
      for (const { context } of done) expect(context).toMatchObject({ mode: securityMode, workspace: rig.workspace });
    });

    it('ask, which is what is meant if nothing is said: what is not safe waits for a person', async () => {
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk(CALLS, 'Well');
      const answer = await must(withTools(talk, 'Go'));
      expect(answer.finishReason).toBe('approval-required');
      expect(answer.toolCalls.map(({ status, result }: Json) => [status, result])).toEqual([
        ['success', 'saw a'],
        ['pending', null],
        ['pending', null],
      ]);
      expect(answer.pendingApprovals).toEqual([
        expect.objectContaining({ toolName: 'change', params: { what: 'b' }, securityLevel: 'moderate' }),
        expect.objectContaining({ toolName: 'launch', params: { what: 'c' }, securityLevel: 'dangerous' }),
      ]);
      for (const { reason, expiresAt, createdAt } of answer.pendingApprovals) {
        expect(reason).toMatch(/^(change is moderate|launch is dangerous), and no rule allows this call\.$/);
        expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBeGreaterThan(86_000_000);
      }
      expect(answer.assistantMessage.finishReason).toBe('tool-calls');
      expect(model.calls).toHaveLength(1);
      expect(rig.box.lines().slice(from)).toEqual(['look: a']);
      expect(await rig.run(answer.runId)).toMatchObject({ status: 'waiting_approval', securityMode: 'ask' });
      await must(rig.cancel(answer.runId));
    });

    it('an agent’s is full if nothing is said', async () => {
      const { watch } = await rig.agent([CALLS, 'Well']);
      const events = await watch.all();
      expect(events.filter(({ type }) => type === 'tool:result').map(({ data }) => data.status)).toEqual([
        'success',
        'success',
        'success',
      ]);
    });

    it('an agent may be asked with deny: it answers without tools', async () => {
      const { watch, model } = await rig.agent(['I can only talk'], { securityMode: 'deny' });
      const events = await watch.all();
      expect(events[1]?.data).toMatchObject({ securityMode: 'deny', tools: [] });
      expect(model.calls[0]!.body).not.toHaveProperty('tools');
      expect(saidIn(events, 1)).toBe('I can only talk');
    });
  });

  describe('the stream of a message with tools', () => {
    it('tells of text, calls and results as they come, then of the whole', async () => {
      const { talk } = await rig.talk({ text: 'I look', calls: [['look', { what: 'x' }]] }, 'There it is');
      const { events } = await rig.server.stream(`${talk.path}/messages/with-tools`, { content: 'Go', stream: true });
      const [, looked, last] = await talk.messages();
      const [call] = looked.toolCalls;
      const { id, name, arguments: given, result, status, duration } = call;
      expect(events.slice(0, -1)).toEqual([
        { content: 'I look' },
        { toolCall: { id, name, arguments: given } },
        { toolResult: { id, name, result, status, duration } },
        { content: 'There it is' },
      ]);
      const done = events.at(-1);
      expect(done).toMatchObject({ done: true, finishReason: 'stop', pendingApprovals: [], toolCalls: [call] });
      expect(done.assistantMessage).toEqual(last);
      expect(Object.keys(done).sort()).toEqual([
        ...['assistantMessage', 'compaction', 'done', 'finishReason', 'pendingApprovals', 'runId'],
        ...['toolCalls', 'usage', 'userMessage'],
      ]);
    });

    it('tells of reasoning', async () => {
      const { talk } = await rig.talk();
      const body = { content: '/reason Hm\n/say Well', stream: true, model: 'demo' };
      const { events } = await rig.server.stream(`${talk.path}/messages/with-tools`, body);
      expect(events.slice(0, 2)).toEqual([{ reasoning: 'Hm' }, { content: 'Well' }]);
    });

    it('ends with what has to be approved', async () => {
      const { talk } = await rig.talk([['launch', { what: 'x' }]]);
      const { events } = await rig.server.stream(`${talk.path}/messages/with-tools`, { content: 'Go', stream: true });
      const [call, asked, done] = events;
      expect(call).toMatchObject({ toolCall: { name: 'launch', arguments: { what: 'x' } } });
      expect(asked.approval).toMatchObject({ toolName: 'launch', status: 'pending', toolCallId: call.toolCall.id });
      expect(done).toMatchObject({ done: true, finishReason: 'approval-required', pendingApprovals: [asked.approval] });
      expect(events).toHaveLength(3);
      await must(rig.cancel(done.runId));
    });

    it('ends with the error, and the message is marked', async () => {
      const { talk } = await rig.talk((call) => call.fail(401, 'Bad key'));
      const { events } = await rig.server.stream(`${talk.path}/messages/with-tools`, { content: 'Go', stream: true });
      expect(events).toEqual([
        expect.objectContaining({
          code: 'provider_auth',
          done: true,
          partial: true,
          error: expect.stringMatching(/Bad key/),
        }),
      ]);
      expect(await story(talk)).toEqual(['failed user: Go']);
    });
  });

  it('a run goes on when whoever has asked for it has gone', async () => {
    const { talk } = await rig.talk([['hold', { what: 'gone' }]], 'Done');
    const leaving = new AbortController();
    const sent = withTools(talk, 'Go', {}, { signal: leaving.signal });
    const { end } = await rig.box.held('gone');
    leaving.abort();
    await expect(sent).rejects.toThrow();
    end();
    await expect
      .poll(() => story(talk))
      .toEqual(['complete user: Go', 'complete assistant:  [hold success released]', 'complete assistant: Done']);
  });
});

describe('the list of tools', () => {
  it('has what runs may call', async () => {
    const rig = await RunRig.start(undefined);
    onTestFinished(() => rig.stop());
    const { tools, sandbox } = await must(rig.server.call('/api/chat/tools'));
    expect(tools.map(({ name }: Json) => name)).toEqual([
      'look',
      'change',
      'launch',
      'fail',
      'hold',
      'grab',
      'complete_task',
    ]);
    expect(tools[2]).toEqual({
      name: 'launch',
      description: 'Of a test: launch',
      inputSchema: expect.objectContaining({ type: 'object', required: ['what'] }),
      level: 'dangerous',
      effect: 'unsafe',
      sandbox: false,
    });
    expect(sandbox).toEqual({
      kind: expect.stringMatching(/^(bubblewrap|none)$/),
      unsandboxed: false,
      bounds: expect.any(String),
    });
  });

  it('effort sets the steps, unless they are given', async () => {
    const rig = await RunRig.start(undefined);
    onTestFinished(() => rig.stop());
    const most: number[] = [];
    for (const more of [
      { effort: 'low' },
      {},
      { effort: 'high' },
      { effort: 'max' },
      { effort: 'low', maxSteps: 199 },
    ]) {
      const { talk } = await rig.talk();
      const events = await (await startAgent(talk, 'Go', more)).all();
      most.push(events[1]?.data.maxSteps);
    }
    expect(most).toEqual([5, 20, 50, 200, 199]);
  });
});
