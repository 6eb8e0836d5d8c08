import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { runStream, type StreamOutcome } from './stream.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Longer: npm run chaos. */
const SHORT = { seed: 1, deltas: 400, cuts: 15, kills: 3 };

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(async () => {
  await postgres.stop();
});

function expectWhole({ received, stored, ids, ...counts }: StreamOutcome): void {
  const { cuts, kills } = SHORT;
  expect(counts).toEqual({ cuts, kills, resets: kills });
  expect(stored.split(' ')).toHaveLength(SHORT.deltas + 1);
  expect(Buffer.from(received).equals(Buffer.from(stored))).toBe(true);
  expect(ids).toEqual(ids.map((_, index) => index + 1));
}

describe('an answer that is streamed while the server dies and the client is cut off', () => {
  it('is put together as it is stored, on SQLite', async () => {
    expectWhole(await runStream({ ...SHORT, databaseUrl: undefined }));
  });

  it('is put together as it is stored, on three nodes with PostgreSQL', async () => {
    expectWhole(await runStream({ ...SHORT, databaseUrl: await postgres.newDatabase() }));
  });
});
