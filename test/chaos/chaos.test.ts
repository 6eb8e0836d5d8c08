import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { usualSuite } from './presets.ts';
import { runSuite } from './suite.ts';

vi.setConfig({ testTimeout: 300_000 });

/** To try other moments: CHAOS_SEED=7. Longer: npm run chaos. */
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const RUNS = 15;

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(async () => {
  await postgres.stop();
});

describe('runs whose nodes die again and again', () => {
  it('leave nothing twice and nothing out, on SQLite', async () => {
    const outcome = await runSuite(usualSuite({ databaseUrl: undefined, seed: SEED, runs: RUNS, faults: 4 }));
    expect(outcome.violations, outcome.faults.join('; ')).toEqual([]);
    expect(outcome.counts.runs).toBe(RUNS);
    expect(outcome.counts.deaths).toBeGreaterThan(1);
  });

  it('leave nothing twice and nothing out, on three nodes with PostgreSQL', async () => {
    const databaseUrl = await postgres.newDatabase();
    const cut = (): Promise<void> => postgres.endConnections(databaseUrl);
    const outcome = await runSuite(usualSuite({ databaseUrl, seed: SEED, runs: RUNS, faults: 6, cut }));
    expect(outcome.violations, outcome.faults.join('; ')).toEqual([]);
    expect(outcome.counts.runs).toBe(RUNS);
    expect(outcome.counts.deaths).toBeGreaterThan(0);
  });
});
