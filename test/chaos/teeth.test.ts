import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { callSuite, lostSuite, questionSuite, zombieSuite } from './presets.ts';
import { type Change, sabotage, WITHOUT_CARE, WITHOUT_FENCE, WITHOUT_KEYS } from './sabotage.ts';
import { type Outcome, runSuite, type SuiteOptions } from './suite.ts';

// A suite that would not notice that its guards are gone proves nothing.

vi.setConfig({ testTimeout: 300_000 });

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(async () => {
  await postgres.stop();
});

async function runBroken(changes: readonly Change[], options: SuiteOptions): Promise<Outcome> {
  const { program, remove } = sabotage(changes);
  try {
    return await runSuite({ ...options, program });
  } finally {
    remove();
  }
}

describe('without', () => {
  it('the fence, nodes that come back write what is not theirs any more', async () => {
    const ground = { databaseUrl: await postgres.newDatabase(), seed: 1, runs: 14, faults: 2 };
    const { violations } = await runBroken(WITHOUT_FENCE, zombieSuite(ground));
    expect(violations.join('\n')).toMatch(/is not what its events say|words of another step or try|while none goes on/);
  });

  it('the keys, an approval is answered twice', async () => {
    const ground = { databaseUrl: await postgres.newDatabase(), seed: 1, runs: 15 };
    const { violations } = await runBroken(WITHOUT_KEYS, questionSuite(ground));
    expect(violations.join('\n')).toMatch(/is answered 2 times/);
  });

  it('the keys, what was committed without an answer is done again', async () => {
    const ground = { databaseUrl: await postgres.newDatabase(), seed: 1, runs: 20, faults: 20 };
    const { violations } = await runBroken(WITHOUT_KEYS, lostSuite(ground));
    expect(violations.join('\n')).toMatch(/is not what its events say|begins 2 times|has 2 results/);
  });

  it('care for calls that may have been carried out, some are twice', async () => {
    const { violations } = await runBroken(WITHOUT_CARE, callSuite({ seed: 1, runs: 14, faults: 3 }));
    expect(violations.join('\n')).toMatch(/of note has had its effect 2 times/);
  });
});
