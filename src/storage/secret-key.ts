import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const KEY_BYTES = 32;
const FILE_NAME = 'secret.key';

/**
 * The 32-byte key that seals provider keys: `fromEnvironment` (64 hex digits, or base64 of 32 bytes) if given, else
 * `<home>/secret.key` (64 hex digits), which the first start makes with mode 0600. The folder must be there.
 * Throws an Error, never showing the value, if the key is malformed.
 */
export function loadSecretKey(home: string, fromEnvironment: string | undefined): Buffer {
  if (fromEnvironment !== undefined) {
    const key = parseKey(fromEnvironment);
    if (key === undefined)
      throw new Error('the secret key in the environment must be 64 hex digits or base64 of 32 bytes');
    return key;
  }
  const file = join(home, FILE_NAME);
  const existing = readIfThere(file);
  const key = parseKey(existing ?? createKeyFile(file));
  if (key === undefined) {
    throw new Error(
      `${file} does not hold a key of 32 bytes (64 hex digits). Restore it from a backup; without it the stored ` +
        'provider keys are lost: delete the file to start with a new one, and enter them again.',
    );
  }
  if (existing !== undefined && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  return key;
}

function parseKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[0-9a-z+/_-]{43}=?$/i.test(trimmed)) return undefined;
  const key = Buffer.from(trimmed, 'base64');
  return key.length === KEY_BYTES ? key : undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the file if nobody else does so first, and gives what is in it then. Written aside and linked into place, so
 * that another process never reads a half-written key and a crash never leaves one.
 */
function createKeyFile(file: string): string {
  const aside = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const descriptor = openSync(aside, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(descriptor);
    linkSync(aside, file);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(aside);
  }
  return readFileSync(file, 'latin1');
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
