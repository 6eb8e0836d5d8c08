import { join } from 'node:path';
import type { Config } from '../config.ts';
import { forgetUnreadable, type KeyPlace, rotateGivenKey, rotateKeyFile } from '../storage/rotation.ts';
import { loadSecretKey } from '../storage/secret-key.ts';
import { withExistingDatabase } from './existing-database.ts';

type Write = (line: string) => void;

/**
 * Seals everything that is stored with a new key: with one that is made and put into `secret.key`, or, if the
 * environment gives the key, with PROFCLAW_NEW_SECRET_KEY. Servers may run meanwhile; docs/secrets.md says what they do.
 * @throws Error for a person if the keys do not fit.
 */
export async function rotateSecretCommand(config: Config, write: Write): Promise<void> {
  const { secretKey, newSecretKey } = config;
  if (secretKey === undefined && newSecretKey !== undefined) {
    throw new Error('PROFCLAW_NEW_SECRET_KEY takes the place of PROFCLAW_SECRET_KEY, which is not set');
  }
  if (secretKey !== undefined && newSecretKey === undefined) {
    throw new Error('set PROFCLAW_NEW_SECRET_KEY to the new key (openssl rand -hex 32 makes one)');
  }
  await withKeyPlace(config, async (place) => {
    if (newSecretKey === undefined) {
      const count = await rotateKeyFile(place);
      write(`${textsOf(count)} sealed anew; the new key is in ${join(config.home, 'secret.key')}`);
      write('restart the servers that run; on other machines put the new key in place first');
      return;
    }
    const next = loadSecretKey(config.home, newSecretKey);
    if (next.equals(loadSecretKey(config.home, secretKey))) {
      throw new Error('PROFCLAW_NEW_SECRET_KEY and PROFCLAW_SECRET_KEY are the same key');
    }
    const count = await rotateGivenKey(place, next);
    write(count === undefined ? 'everything was sealed with the new key before' : `${textsOf(count)} sealed anew`);
    write('put the value of PROFCLAW_NEW_SECRET_KEY in the place of PROFCLAW_SECRET_KEY now, and restart the servers');
  });
}

/** Deletes what is stored and cannot be opened with the secret key any more, and says what that was. */
export async function forgetSecretsCommand(config: Config, write: Write): Promise<void> {
  const rows = await withKeyPlace(config, forgetUnreadable);
  for (const { table, id } of rows) write(`deleted ${table}/${id}: enter it again`);
  if (rows.length === 0) write('nothing was deleted: everything can be opened with the secret key');
}

async function withKeyPlace<T>(config: Config, work: (place: KeyPlace) => Promise<T>): Promise<T> {
  const { home, secretKey: fromEnvironment } = config;
  return await withExistingDatabase(config, 'audit_log', (db) => work({ db, home, fromEnvironment }));
}

function textsOf(count: number): string {
  return count === 1 ? '1 stored secret' : `${count} stored secrets`;
}
