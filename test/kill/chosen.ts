import { describe, expect, it } from 'vitest';
import { killAtEachCommit, type Operation } from './points.ts';
import { type KillPoint, Rig } from './rig.ts';
import { sendMessage } from './turn-operations.ts';
import { startUpstream } from './upstream.ts';

/** Which operations are killed at all of their commits, and how. */
export interface Chosen {
  operations: readonly Operation[];
  whens: readonly KillPoint['when'][];
  environment: Record<string, string>;
  /** Undefined: SQLite. */
  newDatabase?: () => Promise<string>;
}

/** A program that dies while it makes its database starts the next time. */
export function firstStart({ whens, environment, newDatabase }: Omit<Chosen, 'operations'>): void {
  it.concurrent(`kill -9 ${whens.join(' and ')} each commit of the first start`, async () => {
    const upstream = await startUpstream(1);
    for (const when of whens) {
      let isKilled = true;
      for (let point = 1; isKilled; point++) {
        const rig = new Rig(upstream, environment, await newDatabase?.());
        rig.arm({ when, point });
        isKilled = !(await startsWhole(rig));
        if (isKilled) await rig.died();
        else expect(point).toBeGreaterThan(1);
        if (isKilled) await rig.start();
        const attempt = await sendMessage(false).begin(rig);
        await attempt.check(await attempt.act(), { when, point });
        expect(await rig.faults()).toEqual([]);
        await rig.stop();
      }
    }
    await upstream.stop();
  });
}

/** Whether it started, and lives past the last commit that it could be killed at: clearing up begins as soon as it listens. */
async function startsWhole(rig: Rig): Promise<boolean> {
  const isListening = await rig.start().then(
    () => true,
    () => false,
  );
  rig.disarm();
  return isListening && (await rig.ask('/conversations')).isWhole;
}

/** Each operation, on a state of its own. */
export function chosenPoints({ operations, whens, environment, newDatabase }: Chosen): void {
  describe.concurrent(`kill -9 ${whens.join(' and ')} each commit of`, () => {
    it.each(operations.map((operation) => [operation.name, operation] as const))('%s', async (_, operation) => {
      const upstream = await startUpstream(1);
      const rig = new Rig(upstream, environment, await newDatabase?.());
      await rig.start();
      await killAtEachCommit(rig, operation, whens);
      await rig.stop();
      await upstream.stop();
    });
  });
}
