import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAudit } from '../../src/audit/verify.ts';
import { appendAudit } from '../../src/storage/audit.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import type { FreshDatabase } from '../storage/suite/backend.ts';
import { appendTests } from './append.ts';
import { commandTests } from './command.ts';
import { listTests } from './list.ts';
import { entry, fill } from './log.ts';
import { tamperTests } from './tamper.ts';

const folder = mkdtempSync(join(tmpdir(), 'profclaw-audit-'));
let postgres: PostgresServer;
let files = 0;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

suite('sqlite', () => Promise.resolve({ file: join(folder, `${++files}.db`) }));
suite('postgres', async () => ({ databaseUrl: await postgres.newDatabase() }));

function suite(kind: Database['kind'], fresh: FreshDatabase): void {
  describe(`the audit log on ${kind}`, () => {
    describe('appending', () => appendTests(kind, fresh));
    describe('listing', () => listTests(fresh));
    describe('verifying finds', () => tamperTests(kind, fresh));
  });
}

describe('profclaw audit verify', () => commandTests(() => postgres.newDatabase()));

it('has no gap after a connection that ended in the middle', async () => {
  const databaseUrl = await postgres.newDatabase();
  const { db, close } = await openDatabase({ databaseUrl });
  await fill(db, 3);
  const cut = db.transaction().execute(async (tx) => {
    await appendAudit(tx, entry());
    await postgres.endConnections(databaseUrl);
  });
  await expect(cut).rejects.toThrow();
  await appendAudit(db, entry());
  expect(await verifyAudit(db)).toMatchObject({ rows: 4 });
  await close();
});
