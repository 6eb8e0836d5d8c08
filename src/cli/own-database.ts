import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Config } from '../config.ts';
import { openDatabase } from '../storage/database.ts';
import type { Schema } from '../storage/schema.ts';
import { withExistingDatabase } from './existing-database.ts';

/**
 * Works on the configured database, which may be a running server's. An SQLite file that is not there yet is made: who
 * sets things up may do so before the first start.
 * @param table the newest that the work needs. @throws Error for a person
 */
export async function withOwnDatabase<T>(
  config: Config,
  table: keyof Schema,
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const file = join(config.home, 'profclaw.db');
  // The secret key lies there, too.
  makeHome(config.home);
  if (config.databaseUrl === undefined && !existsSync(file)) {
    await (await openDatabase({ file })).close();
  }
  return await withExistingDatabase(config, table, work);
}

function makeHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    accessSync(home, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot keep anything in the home folder ${home}; set PROFCLAW_HOME to another one (${why})`, {
      cause,
    });
  }
}
