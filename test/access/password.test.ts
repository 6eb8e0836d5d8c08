import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';

const ROOT = join(import.meta.dirname, '../..');
const ANN = { email: 'ann@example.com', password: 'a long one', name: 'Ann' };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

function command(email: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { PROFCLAW_HOME: server.home } };
    const args = ['src/main.ts', 'user', 'password', email];
    const child = execFile(join(ROOT, 'node_modules/.bin/node'), args, options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

it('profclaw user password gives a forgotten one anew, beside the server', async () => {
  const { headers } = await server.call('/api/auth/signup', ANN);
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
  const me = () => server.call('/api/auth/me', undefined, { headers: { cookie } });
  expect((await me()).status).toBe(200);

  const unknown = await command('eve@example.com');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('"eve@example.com" not found') });
  const { code, stdout } = await command('Ann@Example.com');
  expect(code).toBe(0);
  const password = / is (\S{43})\n/.exec(stdout)?.[1] ?? '';

  // What a command changes beside the server is noticed a second later.
  await expect.poll(async () => (await me()).status).toBe(401);
  expect((await server.call('/api/auth/login', { email: ANN.email, password: ANN.password })).status).toBe(401);
  const loggedIn = await server.call('/api/auth/login', { email: ANN.email, password });
  expect(loggedIn.status).toBe(200);
  const now = loggedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { body } = await server.call('/api/audit', undefined, { headers: { cookie: now } });
  const row = body.entries.find(({ action }: Json) => action === 'account.password');
  expect(row).toMatchObject({ actor: 'command-line', outcome: 'done', details: { endedSessions: 1 } });
  expect(JSON.stringify(body)).not.toContain(password);
});
