import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { tempFolder } from '../process/program.ts';
import { type Ended, Place, SECRETS } from './place.ts';

const AT_FILE = new URL('./kill-at-file.ts', import.meta.url).href;
const AT_COMMIT = new URL('../kill/kill-at-commit.ts', import.meta.url).href;

const ROTATE = fileURLToPath(new URL('./rotate-alone.ts', import.meta.url));

/** Runs a rotation up to its `point`-th step (from 1 on) and kills it there. */
type Killer = (place: Place, point: number) => Promise<Ended>;

const killers: Record<string, Killer> = {
  'before each thing that it does to a file': (place, point) =>
    place.run(['--import', AT_FILE, ROTATE], { KILL_AT: String(point) }),
  'before each commit': (place, point) => atCommit(place, 'before', point),
  'after each commit': (place, point) => atCommit(place, 'after', point),
};

async function atCommit(place: Place, when: 'before' | 'after', point: number): Promise<Ended> {
  const order = join(tempFolder(), 'order');
  writeFileSync(order, JSON.stringify({ when, point }));
  return await place.run(['--import', AT_COMMIT, ROTATE], { KILL_ORDER: order });
}

/** A rotation that dies at any point leaves everything with a key that opens it. @param fresh undefined: SQLite. */
export function killTests(fresh: () => Promise<string | undefined>): void {
  it.concurrent.each(Object.entries(killers))('kill -9 %s of a rotation, and start', async (_, kill) => {
    const place = new Place(await fresh());
    let key = await place.seal();
    let before = 0;
    let after = 0;
    for (let point = 1; ; point++) {
      const ended = await kill(place, point);
      if (ended.signal === null) {
        expect(ended).toMatchObject({ code: 0, stderr: '' });
        break;
      }
      expect(ended.signal).toBe('SIGKILL');
      await expectReadable(place);
      const found = await place.expectWhole();
      if (found.equals(key)) before++;
      else after++;
      key = found;
    }
    // It was killed before the change and after it.
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(0);
    expect(await place.expectWhole()).not.toEqual(key);
  });

  it.concurrent('kill -9 at each thing that a start does to finish a rotation, and start again', async () => {
    const place = new Place(await fresh());
    await place.seal();
    const kill = killers['before each thing that it does to a file']!;
    let pending = 0;
    for (let point = 1; ; point++) {
      if (place.readKeyFile('secret.key.next') === undefined) await leavePending(place);
      if (await isPending(place)) pending++;
      const ended = await kill(place, point);
      await expectReadable(place);
      if (ended.signal === null) break;
    }
    expect(pending).toBeGreaterThan(1);
    await place.expectWhole();
  });
}

/** Has a rotation die between its commit and the change of the file. */
async function leavePending(place: Place): Promise<void> {
  for (let point = 1; !(await isPending(place)); point++) {
    expect(point).toBeLessThan(10);
    await atCommit(place, 'after', point);
  }
}

/** Does only the next key open what is stored? */
async function isPending(place: Place): Promise<boolean> {
  const next = place.readKeyFile('secret.key.next');
  return next !== undefined && (await place.countReadable(next)) === Object.keys(SECRETS).length;
}

/** One of the keys on the disk opens everything. */
async function expectReadable(place: Place): Promise<void> {
  const keys = ['secret.key', 'secret.key.next'].map((name) => place.readKeyFile(name));
  const counts = await Promise.all(keys.map((key) => (key?.length === 32 ? place.countReadable(key) : 0)));
  expect(Math.max(...counts)).toBe(Object.keys(SECRETS).length);
}
