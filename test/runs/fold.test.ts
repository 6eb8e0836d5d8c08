import { beforeAll, describe, expect, it } from 'vitest';
import { foldEndedRuns } from '../../src/agent/fold.ts';
import { appendEvents, type NewEvent } from '../../src/storage/run-events.ts';
import { held } from '../turns/rig.ts';
import { onBothDatabases, type RunRig } from './rig.ts';
import { type RunEvent, saidIn, type Watch } from './watch.ts';

// The deltas of runs that ended a while ago are put together; whoever comes back then loses nothing by it.

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** Folds a run that has ended, as if it had ended long ago. */
  async function fold(id: string): Promise<void> {
    await rig.db.updateTable('runs').set({ fold_at: 1 }).where('id', '=', id).execute();
    await expect.poll(() => foldEndedRuns(rig.db, 20)).toBe(0);
    const run = await rig.db.selectFrom('runs').select('fold_at').where('id', '=', id).executeTakeFirstOrThrow();
    expect(run.fold_at).toBeNull();
  }

  async function numbersOf(id: string): Promise<number[]> {
    const rows = await rig.db.selectFrom('run_events').select('seq').where('run', '=', id).orderBy('seq').execute();
    return rows.map(({ seq }) => seq);
  }

  /** A run of two steps, whose texts came in pieces that were stored one by one. */
  async function chatty(): Promise<{ id: string; events: RunEvent[] }> {
    const { watch, model } = await rig.agent([held, held]);
    for (const step of [1, 2]) {
      const call = await model.call(step);
      for (const piece of ['a', 'b', 'c', 'd']) {
        call.piece(piece + step);
        await watch.seen('content', ({ text }) => text === piece + step);
      }
      // Another step follows the first one.
      if (step === 1) await rig.steer(await watch.runId(), 'Go on');
      call.end();
    }
    return { id: await watch.runId(), events: await watch.all() };
  }

  /** What somebody has of a run who had seen some of its events, and then the rest of its stream. */
  function shown(seen: readonly RunEvent[], watch: Watch): RunEvent[] {
    const shown = [...seen];
    for (const event of watch.events) {
      if (event.type !== 'reset') shown.push(event);
      else shown.splice(0, shown.length, ...event.data.events.map((one: never) => fromSnapshot(one)));
    }
    return shown;
  }

  function fromSnapshot({ id, event }: { id: number; event: Omit<RunEvent, 'id'> }): RunEvent {
    return { id, ...event };
  }

  it('what follows each other becomes one event, with the number of the last', async () => {
    const { id, events } = await chatty();
    await fold(id);
    const again = await rig.watch(id);
    await again.over;
    expect(again.events.length).toBe(events.length - 6);
    const others = (all: readonly RunEvent[]) => all.filter(({ type }) => type !== 'content');
    expect(others(again.events)).toEqual(others(events));
    const texts = again.events.filter(({ type }) => type === 'content');
    const last = (step: number) => events.findLast(({ type, data }) => type === 'content' && data.step === step);
    expect(texts.map((event) => [event.id, event.data.text])).toEqual([
      [last(1)?.id, 'a1b1c1d1'],
      [last(2)?.id, 'a2b2c2d2'],
    ]);
    expect(again.events.at(-1)?.id).toBe(events.length);
  });

  it('whoever comes back, wherever they were, has the same in the end', async () => {
    const { id, events } = await chatty();
    await fold(id);
    const contents = events.filter(({ type }) => type === 'content').map((event) => event.id);
    for (let after = 0; after < events.length; after++) {
      const watch = await rig.watch(id, after);
      await watch.over;
      const all = shown(events.slice(0, after), watch);
      for (const step of [1, 2]) expect([after, saidIn(all, step)]).toEqual([after, saidIn(events, step)]);
      const others = (some: readonly RunEvent[]) => some.filter(({ type }) => type !== 'content');
      expect(others(all)).toEqual(others(events));
      // Only where an event is not there any more.
      const isInside = contents.includes(after) && contents.includes(after + 1);
      expect([after, watch.events.filter(({ type }) => type === 'reset').length]).toEqual([after, isInside ? 1 : 0]);
    }
  });

  it('a reset says where it goes on, and has the number to come back with', async () => {
    const { id, events } = await chatty();
    await fold(id);
    const contents = events.filter(({ type }) => type === 'content').map((event) => event.id);
    const watch = await rig.watch(id, contents[1]);
    await watch.over;
    const [reset] = watch.events;
    expect(reset).toMatchObject({ id: contents[3], type: 'reset', data: { lastEventId: contents[3] } });
    expect(reset?.data.reason).toMatch(/one event by now/);
    expect(reset?.data.events.at(-1).id).toBe(contents[3]);
    const next = await rig.watch(id, reset?.id);
    await next.over;
    expect(next.events).toEqual(watch.events.slice(1));
  });

  it('it is done once, and then there is nothing left to do', async () => {
    const { id } = await chatty();
    await fold(id);
    const numbers = await numbersOf(id);
    await fold(id);
    expect(await numbersOf(id)).toEqual(numbers);
  });

  it('a run that has not ended, or only just, stays as it is', async () => {
    const { watch, model } = await rig.agent([held]);
    const id = await watch.runId();
    const call = await model.call(1);
    for (const piece of ['a', 'b', 'c']) {
      call.piece(piece);
      await watch.seen('content', ({ text }) => text === piece);
    }
    await foldEndedRuns(rig.db, 20);
    const running = await numbersOf(id);
    expect(running).toEqual(watch.events.map((event) => event.id));
    call.end();
    const events = await watch.all();
    await foldEndedRuns(rig.db, 20);
    expect(await numbersOf(id)).toEqual(events.map((event) => event.id));
    const { fold_at } = await rig.db
      .selectFrom('runs')
      .select('fold_at')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    // An hour, by the database's clock.
    expect(fold_at).toBeGreaterThan(Date.now() + 1_800_000);
  });

  describe('a log that is longer than what is read at once', () => {
    /** A run with these events before its end. */
    async function long(events: NewEvent[]): Promise<{ id: string; watch: Watch }> {
      const { watch, model } = await rig.agent([held]);
      const id = await watch.runId();
      const call = await model.call(1);
      await watch.seen('step:start');
      await rig.db
        .transaction()
        .execute((tx) => appendEvents(tx, [{ run: id, owner: 'local', fence: undefined, events }]));
      call.answer('');
      await watch.over;
      return { id, watch };
    }

    it.each([1999, 2000, 4321])(
      'folds %i deltas of one text into one for each two thousand of them at most',
      async (count) => {
        const pieces = Array.from({ length: count }, (_, index) => `${index} `);
        const deltas = pieces.map((text): NewEvent => ({ type: 'content', data: { step: 1, text } }));
        const { id, watch } = await long(deltas);
        expect(watch.events.map((event) => event.id)).toEqual(watch.events.map((_, index) => index + 1));
        expect(saidIn(watch.events, 1) === pieces.join('')).toBe(true);
        await fold(id);
        const again = await rig.watch(id);
        await again.over;
        expect(saidIn(again.events, 1) === pieces.join('')).toBe(true);
        const texts = again.events.filter(({ type }) => type === 'content');
        expect(texts.length).toBeLessThanOrEqual(Math.ceil(count / 2000));
      },
    );

    it('folds thousands of short texts, each for itself', async () => {
      const deltas = Array.from({ length: 3000 }, (_, index): NewEvent => {
        return { type: 'tool:progress', data: { toolCallId: `call ${index >> 1}`, text: `${index} ` } };
      });
      const { id } = await long(deltas);
      await fold(id);
      const again = await rig.watch(id);
      await again.over;
      const texts = again.events.filter(({ type }) => type === 'tool:progress').map(({ data }) => data.text);
      expect(texts).toEqual(Array.from({ length: 1500 }, (_, index) => `${2 * index} ${2 * index + 1} `));
    });
  });
});
