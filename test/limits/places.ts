import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';

/** Databases of both kinds, opened as often as there are nodes. */
export interface Places {
  /** The nodes of a new, empty database: each has its own connections to it. */
  open(kind: Database['kind'], nodes: number): Promise<Database[]>;
  /** Closes what was opened. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL and makes a folder for SQLite files. */
export async function startPlaces(): Promise<Places> {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-limits-'));
  const postgres: PostgresServer = await startPostgres();
  const opened: Database[] = [];
  let files = 0;
  return {
    open: async (kind, nodes) => {
      const place: DatabaseOptions =
        kind === 'sqlite' ? { file: join(folder, `${++files}.db`) } : { databaseUrl: await postgres.newDatabase() };
      const databases: Database[] = [];
      for (let i = 0; i < nodes; i++) databases.push(await openDatabase(place));
      opened.push(...databases);
      return databases;
    },
    stop: async () => {
      for (const database of opened) await database.close();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
