import { afterAll, expect, it, vi } from 'vitest';
import { cleanUp } from '../process/program.ts';
import { killTests } from './kills.ts';
import { Place } from './place.ts';
import { rotationTests } from './rotation.ts';

vi.setConfig({ testTimeout: 300_000 });

afterAll(cleanUp);

rotationTests(() => Promise.resolve(undefined));
killTests(() => Promise.resolve(undefined));

it('there is nothing to rotate where no server was', async () => {
  const place = new Place(undefined);
  expect(await place.command('rotate')).toMatchObject({ code: 1, stderr: expect.stringContaining('no database at') });
  expect(place.keyFiles()).toEqual([]);
});
