import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cleanUp } from '../process/program.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { killTests } from './kills.ts';
import { Place } from './place.ts';
import { rotationTests } from './rotation.ts';

vi.setConfig({ testTimeout: 300_000 });

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await cleanUp();
  await postgres.stop();
});

rotationTests(() => postgres.newDatabase());
killTests(() => postgres.newDatabase());

it('there is nothing to rotate where no server was', async () => {
  const place = new Place(await postgres.newDatabase());
  expect(await place.command('rotate')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no table audit_log yet'),
  });
  expect(place.keyFiles()).toEqual([]);
});
