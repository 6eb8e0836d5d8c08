import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../free-port.ts';
import { chat, cleanUp, start, tempFolder } from './program.ts';

// Several whole programs start at once, on machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

afterAll(cleanUp);

/** Its message on stderr is all it says, and it is one for a person. */
async function failsWith(program: ReturnType<typeof start>, code: number): Promise<string> {
  expect(await program.ended).toMatchObject({ code, signal: null });
  expect(program.stdout()).toBe('');
  expect(program.stderr()).toMatch(/^profclaw: /);
  expect(program.stderr()).not.toMatch(/^\s+at |node:internal|\.ts:\d/m);
  return program.stderr();
}

describe.concurrent('the program', () => {
  it('says where it listens, in one line, on a free port for PORT=0, and keeps its files to itself', async () => {
    const program = start();
    const url = await program.listening;
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    expect((await chat(url, 'demo')).status).toBe(200);
    expect(program.stdout()).toMatch(/^profclaw \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+\n$/);
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(program.home)).toBe('700');
    expect(mode(join(program.home, 'secret.key'))).toBe('600');
    expect(mode(join(program.home, 'profclaw.db'))).toBe('600');
    program.child.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(program.stdout().split('\n')).toHaveLength(2);
  });

  it('listens on the port that it is told', async () => {
    const port = await freePort();
    const program = start({ PORT: String(port) });
    expect(await program.listening).toBe(`http://127.0.0.1:${port}`);
  });

  it('does not take another port when its own is busy', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const message = await failsWith(start({ PORT: String(port) }), 1);
    other.close();
    expect(message).toContain(`port ${port} is taken on 127.0.0.1`);
    expect(message).toContain('PORT');
  });

  it('names all wrong settings at once', async () => {
    const message = await failsWith(
      start({
        PORT: '70000',
        PROFCLAW_LOG_LEVEL: 'loud',
        PROFCLAW_IDLE_TIMEOUT: '-1',
        PROFCLAW_STOP_TIMEOUT: 'soon',
        OPENAI_BASE_URL: 'nowhere',
        ANTHROPIC_API_KEY_FILE: '/no/such/file',
        DATABASE_URL: 'mysql://x',
      }),
      2,
    );
    const names = [...message.matchAll(/^ {2}- (\w+): ./gm)].map((match) => match[1]);
    expect(names.sort()).toEqual([
      'ANTHROPIC_API_KEY_FILE',
      'DATABASE_URL',
      'OPENAI_BASE_URL',
      'PORT',
      'PROFCLAW_IDLE_TIMEOUT',
      'PROFCLAW_LOG_LEVEL',
      'PROFCLAW_STOP_TIMEOUT',
    ]);
  });

  it('does not listen for other machines as long as nothing would keep them out', async () => {
    const message = await failsWith(start({ HOST: '0.0.0.0' }), 2);
    expect(message).toMatch(/HOST: 0\.0\.0\.0 can be reached from other machines.*PROFCLAW_ACCESS_KEY.*127\.0\.0\.1/);
  });

  it('does not let tools work where its secrets are', async () => {
    const home = join(tempFolder(), 'home');
    mkdirSync(home);
    const message = await failsWith(start({ PROFCLAW_HOME: home, PROFCLAW_WORKSPACE: home }), 2);
    expect(message).toMatch(/PROFCLAW_WORKSPACE: .* is the home folder, whose secrets tools must not see/);
  });

  it('says which home it cannot write to', async () => {
    const folder = tempFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const denied = join(folder, 'denied');
    mkdirSync(denied);
    chmodSync(folder, 0o755);
    chmodSync(denied, 0o555);
    // For root nothing is unwritable.
    const user = process.getuid?.() === 0 ? 65_534 : undefined;
    const programs = [
      start({ PROFCLAW_HOME: file }),
      start({ PROFCLAW_HOME: join(file, 'below') }),
      start({ PROFCLAW_HOME: denied }, user),
      start({ PROFCLAW_HOME: join(denied, 'below') }, user),
    ];
    for (const program of programs) {
      const message = await failsWith(program, 1);
      expect(message).toContain(`home folder ${program.home};`);
      expect(message).toContain('PROFCLAW_HOME');
    }
  });

  it('starts again on the same home, and after kill -9', async () => {
    const first = start();
    const url = await first.listening;
    const created = await fetch(`${url}/api/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Survive', prompt: 'p' }),
    });
    expect(created.status).toBe(201);
    first.child.kill('SIGKILL');
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const again = start({ PROFCLAW_HOME: first.home });
      const tasks = await (await fetch(`${await again.listening}/api/tasks`)).text();
      expect(tasks).toContain('Survive');
      again.child.kill(signal);
      expect(await again.ended).toMatchObject({ code: 0, signal: null });
    }
  });

  it('refuses the database of a newer version, and leaves it as it is', async () => {
    const first = start();
    await first.listening;
    first.child.kill('SIGTERM');
    await first.ended;
    const file = join(first.home, 'profclaw.db');
    const database = new DatabaseSync(file);
    database.exec("insert into profclaw_migrations values ('9999_future', '2030-01-01T00:00:00.000Z')");
    database.close();
    const message = await failsWith(start({ PROFCLAW_HOME: first.home }), 1);
    expect(message).toMatch(/newer profclaw.*9999_future/);
  });

  it('refuses a secret key and a database that are none', async () => {
    const home = join(tempFolder(), 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'profclaw.db'), 'not a database, but long enough to be looked at '.repeat(50));
    expect(await failsWith(start({ PROFCLAW_HOME: home }), 1)).toContain('it is not an SQLite database');
    rmSync(join(home, 'profclaw.db'));
    writeFileSync(join(home, 'secret.key'), 'rubbish-that-is-secret');
    const message = await failsWith(start({ PROFCLAW_HOME: home }), 1);
    expect(message).toContain('secret.key does not hold a key');
    expect(message).not.toContain('rubbish');
  });
});
