import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompiledQuery, type Dialect, Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { runAccessPaths, seedAccess } from './access-hot-paths.ts';
import { type PostgresServer, startPostgres } from './embedded-postgres.ts';
import { runHotPaths, seed } from './hot-paths.ts';
import { findings } from './query-plans.ts';
import { runRunPaths, seedRuns } from './run-hot-paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'profclaw-plans-'));
let postgres: PostgresServer | undefined;
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Every index that is there for the sake of a query, beside those of keys. */
const INDEXES = [
  'conversations_newest',
  'conversations_of_task',
  'conversations_of_ticket',
  'turns_of_node',
  'turns_expiry',
  'idempotency_keys_expiry',
  'idempotency_keys_token',
  'sessions_newest',
  'sessions_expiry',
  'api_keys_newest',
  'rate_buckets_full',
  'login_failures_last',
  'budget_holds_expiry',
  'runs_newest',
  'runs_of_status',
  'runs_of_conversation',
  'runs_active',
  'runs_to_fold',
  'run_events_once',
  'approvals_of_status',
  'approvals_newest',
  'approvals_of_run',
  'approvals_of_conversation',
  'approvals_expiry',
  'tool_rules_newest',
  'tool_results_of_conversation',
];

// PostgreSQL 18 can do without it by skipping through the primary key, which those before it cannot.
plans('sqlite', [...INDEXES, 'budget_holds_node', 'tool_calls_of_result'], () => openSqlite(join(folder, 'plans.db')));
plans('postgres', [...INDEXES, 'search_words'], async () => {
  postgres = await startPostgres();
  return await openPostgres(await postgres.newDatabase());
});

function plans(kind: 'sqlite' | 'postgres', indexes: readonly string[], open: () => Promise<Dialect>): void {
  describe(`query plans on ${kind}`, () => {
    let db: Kysely<Schema>;
    const queries = new Map<string, CompiledQuery>();

    beforeAll(async () => {
      let isHot = false;
      db = new Kysely<Schema>({
        dialect: await open(),
        log: ({ query }) => {
          const isNew = isHot && !queries.has(query.sql) && /^(select|insert|update|delete)\b/i.test(query.sql);
          if (isNew) queries.set(query.sql, query);
        },
      });
      await migrate(db, kind);
      const seeded = await seed(db);
      await seedRuns(db);
      if (kind === 'postgres') await sql`analyze`.execute(db);
      isHot = true;
      await runHotPaths(db, kind, seeded);
      await runRunPaths(db);
      isHot = false;
      // Only now: with accounts nobody would be let in.
      await seedAccess(db);
      if (kind === 'postgres') await sql`analyze`.execute(db);
      isHot = true;
      await runAccessPaths(db);
      isHot = false;
    });

    afterAll(() => db.destroy());

    it('every statement of a hot path has its index', async () => {
      expect(queries.size).toBeGreaterThan(50);
      expect(await db.transaction().execute((tx) => findings(tx, kind, queries.values()))).toEqual([]);
    });

    it('and takes it by itself where there are 100,000 runs', async () => {
      const ofRuns = [...queries.values()].filter(({ sql }) => /\b(runs|run_events|approvals)\b/.test(sql));
      expect(ofRuns.length).toBeGreaterThan(40);
      expect(await db.transaction().execute((tx) => findings(tx, kind, ofRuns, true))).toEqual([]);
    });

    it.each(indexes)('%s is needed', async (index) => {
      const undo = new Error('undo');
      let found: string[] = [];
      const trial = db.transaction().execute(async (tx) => {
        await sql`drop index ${sql.id(index)}`.execute(tx);
        found = await findings(tx, kind, queries.values());
        throw undo;
      });
      await expect(trial).rejects.toBe(undo);
      expect(found).not.toEqual([]);
    });
  });
}
