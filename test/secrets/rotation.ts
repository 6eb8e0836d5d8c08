import { randomBytes } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { forgetUnreadable, rotateGivenKey, rotateKeyFile } from '../../src/storage/rotation.ts';
import { sealContext, withSecretKey } from '../../src/storage/sealed.ts';
import { seal } from '../../src/storage/secret-box.ts';
import { putProviderSettings } from '../../src/storage/settings.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { Place, SECRETS } from './place.ts';

const ALL = Object.keys(SECRETS).length;

/** What must hold of keys and what is sealed with them, on every database. @param fresh undefined: SQLite. */
export function rotationTests(fresh: () => Promise<string | undefined>): void {
  const newPlace = async (given?: string): Promise<Place> => new Place(await fresh(), given);
  const rotate = (place: Place): Promise<number> => place.with(({ db }) => rotateKeyFile({ db, home: place.home }));

  it('a rotation makes a new key, which opens everything, and the old one nothing', async () => {
    const place = await newPlace();
    const old = await place.seal();
    const { stdout, code } = await place.command('rotate');
    expect({ stdout, code }).toEqual({
      stdout: expect.stringMatching(/^3 stored secrets sealed anew; the new key is in \S+secret\.key\nrestart/),
      code: 0,
    });
    const key = await place.expectWhole();
    expect(key).not.toEqual(old);
    expect(await place.countReadable(old)).toBe(0);
    expect(statSync(join(place.home, 'secret.key')).mode & 0o777).toBe(0o600);
    expect(place.readKeyFile()).toEqual(key);
  });

  it('also without anything that is sealed, and again and again', async () => {
    const place = await newPlace();
    await place.with((database) => place.openKey(database));
    expect(await rotate(place)).toBe(0);
    const keys = [await place.seal()];
    for (let i = 0; i < 3; i++) {
      expect(await rotate(place)).toBe(ALL);
      keys.push(await place.expectWhole());
    }
    expect(new Set(keys.map(String)).size).toBe(4);
  });

  it('several at once are one after the other, or refused', async () => {
    for (let round = 0; round < 5; round++) {
      const place = await newPlace();
      const old = await place.seal();
      const all = await Promise.allSettled([rotate(place), rotate(place), rotate(place)]);
      const done = all.filter(({ status }) => status === 'fulfilled');
      const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
      expect(done.length).toBeGreaterThan(0);
      for (const message of refused) expect(message).toContain('Another process has just rotated the secret key');
      await place.expectWhole();
      expect(await place.countReadable(old)).toBe(0);
    }
  });

  it('several processes at once, too', async () => {
    const place = await newPlace();
    await place.seal();
    const all = await Promise.all(Array.from({ length: 3 }, () => place.command('rotate')));
    for (const { code, stderr } of all) if (code !== 0) expect(stderr).toContain('has just rotated');
    expect(all.some(({ code }) => code === 0)).toBe(true);
    await place.expectWhole();
  });

  describe('a server that runs meanwhile', () => {
    const configure = async (server: TestServer, body: object, query = '') =>
      await server.call(`/api/chat/providers/mistral/configure${query}`, body);

    it('works with what it has, and changes nothing until it is started again', async () => {
      const place = await newPlace();
      await place.seal();
      const server = await startTestServer(place.environment, place.home);
      expect((await configure(server, { defaultModel: 'before' })).status).toBe(200);
      expect(await rotate(place)).toBe(ALL + 1);
      for (const query of ['', '?verify=true']) {
        const refused = await configure(server, { defaultModel: 'after' }, query);
        expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
        expect(refused.body.error).toBe('The secret key was rotated; restart this server with the new one');
      }
      const { providers } = (await server.call('/api/chat/providers')).body;
      const named = (type: string) => providers.find((one: { type: string }) => one.type === type);
      expect(named('groq')).toMatchObject({ configured: true });
      expect(named('mistral')).toMatchObject({ defaultModel: 'before' });
      // What is deleted needs no key.
      const deleted = await server.call('/api/chat/providers/mistral', undefined, { method: 'DELETE' });
      expect(deleted.status).toBe(200);
      await server.stop();
      await place.expectWhole();
      const again = await startTestServer(place.environment, place.home);
      expect((await configure(again, { defaultModel: 'after' })).status).toBe(200);
      await again.stop();
    });

    it('writes nothing with the old key while it is replaced', async () => {
      for (let round = 0; round < 5; round++) {
        const place = await newPlace();
        await place.seal();
        const server = await startTestServer(place.environment, place.home);
        const change = async (i: number) => (await configure(server, { defaultModel: `m${i}` })).status;
        const changes = Array.from({ length: 40 }, (_, i) => change(i));
        await Promise.all(changes.slice(0, 2 + 3 * round));
        await rotate(place);
        const statuses = await Promise.all(changes);
        expect(statuses).toContain(200);
        for (const status of statuses) expect([200, 409]).toContain(status);
        await server.stop();
        const again = await startTestServer(place.environment, place.home);
        const { providers } = (await again.call('/api/chat/providers')).body;
        const { defaultModel } = providers.find((one: { type: string }) => one.type === 'mistral');
        expect(statuses[Number(/^m(\d+)$/.exec(defaultModel)?.[1])]).toBe(200);
        await again.stop();
      }
    });
  });

  it('waits for what is being written with the old key', async () => {
    const place = await newPlace();
    const key = await place.seal();
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const writing = place.with(({ db }) =>
      withSecretKey(db, key, async (tx) => {
        begun.resolve();
        await goOn.promise;
        const sealed = seal(JSON.stringify({ apiKey: SECRETS.groq }), key, sealContext('provider_settings', 'groq'));
        await putProviderSettings(tx, 'local', 'groq', sealed);
      }),
    );
    await begun.promise;
    const rotating = rotate(place);
    await Promise.race([rotating, sleep(1000)]);
    goOn.resolve();
    await Promise.all([writing, rotating]);
    await place.expectWhole();
    expect(await place.countReadable(key)).toBe(0);
  });

  describe('another key than that of what is stored', () => {
    it('is refused, with what can be done, and changes nothing', async () => {
      const place = await newPlace();
      const own = await place.seal();
      writeFileSync(join(place.home, 'secret.key'), `${'ab'.repeat(32)}\n`);
      for (const work of [
        (): Promise<unknown> => place.with((database) => place.openKey(database)),
        (): Promise<unknown> => rotate(place),
        (): Promise<unknown> => place.with(({ db }) => rotateGivenKey(keyOf(place, db), randomBytes(32))),
      ]) {
        const message = await work().then(
          () => 'worked',
          (error: Error) => error.message,
        );
        expect(message).toMatch(/groq.*openai.*xai cannot be opened with the secret key in \S+secret\.key/);
        expect(message).toContain('profclaw secret forget');
        expect(message).not.toContain('abab');
      }
      writeFileSync(join(place.home, 'secret.key'), `${own.toString('hex')}\n`);
      await place.expectWhole();
    });

    it('is as good where nothing is stored', async () => {
      const place = await newPlace();
      const first = await place.with((database) => place.openKey(database));
      rmSync(join(place.home, 'secret.key'));
      await place.seal();
      expect(await place.expectWhole()).not.toEqual(first);
    });

    it('can be worked with when what it does not open was forgotten', async () => {
      const place = await newPlace();
      await place.seal();
      rmSync(join(place.home, 'secret.key'));
      const { stdout, code } = await place.command('forget');
      expect(code).toBe(0);
      expect(stdout).toBe(
        Object.keys(SECRETS)
          .map((type) => `deleted provider_settings/${type}: enter it again\n`)
          .join(''),
      );
      await place.seal();
      await place.expectWhole();
      expect((await place.command('forget')).stdout).toMatch(/^nothing was deleted/);
      await place.expectWhole();
    });
  });

  it('one text that was altered is named, and forgotten alone', async () => {
    const place = await newPlace();
    const key = await place.seal();
    await place.with(async (database) => {
      await putProviderSettings(database.db, 'local', 'groq', 'v1.AAAA');
      await expect(place.openKey(database)).rejects.toThrow(/of provider_settings\/groq cannot be opened/);
      const forgotten = await forgetUnreadable(keyOf(place, database.db));
      expect(forgotten).toMatchObject([{ table: 'provider_settings', id: 'groq' }]);
    });
    expect(await place.countReadable(key)).toBe(ALL - 1);
  });

  it('a database that knows no key yet takes the one that opens everything, and no other', async () => {
    const place = await newPlace();
    const key = await place.seal();
    const forgetKey = () => place.with(({ db }) => db.deleteFrom('server_settings').execute());
    await forgetKey();
    expect(await place.expectWhole()).toEqual(key);
    await forgetKey();
    rmSync(join(place.home, 'secret.key'));
    await expect(place.with((database) => place.openKey(database))).rejects.toThrow('cannot be opened');
    expect(await place.with(({ db }) => db.selectFrom('server_settings').selectAll().execute())).toEqual([]);
    writeFileSync(join(place.home, 'secret.key'), `${key.toString('hex')}\n`);
    expect(await place.expectWhole()).toEqual(key);
  });

  it('first starts at once find one key', async () => {
    const place = await newPlace();
    await Promise.all(Array.from({ length: 5 }, () => place.with((database) => place.openKey(database))));
    await place.seal();
    await place.expectWhole();
  });

  describe('a key that the environment gives', () => {
    const [first, second] = [randomBytes(32).toString('hex'), randomBytes(32).toString('base64')];

    it('is replaced by the next one; nothing is written to the disk', async () => {
      const place = await newPlace(first);
      const old = await place.seal();
      const missing = await place.command('rotate');
      expect({ ...missing, stdout: '' }).toMatchObject({ code: 1, stderr: expect.stringContaining('PROFCLAW_NEW_') });
      const same = await place.command('rotate', {
        PROFCLAW_NEW_SECRET_KEY: Buffer.from(first, 'hex').toString('base64'),
      });
      expect(same).toMatchObject({ code: 1, stderr: expect.stringContaining('are the same key') });
      const rotated = await place.command('rotate', { PROFCLAW_NEW_SECRET_KEY: second });
      expect(rotated).toMatchObject({ code: 0, stderr: '' });
      expect(rotated.stdout).toMatch(
        /^3 stored secrets sealed anew\nput the value of PROFCLAW_NEW_SECRET_KEY in the place/,
      );
      await place.expectWhole(second);
      expect(await place.countReadable(old)).toBe(0);
      await expect(place.with((database) => place.openKey(database))).rejects.toThrow('in PROFCLAW_SECRET_KEY');
      const again = await place.command('rotate', { PROFCLAW_NEW_SECRET_KEY: second });
      expect(again).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^everything was sealed with the new key before\n/),
      });
      await place.expectWhole(second);
      expect(place.keyFiles()).toEqual([]);
    });

    it('does not come from a file that is there as well', async () => {
      const place = await newPlace(first);
      await place.seal();
      for (const stray of ['cd'.repeat(32), first]) {
        writeFileSync(join(place.home, 'secret.key.next'), `${stray}\n`);
        expect((await place.expectWhole()).toString('hex')).toBe(first);
        expect(place.keyFiles()).toEqual(['secret.key.next']);
        expect(place.readKeyFile('secret.key.next')?.toString('hex')).toBe(stray);
      }
    });

    it('cannot be next where the key is in the file', async () => {
      const place = await newPlace();
      await place.seal();
      const refused = await place.command('rotate', { PROFCLAW_NEW_SECRET_KEY: second });
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('PROFCLAW_SECRET_KEY, which is not set'),
      });
      await place.expectWhole();
    });
  });
}

function keyOf(place: Place, db: Parameters<typeof rotateKeyFile>[0]['db']) {
  return { db, home: place.home, fromEnvironment: place.given };
}
