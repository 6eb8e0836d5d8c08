import { createHmac, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const KEY_BYTES = 32;
const FILE_NAME = 'secret.key';
const NEXT_NAME = 'secret.key.next';

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
        'provider keys are lost: delete the file, run `profclaw secret forget`, and enter them again.',
    );
  }
  if (existing !== undefined && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  return key;
}

/** Tells keys apart and says nothing of them. */
export function fingerprintOf(key: Buffer): string {
  return createHmac('sha256', key).update('profclaw secret key').digest('base64url');
}

/** The texts in which a key may turn up. */
export function textsOfKey(key: Buffer): string[] {
  const hex = key.toString('hex');
  return [hex, hex.toUpperCase(), key.toString('base64'), key.toString('base64url')];
}

/** Makes a key that is to take the place of the one in the file, beside it, and waits until it is on the disk. */
export function writeNextKey(home: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  const file = join(home, NEXT_NAME);
  rmSync(file, { force: true });
  writeKey(file, key);
  syncFolder(home);
  return key;
}

/** What `writeNextKey` has left; undefined if there is nothing, or no whole key. */
export function readNextKey(home: string): Buffer | undefined {
  return parseKey(readIfThere(join(home, NEXT_NAME)) ?? '');
}

/** Puts the next key in the place of the one in the file, which is gone then. */
export function adoptNextKey(home: string): void {
  renameSync(join(home, NEXT_NAME), join(home, FILE_NAME));
  syncFolder(home);
}

/** Forgets the next key, if there is one. */
export function discardNextKey(home: string): void {
  rmSync(join(home, NEXT_NAME), { force: true });
}

/** 32 bytes as 64 hex digits or base64; undefined if the text is neither. */
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
  try {
    writeKey(aside, randomBytes(KEY_BYTES));
    linkSync(aside, file);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  syncFolder(dirname(file));
  return readFileSync(file, 'latin1');
}

/** Into a file that is not there yet. Returns when its content is on the disk; its name is only after `syncFolder`. */
function writeKey(file: string, key: Buffer): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, `${key.toString('hex')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
