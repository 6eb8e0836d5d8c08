import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { PASSWORD, type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { run } from '../terminal/rig.ts';
import { answers, command, end, fill, goOn, startRun } from './moving.ts';
import { cleanUp, start, tempFolder } from './program.ts';

// Whole programs start one after the other, on machines that have other work.
vi.setConfig({ testTimeout: 240_000 });

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await cleanUp();
  await postgres?.stop();
});

it('a server moves to PostgreSQL and back; it answers the same, and its runs go on', async () => {
  const home = join(tempFolder(), 'home');
  const databaseUrl = await postgres.newDatabase();
  const sqlite = { PROFCLAW_HOME: home, PROFCLAW_WORKSPACE: tempFolder() };
  const moved = { ...sqlite, DATABASE_URL: databaseUrl };
  const first = start(sqlite);
  const url = await first.listening;
  const filled = await fill(url);
  const before = await answers(url, filled);
  const running = await startRun(url, filled);
  const inUse = await command(sqlite, 'migrate', '--to', databaseUrl);
  expect(inUse).toMatchObject({ code: 1, err: expect.stringContaining('stop the server first') });
  await end(first, 'SIGKILL');

  // Killed in the middle, it has left nothing.
  const killed = start(sqlite, undefined, ['migrate', '--to', databaseUrl]);
  killed.child.stderr?.once('data', () => killed.child.kill('SIGKILL'));
  expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });

  // As who does not want the password in the list of processes.
  const withoutPassword = databaseUrl.replace(/:[^:@/]+@/, '@');
  const environment = { ...sqlite, PATH: process.env.PATH ?? '', PGPASSWORD: PASSWORD };
  const there = await run(['migrate', '--to', '-'], environment, `${withoutPassword}\n`);
  expect(there).toMatchObject({ code: 0, stdout: expect.stringContaining('set DATABASE_URL to the target') });
  expect(there.stdout).toMatch(/^messages +\d+ {2}[0-9a-f]{32}$/m);
  expect(there.stdout + there.stderr).not.toContain(withoutPassword);
  const second = start(moved);
  expect(await answers(await second.listening, filled)).toEqual(before);
  await goOn(await second.listening, filled, running);
  const after = await answers(await second.listening, filled);
  await end(second, 'SIGTERM');

  const back = await command(moved, 'migrate', '--to', 'sqlite:', '--replace');
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining('take DATABASE_URL away') });
  const third = start(sqlite);
  expect(await answers(await third.listening, filled)).toEqual(after);
  await end(third, 'SIGTERM');
  expect(await command(sqlite, 'audit', 'verify')).toMatchObject({ code: 0 });
  expect(readdirSync(home).filter((name) => name.startsWith('profclaw.db.replaced-'))).toHaveLength(1);
  expect(existsSync(join(home, 'profclaw.db.incoming'))).toBe(false);
});
