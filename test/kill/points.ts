import { expect } from 'vitest';
import type { KillPoint, Rig, Told } from './rig.ts';

/** One try of an operation. */
export interface Attempt {
  /** What the kill interrupts. */
  act(): Promise<Told>;
  /**
   * What must hold after it, interrupted or not, and after it is done again.
   * @param told what the client of `act` was told.
   */
  check(told: Told, at: KillPoint): Promise<void>;
}

/** Something that writes. */
export interface Operation {
  name: string;
  /** How many commits it has at least: if there are fewer, they are not counted as they should. */
  commits: number;
  /** Prepares a try. */
  begin(rig: Rig): Promise<Attempt>;
}

/** Does the operation again and again, the program dying before, or after, each of its commits. */
export async function killAtEachCommit(
  rig: Rig,
  operation: Operation,
  whens: readonly KillPoint['when'][],
): Promise<void> {
  for (const when of whens) {
    let point = 1;
    while (await killAt(rig, operation, { when, point })) point++;
    expect(point - 1, `commits of ${operation.name}`).toBeGreaterThanOrEqual(operation.commits);
  }
}

async function killAt(rig: Rig, { name, begin }: Operation, at: KillPoint): Promise<boolean> {
  const attempt = await begin(rig);
  rig.arm(at);
  const told = await attempt.act();
  const isKilled = !told.isWhole;
  if (isKilled) await rig.revive();
  else rig.disarm();
  const where = `${name}, ${isKilled ? 'killed' : 'not killed'} ${at.when} commit ${at.point}`;
  expect(await rig.faults(), where).toEqual([]);
  try {
    await attempt.check(told, at);
  } catch (error) {
    throw new Error(where, { cause: error });
  }
  expect(await rig.faults(), `${where}, and done again`).toEqual([]);
  return isKilled;
}
