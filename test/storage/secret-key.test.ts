import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSecretKey } from '../../src/storage/secret-key.ts';

const LOAD_KEY = fileURLToPath(new URL('./load-key.ts', import.meta.url));

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'profclaw-key-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const file = () => join(home, 'secret.key');
const mode = () => statSync(file()).mode & 0o777;

describe('the key file', () => {
  it('is made at the first start, for its owner only, and kept', () => {
    const umask = process.umask(0);
    try {
      const key = loadSecretKey(home, undefined);
      expect(key).toHaveLength(32);
      expect(mode()).toBe(0o600);
      expect(loadSecretKey(home, undefined)).toEqual(key);
      expect(readdirSync(home)).toEqual(['secret.key']);
      expect(readFileSync(file(), 'utf8')).toBe(`${key.toString('hex')}\n`);
    } finally {
      process.umask(umask);
    }
  });

  it('is another one in another folder', () => {
    const first = loadSecretKey(home, undefined);
    rmSync(file());
    expect(loadSecretKey(home, undefined)).not.toEqual(first);
  });

  it('is closed again if others can read it', () => {
    const key = loadSecretKey(home, undefined);
    for (const open of [0o644, 0o640, 0o604, 0o666]) {
      chmodSync(file(), open);
      expect(loadSecretKey(home, undefined)).toEqual(key);
      expect(mode()).toBe(0o600);
    }
  });

  it.each([
    ['nothing', ''],
    ['one digit less', 'a'.repeat(63)],
    ['one digit more', 'a'.repeat(65)],
    ['something else', 'g'.repeat(64)],
    ['32 raw bytes', '\x01'.repeat(32)],
  ])('is refused and left alone if it holds %s', (_, text) => {
    writeFileSync(file(), text);
    expect(() => loadSecretKey(home, undefined)).toThrow(/secret\.key does not hold a key of 32 bytes/);
    expect(readFileSync(file(), 'utf8')).toBe(text);
  });

  it('is one for processes that start together', async () => {
    // In so many folders they meet at all moments.
    const homes = Array.from({ length: 100 }, (_, i) => join(home, String(i)));
    for (const path of homes) mkdirSync(path);
    const gate = join(home, 'begin');
    const loaders = Array.from({ length: 6 }, () => spawn(process.execPath, [LOAD_KEY, gate, ...homes]));
    const outputs = loaders.map((loader) => text(loader.stdout));
    await Promise.all(loaders.map((loader) => once(loader.stderr, 'data')));
    writeFileSync(gate, '');
    const [first = '', ...others] = await Promise.all(outputs);
    expect(first).toMatch(/^([0-9a-f]{64}\n){99}[0-9a-f]{64}$/);
    expect(others).toEqual(others.map(() => first));
    for (const path of homes) expect(readdirSync(path)).toEqual(['secret.key']);
  });
});

describe('the key in the environment', () => {
  const key = randomBytes(32);

  it.each([
    ['hex', key.toString('hex')],
    ['upper-case hex', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['base64url', key.toString('base64url')],
    ['a line with its end', `${key.toString('hex')}\n`],
  ])('is taken as %s, and no file is made', (_, text) => {
    expect(loadSecretKey(home, text)).toEqual(key);
    expect(readdirSync(home)).toEqual([]);
  });

  it.each([
    '',
    'hunter2',
    'a'.repeat(63),
    'a'.repeat(65),
    `${'a'.repeat(63)}g`,
    randomBytes(31).toString('base64'),
    randomBytes(33).toString('base64'),
    `${key.toString('base64')}=`,
    `*${key.toString('base64').slice(1)}`,
  ])('is refused without being shown: %j', (text) => {
    let message = '';
    try {
      loadSecretKey(home, text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('64 hex digits or base64 of 32 bytes');
    if (text !== '') expect(message).not.toContain(text);
    expect(readdirSync(home)).toEqual([]);
  });
});
