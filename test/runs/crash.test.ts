import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Json } from '../server.ts';
import { held } from '../turns/rig.ts';
import { inOwnProcess } from './crash-rig.ts';
import { type Note, notesIn, openGate } from './crash-tools.ts';
import { must, onBothDatabases, type Reply, RunRig } from './rig.ts';
import { type RunEvent, saidIn, type Watch } from './watch.ts';

// A process that dies (kill -9) in the middle of a step: the next one goes on with what was stored.

const CHOICES = ['resume', 'ask', 'fail'] as const;
const EFFECTS = ['read', 'idempotent', 'unsafe'] as const;
const POINTS = ['before', 'after'] as const;

interface Case {
  onCrash: (typeof CHOICES)[number];
  effect: (typeof EFFECTS)[number];
  /** Where it died, as seen from the tool's effect. */
  point: (typeof POINTS)[number];
}

const CASES: Case[] = CHOICES.flatMap((onCrash) =>
  EFFECTS.flatMap((effect) => POINTS.map((point) => ({ onCrash, effect, point }))),
);

const nameOf = ({ onCrash, effect, point }: Case): string => `${onCrash}-${effect}-${point}`;
/** Is a person asked before it is repeated? */
const asks = ({ onCrash, effect }: Case): boolean => onCrash === 'ask' || (onCrash === 'resume' && effect === 'unsafe');
const fails = ({ onCrash, effect }: Case): boolean => onCrash === 'fail' && effect === 'unsafe';

onBothDatabases((start) => {
  let rig: RunRig;
  /** What watchers had seen when the process died. */
  const before = new Map<string, Watch>();
  /** The calls of the models of runs that died in their stream. */
  const asked: number[] = [];

  const notes = (id: string): Note[] => notesIn(rig.workspace).filter((note) => note.id === id);
  const count = (id: string, what: Note['what']): number => notes(id).filter((note) => note.what === what).length;
  const idOf = async (name: string): Promise<string> => await before.get(name)!.runId();

  /** The rest of a run, from what its watcher had seen, live; all events. */
  async function rest(name: string): Promise<{ again: Watch; events: () => Promise<RunEvent[]> }> {
    const watch = before.get(name)!;
    const again = await rig.watch(await watch.runId(), watch.events.at(-1)?.id);
    return {
      again,
      events: async () => {
        await again.over;
        const all = [...watch.events, ...again.events];
        expect(all.map((event) => event.id)).toEqual(all.map((_, index) => index + 1));
        return all;
      },
    };
  }

  beforeAll(async () => {
    rig = await start({}, inOwnProcess);
    await Promise.all(
      CASES.map(async (one) => {
        const name = nameOf(one);
        // The first step is over when the process dies in the second.
        const first: Reply = [['work_unsafe', { id: `${name} first` }]];
        const second: Reply = [[`work_${one.effect}`, { id: name, hold: one.point }]];
        const { watch } = await rig.agent([first, second, 'Done'], { onCrash: one.onCrash });
        before.set(name, watch);
      }),
    );
    for (const onCrash of CHOICES) {
      const first: Reply = [['work_unsafe', { id: `stream ${onCrash} first` }]];
      const half = (call: { piece(text: string): void }) => call.piece('Once upon ');
      const { watch, model } = await rig.agent([first, half, 'At last'], { onCrash });
      before.set(`stream ${onCrash}`, watch);
      await watch.seen('content');
      asked.push(model.calls.length);
    }
    const isThere = () =>
      CASES.every((one) => count(nameOf(one), one.point === 'before' ? 'begun' : 'done') === 1) || undefined;
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
    await rig.stopServer();
    for (const watch of before.values()) await watch.over.catch(() => undefined);
    openGate(rig.workspace);
    await rig.startServer();
  });

  describe.each(CASES)('$onCrash, in a call whose effect is $effect, $point its effect', (one) => {
    const name = nameOf(one);
    const done = one.point === 'before' ? 0 : 1;

    it(fails(one) ? 'ends the run' : asks(one) ? 'asks a person, and repeats it then' : 'repeats it', async () => {
      const { again, events } = await rest(name);
      if (asks(one)) {
        const { data } = await again.seen('approval:required');
        expect(data).toMatchObject({ toolName: `work_${one.effect}`, params: { id: name, hold: one.point } });
        expect(data.reason).toMatch(/server stopped while this call was carried out/);
        expect([count(name, 'begun'), count(name, 'done')]).toEqual([1, done]);
        await must(rig.approve(data, 'allow-once'));
      }
      const all = await events();
      const last = all.at(-1)!;
      const run = await rig.run(await idOf(name));
      if (fails(one)) {
        expect(last).toMatchObject({ type: 'error', data: { code: 'TOOL_ERROR' } });
        expect(last.data.message).toMatch(/^work_unsafe: .*nobody knows/);
        expect(run).toMatchObject({ status: 'failed', error: { code: 'TOOL_ERROR' } });
        expect([count(name, 'begun'), count(name, 'done')]).toEqual([1, done]);
      } else {
        expect(last).toMatchObject({ type: 'complete', data: { stopReason: 'completed', totalSteps: 3 } });
        expect([count(name, 'begun'), count(name, 'done')]).toEqual([2, done + 1]);
      }
      // It is the same call, whoever carries it out: so a tool can tell.
      expect(new Set(notes(name).map(({ key }) => key)).size).toBe(1);
      // What was over was over.
      expect(notes(`${name} first`).map(({ what }) => what)).toEqual(['begun', 'done']);
      const results = all.filter(({ type }) => type === 'tool:result').map(({ data }) => data.status);
      expect(results).toEqual(['success', fails(one) ? 'cancelled' : 'success']);
      expect(all.filter(({ type }) => type === 'tool:call')).toHaveLength(2);
      expect(run.toolCalls.map(({ status }: Json) => status)).toEqual(results);
      expect(run.attempts).toBe(asks(one) ? 3 : 2);
    });
  });

  it.each(CHOICES)('in the model’s stream it is asked once more (%s)', async (onCrash) => {
    const name = `stream ${onCrash}`;
    const { events } = await rest(name);
    const all = await events();
    const resets = all.filter(({ type }) => type === 'attempt:reset');
    expect(resets).toMatchObject([{ data: { step: 2, reason: 'interrupted' } }]);
    expect([saidIn(all, 2), all.at(-1)?.type]).toEqual(['At last', 'complete']);
    expect(notes(`${name} first`).map(({ what }) => what)).toEqual(['begun', 'done']);
    const { conversationId } = await rig.run(await idOf(name));
    const { messages } = await must(rig.server.call(`/api/chat/conversations/${conversationId}`));
    expect(messages.map(({ content }: Json) => content)).toEqual(['Begin', '', 'At last']);
  });

  it('a person may decide that it is not repeated', async () => {
    const own = await start({}, inOwnProcess);
    const { watch, model } = await own.agent([[['work_unsafe', { id: 'no', hold: 'after' }]], 'Then not']);
    await expect.poll(() => notesIn(own.workspace).length).toBe(2);
    const id = await watch.runId();
    await own.stopServer();
    openGate(own.workspace);
    await own.startServer();
    const again = await own.watch(id);
    const { data } = await again.seen('approval:required');
    await must(own.approve(data, 'deny'));
    expect((await again.all()).at(-1)?.type).toBe('complete');
    expect(notesIn(own.workspace)).toHaveLength(2);
    expect(model.calls[1]!.said.at(-1)).toMatch(/^tool: .*server stopped.*not to repeat it/);
  });
});

describe('with the file of the engine lost, too', () => {
  it('runs go on', async () => {
    const rig = await RunRig.start(undefined, {}, inOwnProcess);
    onTestFinished(() => rig.stop());
    const tool = await rig.agent([[['work_idempotent', { id: 'tool', hold: 'after' }]], 'Done']);
    const stream = await rig.agent([held, 'Done']);
    await stream.model.call(1);
    await expect.poll(() => notesIn(rig.workspace).length).toBe(2);
    await rig.stopServer();
    for (const end of ['', '-wal', '-shm']) rmSync(join(rig.home, `engine.db${end}`), { force: true });
    openGate(rig.workspace);
    await rig.startServer();
    for (const { watch } of [tool, stream])
      expect((await (await rig.watch(await watch.runId())).all()).at(-1)?.type).toBe('complete');
    expect(notesIn(rig.workspace).map(({ what }) => what)).toEqual(['begun', 'done', 'begun', 'done']);
  }, 60_000);
});
