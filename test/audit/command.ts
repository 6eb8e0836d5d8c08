import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAuditCommand } from '../../src/cli/verify-audit.ts';
import { loadConfig } from '../../src/config.ts';
import { appendAudit, readAudit } from '../../src/storage/audit.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openSqliteFile } from '../../src/storage/sqlite-file.ts';
import { dropTriggers, entry, fill } from './log.ts';

const ROOT = join(import.meta.dirname, '../..');

export function commandTests(newPostgres: () => Promise<string>): void {
  const folder = mkdtempSync(join(tmpdir(), 'profclaw-verify-'));
  let homes = 0;
  const newHome = () => mkdtempSync(join(folder, `${++homes}-`));
  const places = {
    sqlite: () => Promise.resolve({ PROFCLAW_HOME: newHome() }),
    postgres: async () => ({ PROFCLAW_HOME: newHome(), DATABASE_URL: await newPostgres() }),
  };
  const placeOf = (environment: Record<string, string>) => ({
    databaseUrl: environment.DATABASE_URL,
    file: join(environment.PROFCLAW_HOME ?? '', 'profclaw.db'),
  });
  const verify = async (environment: Record<string, string>, head?: string) => {
    const lines: string[] = [];
    const isWhole = await verifyAuditCommand(loadConfig(environment), (line) => lines.push(line), head);
    return [isWhole, ...lines];
  };

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(Object.entries(places))('on %s', (_, newPlace) => {
    let environment: Record<string, string>;
    beforeAll(async () => {
      environment = await newPlace();
    });

    it('says how many rows there are and gives a head that it takes again', async () => {
      const { db, close } = await openDatabase(placeOf(environment));
      expect(await verify(environment)).toEqual([true, '0 rows, whole; head 0:']);
      expect(await verify(environment, '0:')).toEqual([true, '0 rows, whole; head 0:']);
      await fill(db, 1);
      const [first] = await readAudit(db, 0, 1);
      const head = `1:${first?.hash}`;
      expect(await verify(environment)).toEqual([true, `1 row, whole; head ${head}`]);
      await appendAudit(db, entry());
      const [, second] = await readAudit(db, 0, 2);
      expect(await verify(environment, head)).toEqual([true, `2 rows, whole; head 2:${second?.hash}`]);
      const other = `1:${'0'.repeat(64)}`;
      expect(await verify(environment, other)).toEqual([
        false,
        'row 1 is bad: its hash is not the noted one: it or a row before it was rewritten',
      ]);
      expect(await verify(environment, `3:${first?.hash}`)).toEqual([
        false,
        'row 3 is bad: it is missing: the noted head is at row 3',
      ]);
      await close();
    });

    it('names the first bad row', async () => {
      const { db, close } = await openDatabase(placeOf(environment));
      await dropTriggers(db);
      await db.updateTable('audit_log').set({ actor: 'nobody' }).where('seq', '=', 2).execute();
      await close();
      expect(await verify(environment)).toEqual([false, 'row 2 is bad: its content does not fit its hash']);
    });
  });

  it('makes no database where there is none, and migrates none that is older', async () => {
    const home = newHome();
    const file = join(home, 'profclaw.db');
    const none = `there is no database at ${file}`;
    await expect(verify({ PROFCLAW_HOME: home })).rejects.toThrow(none);
    await expect(verify({ PROFCLAW_HOME: join(home, 'nowhere') })).rejects.toThrow('nowhere');
    expect(existsSync(file)).toBe(false);
    const older = 'the database has no table audit_log yet; the server makes it when it starts';
    (await openSqliteFile(file)).close();
    await expect(verify({ PROFCLAW_HOME: home })).rejects.toThrow(older);
    const sqlite = await openSqliteFile(file);
    expect(sqlite.prepare('select count(*) as tables from sqlite_schema').get()).toEqual({ tables: 0 });
    sqlite.close();
    const empty = { PROFCLAW_HOME: home, DATABASE_URL: await newPostgres() };
    await expect(verify(empty)).rejects.toThrow(older);
  });

  it.each(['', '3', 'x:y', '3:', `-1:${'a'.repeat(64)}`, `3:${'a'.repeat(63)}`, `3:${'A'.repeat(64)}`])(
    'refuses a head like %j',
    async (head) => {
      await expect(verify({ PROFCLAW_HOME: newHome() }, head)).rejects.toThrow(JSON.stringify(head));
    },
  );

  it('runs as a program, beside one that has the database open', async () => {
    const home = newHome();
    const run = (...args: string[]) =>
      new Promise<[number, string, string]>((resolve) => {
        const child = execFile(
          join(ROOT, 'node_modules/.bin/node'),
          ['src/main.ts', 'audit', 'verify', ...args],
          { cwd: ROOT, env: { PROFCLAW_HOME: home } },
          (_, stdout, stderr) => resolve([child.exitCode ?? -1, stdout, stderr]),
        );
      });
    const { db, close } = await openDatabase({ file: join(home, 'profclaw.db') });
    await fill(db, 2);
    const [, last] = await readAudit(db, 0, 2);
    const head = `2:${last?.hash}`;
    expect(await run('--head', head)).toEqual([0, `2 rows, whole; head ${head}\n`, '']);
    await dropTriggers(db);
    await sql`delete from audit_log where seq = 1`.execute(db);
    expect(await run()).toEqual([1, 'row 1 is bad: it is missing\n', '']);
    expect(await run('--head', 'x')).toEqual([2, '', expect.stringMatching(/^profclaw: --head "x" is not a head/)]);
    await close();
  });
}
