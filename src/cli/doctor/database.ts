import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { hasAccessKey } from '../../auth/access-key.ts';
import type { Config } from '../../config.ts';
import { hasAccounts } from '../../storage/accounts.ts';
import { MIGRATIONS } from '../../storage/migrations/index.ts';
import type { Schema } from '../../storage/schema.ts';
import { withExistingDatabase } from '../existing-database.ts';
import { type Finding, failed, none, ok, reasonOf, warning } from './finding.ts';
import { inBytes } from './size.ts';

/** What the rest goes by, as far as the database says it. */
export interface OpenParts {
  /** Can it be worked with? */
  isUsable?: boolean;
  /** Who is kept out by what. */
  credentials?: { hasAccounts: boolean; hasAccessKey: boolean };
}

/** Others may write a moment longer than that, or for ever. */
const LOCK_WAIT_MS = 3000;
const SLOW_MS = 200;

/** The database: can it be reached, is it whole, is it as new as the program. Nothing is made or migrated. */
export async function examineDatabase(config: Config): Promise<OpenParts & { findings: Finding[] }> {
  const file = join(config.home, 'profclaw.db');
  const isSqlite = config.databaseUrl === undefined;
  if (isSqlite && !existsSync(file))
    return { findings: [none('database', `${file} is not there yet; the first start makes it`)] };
  const before = isSqlite ? examineFile(file) : [];
  if (before.some(({ standing }) => standing === 'failed')) return { findings: before };
  try {
    const begun = performance.now();
    return await withExistingDatabase(config, 'server_settings', async (db) => {
      const findings = isSqlite ? before : await examinePostgres(db, performance.now() - begun);
      const migrations = await examineMigrations(db);
      const isUsable = migrations.standing === 'ok';
      const credentials = isUsable
        ? { credentials: { hasAccounts: await hasAccounts(db), hasAccessKey: await hasAccessKey(db) } }
        : {};
      return { findings: [...findings, migrations], isUsable, ...credentials };
    });
  } catch (error) {
    const fix = isSqlite
      ? 'see that no other program holds it, or restore a backup'
      : 'see that PostgreSQL runs, that DATABASE_URL is right, and that this machine may connect';
    return { findings: [...before, failed('database', reasonOf(error), fix)] };
  }
}

/** Reads the file as SQLite itself checks it; a server may be using it. */
function examineFile(file: string): Finding[] {
  const findings: Finding[] = [];
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    findings.push(warning('rights', `others can read ${file} (mode ${mode.toString(8)})`, `chmod 600 ${file}`));
  const restore = `restore a backup, or save what can be read: sqlite3 ${file} .recover`;
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: LOCK_WAIT_MS });
    try {
      const rows = db.prepare('pragma quick_check(5)').all();
      const problems = rows.map((row) => String(Object.values(row)[0])).filter((text) => text !== 'ok');
      if (problems.length > 0) findings.push(failed('database', `damaged: ${problems.join('; ')}`, restore));
      else findings.push(ok('database', `SQLite, whole, ${inBytes(statSync(file).size)}`));
    } finally {
      db.close();
    }
  } catch (error) {
    findings.push(refused(file, error, restore));
  }
  return findings;
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

function refused(file: string, error: unknown, restore: string): Finding {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (code === SQLITE_BUSY || code === SQLITE_LOCKED)
    return failed(
      'database',
      `${file} is locked by another program`,
      `end what holds it (\`fuser ${file}\` says which); a profclaw server does not lock it for long`,
    );
  return failed('database', `${file}: ${reasonOf(error)}`, restore);
}

async function examinePostgres(db: Kysely<Schema>, connectMs: number): Promise<Finding[]> {
  const begun = performance.now();
  const { rows } = await sql<{ version: string; encoding: string; size: string }>`
    select current_setting('server_version') as version, current_setting('server_encoding') as encoding,
      pg_database_size(current_database())::text as size`.execute(db);
  const ms = Math.round(performance.now() - begun);
  const [row] = rows;
  const says = `PostgreSQL ${row?.version}, ${inBytes(Number(row?.size))}, answers in ${ms} ms (first ${Math.round(connectMs)} ms)`;
  const speed =
    ms > SLOW_MS ? warning('database', says, 'put the database nearer to the server') : ok('database', says);
  if (row?.encoding === 'UTF8') return [speed];
  return [speed, failed('encoding', `is ${row?.encoding}`, 'make a database with encoding UTF8')];
}

async function examineMigrations(db: Kysely<Schema>): Promise<Finding> {
  const { rows } = await sql<{ name: string }>`select name from profclaw_migrations`.execute(db);
  const done = rows.map(({ name }) => name);
  const unknown = done.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  const missing = Object.keys(MIGRATIONS).filter((name) => !done.includes(name));
  if (unknown.length > 0)
    return failed(
      'migrations',
      `made by a newer profclaw: ${unknown.join(', ')} is not known here`,
      'upgrade profclaw, or use another database',
    );
  if (missing.length > 0)
    return warning('migrations', `${missing.join(', ')} is not done yet`, 'start the server, which does it');
  return ok('migrations', `all ${done.length} done`);
}
