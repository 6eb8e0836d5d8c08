import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import type { Call } from '../turns/rig.ts';
import { inOwnProcess } from './crash-rig.ts';
import { notesIn, openGate } from './crash-tools.ts';
import { must, onBothDatabases, type RunRig, startAgent } from './rig.ts';
import { expectWhole, type RunEvent, saidIn, Watch } from './watch.ts';

// Many runs whose process dies again and again, at any moment, with watchers who come back each time.

const RUNS = 8;
const STEPS = 10;
const KILLS = 4;
const PIECES = 5;

/** Says a few words, one by one, and calls a tool; in the last step only says them. */
async function talkative(call: Call): Promise<void> {
  const step = call.said.filter((line) => line.startsWith('assistant')).length + 1;
  const run = call.body.model;
  for (let piece = 0; piece < PIECES; piece++) {
    call.piece(`${run} step ${step} word ${piece} `);
    await sleep(30);
  }
  const given = JSON.stringify({ id: `${run} ${step}` });
  const called = { name: step % 2 === 0 ? 'work_idempotent' : 'work_read', arguments: given };
  const toolCalls = [{ index: 0, id: `call-${step}`, type: 'function', function: called }];
  if (step < STEPS) call.answer({ content: '', tool_calls: toolCalls });
  else call.end();
}

function textOf(run: string, step: number): string {
  return Array.from({ length: PIECES }, (_, piece) => `${run} step ${step} word ${piece} `).join('');
}

/** Watches a run to its end, coming back whenever the stream breaks. @returns what it was sent, in order. */
async function follow(rig: RunRig, id: string, first: Watch, up: () => Promise<void>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for (let watch: Watch | undefined = first; ; ) {
    await watch?.over.catch(() => undefined);
    all.push(...(watch?.events ?? []));
    if (['complete', 'error'].includes(all.at(-1)?.type ?? '')) return all;
    await up();
    const url = `${rig.server.url}/api/chat/runs/${id}/events`;
    watch = await Watch.open(url, undefined, { 'last-event-id': String(all.at(-1)?.id ?? 0) }).catch(() => undefined);
  }
}

/** Waits until something was added to the logs of the runs. @returns false if all have ended. */
async function grown(rig: RunRig): Promise<boolean> {
  const rows = () => rig.db.selectFrom('runs').select(['last_seq', 'finished_at']).execute();
  const length = async () => (await rows()).reduce((sum, { last_seq }) => sum + last_seq, 0);
  const before = await length();
  if ((await rows()).every(({ finished_at }) => finished_at !== null)) return false;
  await expect.poll(length).toBeGreaterThan(before);
  return true;
}

describe('a process that dies again and again', () => {
  onBothDatabases((start) => {
    it('loses nothing, and does nothing twice that must not be', { timeout: 120_000 }, async () => {
      const rig = await start({}, inOwnProcess);
      openGate(rig.workspace);
      let restarted = Promise.resolve();
      const runs = await Promise.all(
        Array.from({ length: RUNS }, async () => {
          const { talk, model } = await rig.talk(
            ...Array.from({ length: 50 }, () => (call: Call) => void talkative(call)),
          );
          const watch = await startAgent(talk, 'Begin');
          const name = model.name.replace(/^together\//, '');
          return {
            talk,
            name,
            id: await watch.runId(),
            events: follow(rig, await watch.runId(), watch, () => restarted),
          };
        }),
      );
      for (let kill = 0; kill < KILLS && (await grown(rig)); kill++) {
        // Any moment will do; a step takes about 200 ms.
        await sleep(Math.random() * 600);
        const up = Promise.withResolvers<void>();
        restarted = up.promise;
        await rig.stopServer();
        await rig.startServer();
        up.resolve();
      }
      const seen = await Promise.all(runs.map(({ events }) => events));
      for (const [index, events] of seen.entries()) {
        const { id, name, talk } = runs[index]!;
        expectWhole(events);
        // Whoever comes later sees the same.
        const again = await rig.watch(id);
        expect(await again.all()).toEqual(events);
        expect(events.at(-1)).toMatchObject({ type: 'complete', data: { totalSteps: STEPS, stopReason: 'completed' } });
        const steps = Array.from({ length: STEPS }, (_, step) => step + 1);
        for (const type of ['step:start', 'step:complete'])
          expect(events.filter((event) => event.type === type).map(({ data }) => data.step)).toEqual(steps);
        const { messages } = await must(rig.server.call(talk.path));
        const answers = messages.filter(({ role }: Json) => role === 'assistant');
        expect(answers.map(({ content }: Json) => content)).toEqual(steps.map((step) => textOf(name, step)));
        expect(steps.map((step) => saidIn(events, step))).toEqual(steps.map((step) => textOf(name, step)));
        const calls = answers.flatMap(({ toolCalls }: Json) => toolCalls);
        expect(calls.map(({ status, result }: Json) => `${status} ${result}`)).toEqual(
          steps.slice(1).map((step) => `success worked on ${name} ${step - 1}`),
        );
        // A call that was repeated has had the same key.
        for (const step of steps.slice(1)) {
          const notes = notesIn(rig.workspace).filter((note) => note.id === `${name} ${step - 1}`);
          expect(new Set(notes.map(({ key }) => key)).size).toBe(1);
        }
        expect(await rig.run(id)).toMatchObject({ status: 'completed', usage: { totalTokens: 10 * STEPS } });
      }
      const attempts = await Promise.all(runs.map(async ({ id }) => (await rig.run(id)).attempts));
      expect(Math.max(...attempts)).toBeGreaterThan(1);
    });
  });
});
