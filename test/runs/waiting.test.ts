import { beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { must, onBothDatabases, type Reply, type RunRig, story, withTools } from './rig.ts';

// A run that waits for a person is a row, nothing else: for hours, over restarts, several questions at once.

const launch = (...whats: string[]): Reply => whats.map((what) => ['launch', { what }]);

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  const lines = (from: number): string[] => rig.box.lines().slice(from);
  const pending = async (query: string): Promise<Json> =>
    must(rig.server.call(`/api/chat/approvals?status=pending&${query}`));

  it('is there after a restart, and goes on when it is answered', async () => {
    const own = await start();
    const { talk, watch } = await own.agent([launch('x'), 'It flies'], { securityMode: 'ask' });
    const { data: asked } = await watch.seen('approval:required');
    await watch.seen('waiting');
    await own.stopServer();
    await watch.over.catch(() => undefined);
    await own.startServer();
    const { id } = watch.events.at(-1)!;
    const again = await own.watch(await watch.runId(), id);
    expect((await must(own.server.call('/api/chat/approvals?status=pending'))).approvals).toMatchObject([asked]);
    expect(await must(own.approve(asked, 'allow-once'))).toMatchObject({
      result: 'launched x',
      message: { content: 'It flies' },
    });
    await again.over;
    expect([...watch.events, ...again.events].map((event) => event.id)).toEqual(
      Array.from({ length: id + again.events.length }, (_, index) => index + 1),
    );
    expect(own.box.lines()).toEqual(['launch: x']);
    expect(await story({ ...talk, messages: async () => (await own.server.call(talk.path)).body.messages })).toEqual([
      'complete user: Begin',
      'complete assistant:  [launch success launched x]',
      'complete assistant: It flies',
    ]);
  });

  describe('several questions of one step', () => {
    it('are answered one by one, in any order; each call is carried out as soon as it is allowed', async () => {
      const from = rig.box.carried.length;
      const { talk, model } = await rig.talk([...(launch('a', 'b', 'c') as []), ['look', { what: 'd' }]], 'Well');
      const first = await must(withTools(talk, 'Go'));
      const [a, b, c] = first.pendingApprovals;
      expect(first.pendingApprovals.map(({ params }: Json) => params.what)).toEqual(['a', 'b', 'c']);
      expect(lines(from)).toEqual(['look: d']);
      expect(await must(rig.approve(c, 'allow-once'))).toMatchObject({
        ...{ success: true, result: 'launched c', run: { status: 'waiting_approval' } },
      });
      expect(await must(rig.approve(a, 'deny', { reason: 'no' }))).toMatchObject({
        ...{ success: true, result: null, run: { status: 'waiting_approval' } },
      });
      expect(model.calls).toHaveLength(1);
      const last = await must(rig.approve(b, 'allow-once'));
      expect(last).toMatchObject({ result: 'launched b', run: { status: 'completed' }, message: { content: 'Well' } });
      expect(lines(from)).toEqual(['look: d', 'launch: c', 'launch: b']);
      expect(model.calls[1]!.said.slice(-4)).toEqual([
        expect.stringMatching(/not allowed it. They say: no/),
        'tool: launched b',
        'tool: launched c',
        'tool: saw d',
      ]);
      await (await rig.watch(first.runId)).all();
    });

    it('may be answered all at once', async () => {
      for (let round = 0; round < 5; round++) {
        const from = rig.box.carried.length;
        const whats = ['a', 'b', 'c', 'd', 'e'];
        const { talk, model } = await rig.talk(launch(...whats), 'All');
        const { pendingApprovals, runId } = await must(withTools(talk, 'Go'));
        const answers = await Promise.all(pendingApprovals.map((one: Json) => must(rig.approve(one, 'allow-once'))));
        expect(answers.map(({ result }) => result)).toEqual(whats.map((what) => `launched ${what}`));
        const events = await (await rig.watch(runId)).all();
        expect(events.at(-1)).toMatchObject({ type: 'complete', data: { totalSteps: 2 } });
        expect(lines(from).sort()).toEqual(whats.map((what) => `launch: ${what}`));
        expect(model.calls).toHaveLength(2);
      }
    });

    it('may be answered while another call of the step still runs', async () => {
      const { talk, model } = await rig.talk([...(launch('x') as []), ['hold', { what: 'meanwhile' }]], 'Both');
      const sent = withTools(talk, 'Go');
      const { end } = await rig.box.held('meanwhile');
      const { approvals } = await pending(`conversationId=${talk.id}`);
      const answered = await must(rig.approve(approvals[0], 'allow-once', { wait: 0 }));
      expect(answered.run.status).toBe('running');
      end();
      expect(await must(sent)).toMatchObject({ finishReason: 'stop', assistantMessage: { content: 'Both' } });
      expect(model.calls).toHaveLength(2);
    });
  });

  describe('a question that nobody answers in time', () => {
    it('counts as no, and the run goes on', async () => {
      const hasty = await start({ PROFCLAW_APPROVAL_TIMEOUT: '1' });
      const { watch, model } = await hasty.agent([launch('late'), 'Pity'], { securityMode: 'ask' });
      const { data: asked } = await watch.seen('approval:required');
      const { data: resolved } = await watch.seen('approval:resolved');
      expect(resolved).toEqual({ id: asked.id, decision: 'expired', by: '' });
      const events = await watch.all();
      expect(events.at(-1)?.type).toBe('complete');
      expect(hasty.box.carried).toEqual([]);
      expect(model.calls[1]!.said.at(-1)).toMatch(/^tool: .*nobody has allowed it in time/);
      expectError(await hasty.approve(asked, 'allow-once'), 404, 'approval_not_found', 'Approval not found or expired');
      const { approvals } = await must(hasty.server.call('/api/chat/approvals?status=expired'));
      expect(approvals).toMatchObject([{ id: asked.id, status: 'expired' }]);
    });

    it('cannot be answered from then on, also if that was not noticed yet', async () => {
      const { talk } = await rig.talk(launch('x'), 'Pity');
      const { pendingApprovals, runId } = await must(withTools(talk, 'Go'));
      const [{ id }] = pendingApprovals;
      await rig.db.updateTable('approvals').set({ expires_at: 1 }).where('id', '=', id).execute();
      expectError(await rig.approve(pendingApprovals[0], 'allow-once'), 404, 'approval_not_found');
      await (await rig.watch(runId)).all();
      expect((await story(talk)).slice(1)).toEqual([
        expect.stringMatching(/\[launch denied .*nobody has allowed it in time/),
        'complete assistant: Pity',
      ]);
    });
  });

  describe('another message to its conversation', () => {
    it.each(['messages', 'messages/with-tools', 'messages/agentic'])(
      '%s is refused at once, saying which run waits',
      async (kind) => {
        const { talk, model } = await rig.talk(launch('x'), 'It flies', 'Later');
        const { runId, pendingApprovals } = await must(withTools(talk, 'Go'));
        const refused = await rig.server.call(`${talk.path}/${kind}`, { content: 'And now?' });
        expectError(refused, 409, 'conflict', /waits for an approval/);
        expect(refused.body.details.runId).toBe(runId);
        await must(rig.approve(pendingApprovals[0], 'allow-once'));
        expect((await must(talk.send('And now?'))).assistantMessage.content).toBe('Later');
        expect(model.calls).toHaveLength(3);
      },
    );

    it.each(['messages/with-tools', 'messages/agentic'])('%s waits no longer than it may', async (kind) => {
      const hasty = await start({ PROFCLAW_TURN_WAIT: '1' });
      const what = `no longer ${kind}`;
      const { talk, model } = await hasty.talk([['hold', { what }]], 'Done');
      const first = withTools(talk, 'Go');
      const { end } = await hasty.box.held(what);
      expectError(
        await hasty.server.call(`${talk.path}/${kind}`, { content: 'Late' }),
        409,
        'conflict',
        /still being answered/,
      );
      end();
      await must(first);
      expect(await story(talk)).toHaveLength(3);
      expect(model.calls).toHaveLength(2);
    });

    it('keeps nothing if its caller leaves before its turn', async () => {
      const { talk, model } = await rig.talk([['hold', { what: 'left' }]], 'Done');
      const first = withTools(talk, 'Go');
      const { end } = await rig.box.held('left');
      const leaving = new AbortController();
      const left = withTools(talk, 'Left', {}, { signal: leaving.signal });
      const next = withTools(talk, 'Next');
      leaving.abort();
      await expect(left).rejects.toThrow();
      end();
      await must(first);
      await must(next);
      expect((await talk.messages()).filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual([
        ...['Go', 'Next'],
      ]);
      expect(model.calls).toHaveLength(3);
    });

    it('waits as long as the run only runs', async () => {
      const { talk } = await rig.talk([['hold', { what: 'a while' }]], 'Done', 'Yes');
      const first = withTools(talk, 'Go');
      const { end } = await rig.box.held('a while');
      const second = talk.send('And now?');
      end();
      expect((await must(first)).assistantMessage.content).toBe('Done');
      expect((await must(second)).assistantMessage.content).toBe('Yes');
    });
  });

  describe('the list of approvals', () => {
    it('has the newest first, by status and conversation, page by page', async () => {
      const { talk } = await rig.talk(launch('a', 'b', 'c', 'd', 'e'), 'Done');
      const { pendingApprovals, runId } = await must(withTools(talk, 'Go'));
      const ids = pendingApprovals.map(({ id }: Json) => id).reverse();
      const all = await pending(`conversationId=${talk.id}`);
      expect(all).toEqual({ approvals: pendingApprovals.toReversed(), nextCursor: null });
      const pages: string[] = [];
      for (let cursor = ''; ; ) {
        const page = await pending(`conversationId=${talk.id}&limit=2${cursor}`);
        pages.push(...page.approvals.map(({ id }: Json) => id));
        if (page.nextCursor === null) break;
        cursor = `&cursor=${page.nextCursor}`;
      }
      expect(pages).toEqual(ids);
      await must(rig.approve(pendingApprovals[0], 'deny'));
      await must(rig.approve(pendingApprovals[1], 'allow-once'));
      const of = async (status: string): Promise<string[]> => {
        const { approvals } = await must(
          rig.server.call(`/api/chat/approvals?status=${status}&conversationId=${talk.id}`),
        );
        return approvals.map(({ params }: Json) => params.what);
      };
      expect(await Promise.all(['pending', 'denied', 'allowed', 'expired'].map(of))).toEqual([
        ['e', 'd', 'c'],
        ['a'],
        ['b'],
        [],
      ]);
      await must(rig.cancel(runId));
      expect(await of('cancelled')).toEqual(['e', 'd', 'c']);
      expect((await pending(`conversationId=${talk.id}`)).approvals).toEqual([]);
    });

    it('refuses what it does not know', async () => {
      const answer = await rig.server.call('/api/chat/approvals?status=odd&limit=101&colour=red');
      expect(issuePaths(answer).sort()).toEqual(['query.colour', 'query.limit', 'query.status']);
      expect((await pending('conversationId=conv_x')).approvals).toEqual([]);
    });
  });
});
