import { beforeAll, describe, expect, it } from 'vitest';
import { expectError, issuePaths } from '../contract/helpers.ts';
import type { Json } from '../server.ts';
import { held } from '../turns/rig.ts';
import { onBothDatabases, type RunRig } from './rig.ts';
import { expectWhole, typesOf, type Watch } from './watch.ts';

// GET /api/chat/runs and …/events: the stream from anywhere, live to the end.

onBothDatabases((start, isPostgres) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  const numbers = (watch: Watch) => watch.events.map(({ id }) => id);
  const path = (id: string) => `/api/chat/runs/${id}/events`;

  /** A run that has ended, and its events. */
  async function ended() {
    const { watch, talk } = await rig.agent([[['look', { what: 'x' }]], 'Done']);
    const events = await watch.all();
    return { id: await watch.runId(), events, talk, watch };
  }

  it('is an event stream that nothing on the way holds back', async () => {
    const { watch, id } = await ended();
    for (const one of [watch, await rig.watch(id)]) {
      await one.over;
      const { headers, others } = one;
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      expect(others).toEqual(['retry: 1000']);
    }
  });

  it('can be taken up after any event, by the header or the query', async () => {
    const { id, events } = await ended();
    for (const { id: after } of events.slice(0, -1)) {
      const [byQuery, byHeader] = await Promise.all([
        rig.watch(id, after),
        rig.watch(id, undefined, { 'last-event-id': String(after) }),
      ]);
      await Promise.all([byQuery.over, byHeader.over]);
      expect(byQuery.events).toEqual(events.slice(after));
      expect(byHeader.events).toEqual(events.slice(after));
    }
  });

  it('from the start is the whole of it, with an empty header and after 0 too', async () => {
    const { id, events } = await ended();
    const all = await Promise.all([rig.watch(id), rig.watch(id, 0), rig.watch(id, undefined, { 'last-event-id': '' })]);
    for (const watch of all) expect(await watch.all()).toEqual(events);
  });

  it('tells a client that comes back after the last event, as browsers do by themselves, not to come again', async () => {
    const { id, events } = await ended();
    const response = await fetch(`${rig.server.url}/api/chat/runs/${id}/events?after=${events.length}`);
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 204, text: '' });
  });

  it('is live: who comes in the middle gets what was, then what comes', async () => {
    const { watch, model } = await rig.agent([held]);
    const id = await watch.runId();
    const call = await model.call(1);
    call.piece('one ');
    const { id: seen } = await watch.seen('content');
    const [late, later] = await Promise.all([rig.watch(id), rig.watch(id, seen)]);
    await late.seen('content');
    call.piece('two ');
    expect((await later.seen('content')).data.text).toBe('two ');
    watch.leave();
    call.end();
    const events = await late.all();
    await later.over;
    expect(numbers(later)).toEqual(events.slice(seen).map(({ id: number }) => number));
    expect(later.events).toEqual(events.slice(seen));
  });

  it('is not the run: nobody needs to watch it', async () => {
    const { watch, model, talk } = await rig.agent([held]);
    const id = await watch.runId();
    const call = await model.call(1);
    watch.leave();
    await watch.over;
    call.answer('All by myself');
    const events = await (await rig.watch(id)).all();
    expect(typesOf(events).at(-1)).toBe('complete');
    expect(await talk.lines()).toEqual(['complete user: Begin', 'complete assistant: All by myself']);
  });

  // A quarter of a minute, which is the same on both.
  it.skipIf(isPostgres)('says that it is still there', async () => {
    const { watch, model } = await rig.agent([held]);
    await watch.until('a comment', () => watch.others.find((line) => line.startsWith(':')));
    expect(watch.others).toEqual(['retry: 1000', ': heartbeat']);
    (await model.call(1)).answer();
    await watch.all();
  });

  describe('refuses', () => {
    it.each(['beyond', 'far beyond'])('a place %s the end, saying where that is', async (where) => {
      const { id, events } = await ended();
      const after = where === 'beyond' ? events.length + 1 : 1e9;
      const answers = [
        await rig.server.call(`${path(id)}?after=${after}`),
        await rig.server.call(path(id), undefined, { headers: { 'last-event-id': String(after) } }),
      ];
      for (const answer of answers) {
        expectError(answer, 400, 'invalid_request', new RegExp(`the run has ${events.length} events`));
      }
    });

    it.each(['x', '-1', '1.5', 'NaN', '%00', '9'.repeat(400)])('the place %s', async (after) => {
      const { id } = await ended();
      expect(issuePaths(await rig.server.call(`${path(id)}?after=${after}`))).toEqual(['query.after']);
    });

    it.each(['x', '-1', '1.5', 'msg_1'])('the header %s', async (after) => {
      const { id } = await ended();
      const headers = { 'last-event-id': after };
      expect(issuePaths(await rig.server.call(path(id), undefined, { headers }))).toEqual(['Last-Event-ID']);
    });

    it('runs that there are not', async () => {
      const { id } = await ended();
      for (const unknown of ['run_x', `${id}x`, '%00', id.toUpperCase()]) {
        expectError(await rig.server.call(`/api/chat/runs/${unknown}`), 404, 'not_found');
        expectError(await rig.server.call(path(unknown)), 404, 'not_found');
        expectError(await rig.server.call(`/api/chat/runs/${unknown}/cancel`, {}), 404, 'not_found');
        expectError(await rig.server.call(`/api/chat/runs/${unknown}/messages`, { content: 'x' }), 404, 'not_found');
      }
    });
  });

  describe('the list of runs', () => {
    const list = async (query: string): Promise<Json> => (await rig.server.call(`/api/chat/runs?${query}`)).body;
    const idsOf = ({ runs }: Json): string[] => runs.map(({ id }: Json) => id);

    it('has the newest first, by conversation and status, page by page', async () => {
      const { talk, id: first } = await ended();
      const { talk: other, id: elsewhere } = await ended();
      const ids = [first];
      for (let i = 0; i < 4; i++) {
        const more = await rig.server.call(`${talk.path}/messages/with-tools`, { content: 'More' });
        ids.unshift(more.body.runId);
      }
      const all = await list(`conversationId=${talk.id}`);
      expect(idsOf(all)).toEqual(ids);
      expect(all.nextCursor).toBeNull();
      expect(all.runs.map(({ kind }: Json) => kind)).toEqual(['tools', 'tools', 'tools', 'tools', 'agent']);
      const pages: string[] = [];
      for (let cursor = ''; ; ) {
        const page = await list(`conversationId=${talk.id}&limit=2${cursor}`);
        expect(page.runs.length).toBeLessThanOrEqual(2);
        pages.push(...idsOf(page));
        if (page.nextCursor === null) break;
        cursor = `&cursor=${page.nextCursor}`;
      }
      expect(pages).toEqual(ids);
      expect(idsOf(await list(`conversationId=${other.id}`))).toEqual([elsewhere]);
      expect(idsOf(await list(`conversationId=${talk.id}&status=failed`))).toEqual([]);
      expect(idsOf(await list(`conversationId=${talk.id}&status=completed&limit=1`))).toEqual([ids[0]]);
      expect(idsOf(await list('conversationId=conv_x'))).toEqual([]);
    });

    it('refuses what it does not know, all at once', async () => {
      const answer = await rig.server.call('/api/chat/runs?status=odd&limit=0&colour=red');
      expect(issuePaths(answer).sort()).toEqual(['query.colour', 'query.limit', 'query.status']);
    });
  });

  it('a run of a deleted conversation is gone', async () => {
    const { id, talk } = await ended();
    await rig.server.call(talk.path, undefined, { method: 'DELETE' });
    expectError(await rig.server.call(path(id)), 404, 'not_found');
    expect((await rig.server.call(`/api/chat/runs?conversationId=${talk.id}`)).body.runs).toEqual([]);
  });

  it('somebody who watches a run to its end sees no event of the next one', async () => {
    const { talk, model } = await rig.talk();
    const runs = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const answer = await rig.server.call(`${talk.path}/messages/with-tools`, { content: `Say ${number}` });
        return answer.body.runId;
      }),
    );
    expect(model.calls).toHaveLength(3);
    for (const id of runs) expectWhole(await (await rig.watch(id)).all());
  });
});
