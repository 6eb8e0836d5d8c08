import { accessSync, constants, existsSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { loadSecretKey } from '../../storage/secret-key.ts';
import { type Finding, failed, none, ok, reasonOf, warning } from './finding.ts';
import { inBytes } from './size.ts';

const GIB = 1024 ** 3;
const LEAST_FREE = GIB / 10;
const LOW_FREE = GIB;

/** The home folder, its rights, its key, and the room on its disk. */
export function examineHome(config: Config): Finding[] {
  const { home } = config;
  if (!existsSync(home)) {
    const there = nearestFolder(home);
    const made = none('home', `${home} is not there yet; the first start makes it`);
    return [canWrite(there) ? made : unwritable(home), disk(there)];
  }
  const stats = statSync(home);
  if (!stats.isDirectory())
    return [failed('home', `${home} is not a folder`, 'set PROFCLAW_HOME to another one, or move it away')];
  return [rights(home, stats), secretKey(config), disk(home)];
}

function rights(home: string, stats: Stats): Finding {
  if (!canWrite(home)) return unwritable(home);
  if ((stats.mode & 0o022) !== 0) return failed('home', `others can write to ${home}`, `chmod 700 ${home}`);
  if ((stats.mode & 0o077) !== 0) return warning('home', `others can look into ${home}`, `chmod 700 ${home}`);
  return ok('home', home);
}

function unwritable(home: string): Finding {
  return failed('home', `${home} cannot be written to`, 'set PROFCLAW_HOME to another one, or correct its owner');
}

function secretKey({ home, secretKey: fromEnvironment, databaseUrl }: Config): Finding {
  if (fromEnvironment !== undefined) return ok('secret key', 'given by PROFCLAW_SECRET_KEY');
  const file = join(home, 'secret.key');
  if (!existsSync(file)) {
    const isNew = databaseUrl === undefined && !existsSync(join(home, 'profclaw.db'));
    if (isNew) return none('secret key', 'not there yet; the first start makes it');
    const fix = 'put it back from a backup; without it, stored keys are lost (`profclaw secret forget`)';
    return failed('secret key', `${file} is missing, though there is a database`, fix);
  }
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    return failed('secret key', `others can read ${file} (mode ${mode.toString(8)})`, `chmod 600 ${file}`);
  try {
    loadSecretKey(home, undefined);
    return ok('secret key', 'there, and only yours to read');
  } catch (error) {
    return failed('secret key', reasonOf(error), 'put it back from a backup');
  }
}

function disk(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const says = `${inBytes(free)} free`;
  if (free < LEAST_FREE) return failed('disk', says, 'make room: a full disk stops every conversation');
  return free < LOW_FREE ? warning('disk', says, 'make room soon') : ok('disk', says);
}

function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path));
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
