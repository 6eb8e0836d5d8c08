import { beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import type { Model, Talk } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, story, withTools } from './rig.ts';

// POST /api/chat/tools/approve: a call that needs a person's word waits for it, and then the run goes on by itself.

const LAUNCH: Reply = [['launch', { what: 'x' }]];

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  const lines = (from: number): string[] => rig.box.lines().slice(from);

  /** A message whose model wants to launch x, and then says the rest. */
  async function asking(
    ...replies: Reply[]
  ): Promise<{ talk: Talk; model: Model; asked: Json; runId: string; from: number }> {
    const from = rig.box.carried.length;
    const { talk, model } = await rig.talk(LAUNCH, ...replies);
    const { pendingApprovals, runId } = await must(withTools(talk, 'Launch x'));
    expect(pendingApprovals).toHaveLength(1);
    return { talk, model, asked: pendingApprovals[0], runId, from };
  }

  describe('allow-once', () => {
    it('carries the call out, and answers with what comes of it', async () => {
      const { talk, model, asked, runId, from } = await asking('It flies');
      const answer = await must(rig.approve(asked, 'allow-once'));
      const last = (await talk.messages()).at(-1);
      expect(answer).toEqual({
        ...{ success: true, result: 'launched x', decision: 'allow-once' },
        run: { id: runId, status: 'completed' },
        message: last,
      });
      expect(last.content).toBe('It flies');
      expect(model.calls[1]!.said.at(-1)).toBe('tool: launched x');
      expect(lines(from)).toEqual(['launch: x']);
      expect(await story(talk)).toEqual([
        'complete user: Launch x',
        'complete assistant:  [launch success launched x]',
        'complete assistant: It flies',
      ]);
    });

    it('is told to whoever watches: the question, the answer and who gave it', async () => {
      const { watch } = await rig.agent([LAUNCH, 'It flies'], { securityMode: 'ask' });
      const { data: question } = await watch.seen('approval:required');
      const run = await rig.run(await watch.runId());
      expect(question).toEqual({
        ...{ id: expect.stringMatching(/^approval_/), runId: run.id, conversationId: run.conversationId },
        ...{ toolCallId: expect.any(String), toolName: 'launch', params: { what: 'x' } },
        display: 'launch\nwhat: "x"',
        ...{ argumentsHash: expect.stringMatching(/^[0-9a-f]{64}$/), securityLevel: 'dangerous' },
        ...{ reason: expect.stringMatching(/dangerous/), status: 'pending' },
        ...{ createdAt: expect.any(String), expiresAt: expect.any(String) },
        ...{ decidedAt: null, decidedBy: null, editedArguments: null },
      });
      await watch.seen('waiting');
      await must(rig.approve(question, 'allow-once'));
      const events = await watch.all();
      expect(events.map(({ type }) => type)).toEqual([
        ...['user_message', 'session:start', 'step:start', 'tool:call', 'approval:required', 'waiting'],
        ...['approval:resolved', 'tool:result', 'step:complete'],
        ...['step:start', 'content', 'step:complete', 'summary', 'message_saved', 'complete'],
      ]);
      const resolved = events.find(({ type }) => type === 'approval:resolved');
      expect(resolved?.data).toEqual({ id: question.id, decision: 'allow-once', by: expect.any(String) });
      const after = await rig.run(run.id);
      expect(after).toMatchObject({ attempts: 2, approvals: [{ id: question.id, status: 'allowed' }] });
      expect(after.approvals[0].decidedBy).toBe(resolved?.data.by);
    });

    it('counts once: the next such call is asked about again', async () => {
      const { talk, asked } = await asking(LAUNCH, 'Twice');
      const first = await must(rig.approve(asked, 'allow-once'));
      expect(first).toMatchObject({ success: true, result: 'launched x', run: { status: 'waiting_approval' } });
      expect(first).not.toHaveProperty('message');
      const { approvals } = await must(rig.server.call(`/api/chat/approvals?status=pending&conversationId=${talk.id}`));
      expect(approvals).toHaveLength(1);
      expect(approvals[0].id).not.toBe(asked.id);
      await must(rig.approve(approvals[0], 'deny'));
    });

    it('says so if the tool fails, and the run goes on', async () => {
      const { talk, asked } = await asking('Oh');
      // What it was asked for is not what it will find.
      const { tools } = rig.box;
      const launch = tools.find(({ name }) => name === 'launch')!;
      const { run } = launch;
      launch.run = () => Promise.resolve({ text: 'no fuel', isError: true });
      const answer = await must(rig.approve(asked, 'allow-once'));
      launch.run = run;
      expect(answer).toMatchObject({ success: false, result: 'no fuel', run: { status: 'completed' } });
      expect((await story(talk))[1]).toBe('complete assistant:  [launch error no fuel]');
    });
  });

  describe('deny', () => {
    it('does not carry the call out; the model reads that, and why', async () => {
      const { model, asked, runId, from } = await asking('As you like');
      const answer = await must(rig.approve(asked, 'deny', { reason: 'Not on a “Sunday”\u0000' }));
      expect(answer).toMatchObject({
        success: true,
        result: null,
        decision: 'deny',
        message: { content: 'As you like' },
      });
      expect(model.calls[1]!.said.at(-1)).toMatch(/^tool: .*not carried out.*Not on a “Sunday”/);
      expect(lines(from)).toEqual([]);
      expect(await rig.run(runId)).toMatchObject({
        status: 'completed',
        toolCalls: [{ status: 'denied', result: expect.stringMatching(/has not allowed it/) }],
        approvals: [{ status: 'denied' }],
      });
    });

    it('needs no reason, and makes no rule', async () => {
      const { model, asked } = await asking(LAUNCH, 'Again?');
      await must(rig.approve(asked, 'deny'));
      expect(model.calls[1]!.said.at(-1)).not.toMatch(/They say/);
      const { approvals } = await must(
        rig.server.call(`/api/chat/approvals?status=pending&conversationId=${asked.conversationId}`),
      );
      expect(approvals).toHaveLength(1);
      await must(rig.cancel(approvals[0].runId));
    });
  });

  describe('edited arguments', () => {
    it('are carried out in place of the model’s, and it reads that', async () => {
      const { asked, from, runId, model } = await asking('It flies');
      const answer = await must(rig.approve(asked, 'allow-once', { editedArguments: { what: 'y' } }));
      expect(answer).toMatchObject({ success: true, run: { status: 'completed' } });
      expect(answer.result).toMatch(/changed the arguments of this call to \{"what":"y"\}.*\nlaunched y$/);
      expect(model.calls[1]!.said.at(-1)).toBe(`tool: ${answer.result}`);
      expect(lines(from)).toEqual(['launch: y']);
      const { approvals } = await rig.run(runId);
      expect(approvals[0]).toMatchObject({ params: { what: 'x' }, editedArguments: { what: 'y' } });
    });

    it('must fit: what is wrong is said, and the question stays', async () => {
      const { asked, from } = await asking('It flies');
      const bad = await rig.approve(asked, 'allow-once', { editedArguments: { what: 1, colour: 'red' } });
      expect(issuePaths(bad).sort()).toEqual(['editedArguments', 'editedArguments.what']);
      expect(lines(from)).toEqual([]);
      expect(await must(rig.approve(asked, 'allow-once'))).toMatchObject({ result: 'launched x' });
    });
  });

  it('as the reply is waited for only as long as is asked', async () => {
    const { asked, model } = await asking((call) => void call);
    const answer = await must(rig.approve(asked, 'allow-once', { wait: 0 }));
    expect(answer).not.toHaveProperty('message');
    expect(['queued', 'running']).toContain(answer.run.status);
    (await model.call(2)).answer('Later');
    await expect.poll(async () => (await rig.run(asked.runId)).status).toBe('completed');
  });

  it('with a wait that is over before the reply comes', async () => {
    const { asked, model } = await asking((call) => void call);
    const answer = await must(rig.approve(asked, 'allow-once', { wait: 500 }));
    expect(answer).toMatchObject({ success: true, run: { status: 'running' } });
    expect(answer).not.toHaveProperty('message');
    (await model.call(2)).answer('Later');
    await expect.poll(async () => (await rig.run(asked.runId)).status).toBe('completed');
  });

  describe('an answer that does not count', () => {
    it('names a question that there is not, or one of another conversation', async () => {
      const { asked, from } = await asking();
      const { talk: other } = await rig.talk();
      for (const wrong of [
        { ...asked, id: 'approval_x' },
        { ...asked, conversationId: other.id },
        { ...asked, id: '\u0000' },
      ])
        expectError(await rig.approve(wrong, 'allow-once'), 404, 'approval_not_found', 'Approval not found or expired');
      expect(lines(from)).toEqual([]);
      await must(rig.cancel(asked.runId));
    });

    it('comes when it was answered before', async () => {
      const { asked, from } = await asking('It flies');
      await must(rig.approve(asked, 'allow-once'));
      for (const decision of ['allow-once', 'allow-always', 'deny'])
        expectError(await rig.approve(asked, decision), 409, 'conflict', /answered before/);
      expect(lines(from)).toEqual(['launch: x']);
    });

    it('comes together with another: one of them wins, and what that says is done', async () => {
      for (let round = 0; round < 5; round++) {
        const { asked, from, runId } = await asking('Done');
        const decisions = ['allow-once', 'deny', 'allow-once', 'deny'];
        const answers = await Promise.all(decisions.map((decision) => rig.approve(asked, decision)));
        const won = answers.filter(({ status }) => status === 200);
        expect(won).toHaveLength(1);
        for (const answer of answers) if (answer !== won[0]) expectError(answer, 409, 'conflict');
        expect(lines(from)).toEqual(won[0]?.body.decision === 'deny' ? [] : ['launch: x']);
        const events = await (await rig.watch(runId)).all();
        expect(events.filter(({ type }) => type === 'approval:resolved')).toHaveLength(1);
      }
    });

    it('does not fit', async () => {
      const { asked } = await asking();
      const bad = await rig.approve(asked, 'perhaps', { wait: -1, scope: 'all', editedArguments: [], reasn: 'x' });
      expect(issuePaths(bad).sort()).toEqual(['decision', 'editedArguments', 'reasn', 'scope', 'wait']);
      await must(rig.cancel(asked.runId));
    });

    it('comes after the run was cancelled', async () => {
      const { asked, from } = await asking();
      await must(rig.cancel(asked.runId));
      expectError(await rig.approve(asked, 'allow-once'), 409, 'conflict');
      expect(lines(from)).toEqual([]);
    });
  });
});
