import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import type { FreshDatabase } from './suite/backend.ts';
import { concurrencyTests } from './suite/concurrency.ts';
import { idempotencyTests } from './suite/idempotency.ts';
import { migrationTests } from './suite/migration.ts';
import { presetTests } from './suite/presets.ts';
import { searchTests } from './suite/search.ts';
import { settingsTests } from './suite/settings.ts';
import { taskTests } from './suite/tasks.ts';
import { textTests } from './suite/text.ts';
import { ticketTests } from './suite/tickets.ts';

/** Everything that must hold on every backend. `fresh` gives the place of a new, empty database each time. */
export function storageSuite(name: string, kind: Database['kind'], fresh: FreshDatabase): void {
  describe(name, () => {
    let database: Database;
    const db = () => database.db;
    beforeAll(async () => {
      database = await openDatabase(await fresh());
    });
    afterAll(() => database.close());

    it('says what it is and answers', async () => {
      expect(database.kind).toBe(kind);
      await expect(database.ping()).resolves.toBeUndefined();
    });

    it('does not answer after it was closed, and may be closed twice', async () => {
      const other = await openDatabase(await fresh());
      await other.close();
      await other.close();
      await expect(other.ping()).rejects.toThrow('destroyed');
    });

    describe('tasks', () => taskTests(db));
    describe('tickets', () => ticketTests(db));
    describe('presets', () => presetTests(db));
    describe('settings', () => settingsTests(db));
    describe('search', () => searchTests(db));
    describe('text', () => textTests(db));
    describe('idempotency keys', () => idempotencyTests(db));
    describe('concurrency', () => concurrencyTests(db));
    describe('migration', () => migrationTests(fresh));
  });
}
