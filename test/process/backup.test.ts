import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
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

describe.concurrent.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
  const newPlace = async (): Promise<Record<string, string>> => ({
    PROFCLAW_HOME: join(tempFolder(), 'home'),
    PROFCLAW_WORKSPACE: tempFolder(),
    ...(kind === 'PostgreSQL' ? { DATABASE_URL: await postgres.newDatabase() } : {}),
  });

  it('a backup of a running server becomes one that answers the same, and whose runs go on', async () => {
    const place = await newPlace();
    const server = start(place);
    const url = await server.listening;
    const filled = await fill(url);
    const before = await answers(url, filled);
    const running = await startRun(url, filled);
    const folder = join(tempFolder(), 'backup');
    const killed = start(place, undefined, ['backup', folder]);
    killed.child.stderr?.once('data', () => killed.child.kill('SIGKILL'));
    expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(readdirSync(join(folder, '..'))).toEqual([expect.stringMatching(/^backup\.incoming-\d+$/)]);
    const made = await command(place, 'backup', folder);
    expect(readdirSync(join(folder, '..'))).toEqual(['backup']);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/rows of 34 tables.*\nsecret\.key in it opens/) });
    expect(made.err).toMatch(/^messages: \d+ rows$/m);
    expect(readdirSync(folder).sort()).toEqual(['manifest.json', 'profclaw.db', 'secret.key']);
    for (const name of ['.', ...readdirSync(folder)]) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    await end(server, 'SIGKILL');

    const other = await newPlace();
    expect(await command(other, 'restore', folder)).toMatchObject({ code: 0 });
    expect(await command(other, 'audit', 'verify')).toMatchObject({ code: 0, out: expect.stringContaining('whole') });
    const second = start(other);
    expect(await answers(await second.listening, filled)).toEqual(before);
    await goOn(await second.listening, filled, running);

    const refused = await command(other, 'restore', folder, '--replace');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('in use') });
    await end(second, 'SIGTERM');
    const replaced = await command(other, 'restore', folder, '--replace');
    expect(replaced).toMatchObject({ code: 0, out: expect.stringContaining('what was there before is in') });
    expect(replaced.out).toMatch(kind === 'SQLite' ? /engine\.db\.replaced-\d/ : /schema profclaw_\d/);
    // What was there had been further, and its engine knew the runs' jobs as done: they go on all the same.
    const third = start(other);
    await goOn(await third.listening, filled, running);
    await end(third, 'SIGTERM');
  });
});
