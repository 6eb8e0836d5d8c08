import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Json } from '../server.ts';
import { PASSWORD, type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { call, type FakeVendor, startFakeVendor } from './command.ts';
import { cleanUp, start, until } from './program.ts';

// On machines that have other work.
vi.setConfig({ testTimeout: 120_000 });

const KEY = 'sk-secret-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ';

let postgres: PostgresServer;
let vendor: FakeVendor;

beforeAll(async () => {
  postgres = await startPostgres();
  vendor = await startFakeVendor(KEY, ['gpt-5.5']);
});

afterAll(async () => {
  vendor.close();
  await cleanUp();
  await postgres.stop();
});

it('commands work on PostgreSQL as well, beside a server, and say what is wrong with it', async () => {
  const databaseUrl = await postgres.newDatabase();
  const program = start({ DATABASE_URL: databaseUrl, OPENAI_BASE_URL: vendor.url });
  const url = await program.listening;
  const environment = { PROFCLAW_HOME: program.home, OPENAI_BASE_URL: vendor.url, DATABASE_URL: databaseUrl };
  expect(await call(['providers', 'set', 'openai', '--key-stdin'], environment, KEY)).toMatchObject({
    code: 0,
    out: 'openai is configured and answers\n',
  });
  await until('the server to notice', async () => {
    const { providers } = (await (await fetch(`${url}/api/chat/providers`)).json()) as Json;
    return providers.find(({ type }: Json) => type === 'openai').configured === true;
  });
  const made = await call(['keys', 'create', 'ci'], environment);
  const authorization = `Bearer ${made.out.trim()}`;
  expect((await fetch(`${url}/api/chat/providers`, { headers: { authorization } })).status).toBe(200);

  const well = await call(['doctor'], environment);
  expect(well.code).toBe(0);
  expect(well.out).toMatch(/✓ ok +database +PostgreSQL \d+.*answers in \d+ ms/);
  expect(well.out).toMatch(/✓ ok +migrations/);
  expect(well.out).toMatch(/✓ ok +openai/);
  expect(well.out + well.err).not.toContain(KEY);

  const gone = await call(['doctor'], { ...environment, DATABASE_URL: `${databaseUrl}_that_is_not_there` });
  expect(gone.code).toBe(1);
  expect(gone.out).toMatch(/✗ failed +database +cannot connect to PostgreSQL at 127\.0\.0\.1:\d+/);
  for (const text of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(gone.out + gone.err).not.toContain(text);
});
