import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BackupOrder, makeBackup } from '../../src/storage/copy/make-backup.ts';
import { restoreBackup } from '../../src/storage/copy/restore-backup.ts';
import { keyRestore } from '../../src/storage/copy/restore-key.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { openSecretKey, rotateKeyFile } from '../../src/storage/rotation.ts';
import { sealContext } from '../../src/storage/sealed.ts';
import { seal } from '../../src/storage/secret-box.ts';
import { createTask, listTasks } from '../../src/storage/tasks.ts';

function shell(line: string): number | null {
  return spawnSync('/bin/sh', ['-c', line]).status;
}

/** A small disk takes root, and a host that lets it. */
const MAY_MOUNT = shell(`unshare -m mount -t tmpfs tmpfs '${tmpdir()}'`) === 0;

let root: string;
let home: string;
let database: Database;
let backup: string;
let folders = 0;
const folder = (): string => join(root, `${++folders}`);
const open = (at: string): Promise<Database> => openDatabase({ file: join(at, 'profclaw.db') });

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'profclaw-backup-'));
  home = folder();
  mkdirSync(home);
  // Stays open, as that of a server.
  database = await open(home);
  const key = await openSecretKey({ db: database.db, home, fromEnvironment: undefined });
  const sealed = seal('{"apiKey":"gsk-1"}', key, sealContext('provider_settings', 'groq'));
  const row = { type: 'groq', owner: 'local', sealed, updated_at: '' };
  await database.db.insertInto('provider_settings').values(row).execute();
  await createTask(database.db, 'local', { title: 'Kept', prompt: '' });
  backup = (await make()).folder;
});
afterAll(async () => {
  await database.close();
  rmSync(root, { recursive: true, force: true });
});

const make = (more: Partial<BackupOrder> = {}) =>
  makeBackup({
    ...{ file: join(home, 'profclaw.db'), keyHome: home, version: 'test', pages: () => {}, progress: () => {} },
    folder: folder(),
    ...more,
  });

const restore = (from: string, to: string, stamp?: string) =>
  restoreBackup({
    ...{ folder: from, home: to, databaseUrl: undefined, keyFromEnvironment: undefined, stamp },
    progress: () => {},
  });

async function titles(at: string): Promise<string[]> {
  const one = await open(at);
  const { tasks } = await listTasks(one.db, 'local', { limit: 100, offset: 0 });
  // Refuses to open what the key does not fit.
  await openSecretKey({ db: one.db, home: at, fromEnvironment: undefined });
  await one.close();
  return tasks.map(({ title }) => title);
}

describe('a backup', () => {
  it('is of one moment, whatever is written meanwhile', async () => {
    let written = 0;
    const made = await make({
      pages: () => {
        written++;
        void createTask(database.db, 'local', { title: `Late ${written}`, prompt: '' });
      },
      progress: (table) => {
        if (table === 'tasks') void createTask(database.db, 'local', { title: 'Late', prompt: '' });
      },
    });
    expect(written).toBeGreaterThan(0);
    expect((await listTasks(database.db, 'local', { limit: 100, offset: 0 })).total).toBeGreaterThan(1);
    const to = folder();
    await restore(made.folder, to);
    expect(await titles(to)).toEqual(['Kept']);
  });

  it('goes into no folder that has something in it', async () => {
    const full = folder();
    mkdirSync(full);
    writeFileSync(join(full, 'mine'), '');
    await expect(make({ folder: full })).rejects.toThrow('is not empty');
    expect(readdirSync(full)).toEqual(['mine']);
    rmSync(join(full, 'mine'));
    await make({ folder: full });
  });

  it('leaves nothing when it fails, and removes what one that was killed has left', async () => {
    const to = join(folder(), 'deep', 'backup');
    const dead = `${to}.incoming-999999999`;
    mkdirSync(dead, { recursive: true });
    const progress: BackupOrder['progress'] = (table) => {
      if (table === 'runs') throw new Error('pulled the plug');
    };
    await expect(make({ folder: to, progress })).rejects.toThrow('pulled the plug');
    expect(readdirSync(join(to, '..'))).toEqual([]);
  });

  it('removes what one into another folder has left long ago, and nothing else', async () => {
    const place = folder();
    const [old, young, foreign] = ['monday', 'sunday', 'mine'].map((name) => join(place, `${name}.incoming-1`));
    const long = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const [left, file] of [
      [old, 'profclaw.db'],
      [young, 'profclaw.db'],
      [foreign, 'thesis.tex'],
    ] as const) {
      mkdirSync(left ?? '', { recursive: true });
      writeFileSync(join(left ?? '', file), '');
      if (left === young) continue;
      utimesSync(join(left ?? '', file), long, long);
      utimesSync(left ?? '', long, long);
    }
    await make({ folder: join(place, 'tuesday') });
    expect(readdirSync(place).sort()).toEqual(['mine.incoming-1', 'sunday.incoming-1', 'tuesday']);
  });

  it.skipIf(!existsSync('/proc/self/stat'))('takes a process that nobody has asked for its end for dead', async () => {
    // The shell becomes a program that does not know of its child.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60']);
    const [pid] = (await once(parent.stdout, 'data')).map((said) => Number(said));
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(' Z ');
    const to = join(folder(), 'backup');
    mkdirSync(`${to}.incoming-${pid}`, { recursive: true });
    await make({ folder: to });
    expect(readdirSync(join(to, '..'))).toEqual(['backup']);
    parent.kill();
  });

  it.skipIf(!MAY_MOUNT)('leaves nothing on a disk that is full', async () => {
    const disk = folder();
    mkdirSync(disk);
    expect(shell(`mount -t tmpfs -o size=300k tmpfs '${disk}'`)).toBe(0);
    try {
      await expect(make({ folder: join(disk, 'backup') })).rejects.toThrow(`no room for the backup in ${disk}`);
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      expect(shell(`umount '${disk}'`)).toBe(0);
    }
  });

  it('has no secret key when it must not, and says how much that keeps closed', async () => {
    const without = await make({ keyHome: undefined });
    expect(readdirSync(without.folder).sort()).toEqual(['manifest.json', 'profclaw.db']);
    const to = folder();
    expect(await restore(without.folder, to)).toMatchObject({ locked: 1 });
    await expect(titles(to)).rejects.toThrow('cannot be opened with the secret key');
    const known = folder();
    mkdirSync(known);
    writeFileSync(join(known, 'secret.key'), readFileSync(join(backup, 'secret.key')));
    expect(await restore(without.folder, known)).toMatchObject({ locked: 0 });
    expect(await titles(known)).toContain('Kept');
  });

  it('has the key that its database is sealed with, or is none', async () => {
    const elsewhere = folder();
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'secret.key'), `${'ab'.repeat(32)}\n`);
    await expect(make({ keyHome: elsewhere })).rejects.toThrow('is not the one of the database');
    // Of a rotation that was cut off before its last step.
    writeFileSync(join(elsewhere, 'secret.key.next'), readFileSync(join(home, 'secret.key')));
    const made = await make({ keyHome: elsewhere });
    expect(readFileSync(join(made.folder, 'secret.key'))).toEqual(readFileSync(join(home, 'secret.key')));
  });
});

const changed = (file: string, at: number): void => {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
};
const rewritten = (copy: string, change: object): void => {
  const file = join(copy, 'manifest.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
};

it.each<[string, (copy: string) => void, RegExp]>([
  ['a changed byte', (copy) => changed(join(copy, 'profclaw.db'), 5000), /profclaw\.db is damaged.*SHA-256/],
  ['another key', (copy) => changed(join(copy, 'secret.key'), 3), /secret\.key is damaged.*SHA-256/],
  ['a cut end', (copy) => writeFileSync(join(copy, 'profclaw.db'), 'SQLite'), /6 bytes in place of/],
  ['a missing file', (copy) => rmSync(join(copy, 'secret.key')), /not whole.*secret\.key/],
  ['no manifest', (copy) => rmSync(join(copy, 'manifest.json')), /is not a backup/],
  ['half a manifest', (copy) => writeFileSync(join(copy, 'manifest.json'), '{"a": 1,'), /manifest\.json is damaged/],
  ['a newer format', (copy) => rewritten(copy, { format: 2 }), /newer profclaw.*upgrade/],
  ['a newer database', (copy) => rewritten(copy, { migrations: ['9999_future'] }), /newer profclaw.*9999_future/],
  [
    'other tables',
    (copy) => rewritten(copy, { tables: { tasks: { rows: 2, checksum: '0'.repeat(32) } } }),
    /the table/,
  ],
])('a backup with %s is refused, and nothing is touched', async (_, spoil, message) => {
  const copy = folder();
  mkdirSync(copy);
  for (const name of readdirSync(backup)) writeFileSync(join(copy, name), readFileSync(join(backup, name)));
  spoil(copy);
  const to = folder();
  await expect(restore(copy, to)).rejects.toThrow(message);
  expect(existsSync(to) ? readdirSync(to) : []).toEqual([]);
});

describe('a restore', () => {
  it('does not take the place of another key unasked', async () => {
    const to = folder();
    mkdirSync(to);
    writeFileSync(join(to, 'secret.key'), `${'ab'.repeat(32)}\n`);
    await expect(restore(backup, to)).rejects.toThrow('another key');
    expect(readdirSync(to)).toEqual(['secret.key']);
    await restore(backup, to, 'then');
    expect(await titles(to)).toEqual(['Kept']);
    expect(readFileSync(join(to, 'secret.key.replaced-then'), 'utf8')).toBe(`${'ab'.repeat(32)}\n`);
    expect((statSync(join(to, 'secret.key')).mode & 0o777).toString(8)).toBe('600');
  });

  it('puts the key of the time back in the place of one that it was rotated to', async () => {
    const to = folder();
    await restore(backup, to);
    const one = await open(to);
    await rotateKeyFile({ db: one.db, home: to });
    await createTask(one.db, 'local', { title: 'Later', prompt: '' });
    await one.close();
    const { aside } = await restore(backup, to, 'then');
    expect(aside.map((file) => file.slice(to.length + 1))).toEqual([
      'profclaw.db.replaced-then',
      'secret.key.replaced-then',
    ]);
    expect(await titles(to)).toEqual(['Kept']);
    // What was put aside is whole: it can be put back by hand.
    const old = folder();
    mkdirSync(old);
    for (const name of ['profclaw.db', 'secret.key'])
      writeFileSync(join(old, name), readFileSync(join(to, `${name}.replaced-then`)));
    expect((await titles(old)).sort()).toEqual(['Kept', 'Later']);
  });

  it('keeps what a server that died has left in its log apart from the new database', async () => {
    const to = folder();
    mkdirSync(to);
    for (const name of ['profclaw.db', 'profclaw.db-wal', 'secret.key'])
      writeFileSync(join(to, name), readFileSync(join(home, name)));
    expect(statSync(join(to, 'profclaw.db-wal')).size).toBeGreaterThan(0);
    await restore(backup, to, 'then');
    expect(readdirSync(to).sort()).toEqual(['profclaw.db', 'profclaw.db.replaced-then', 'secret.key']);
    expect(await titles(to)).toEqual(['Kept']);
    const raw = new DatabaseSync(join(to, 'profclaw.db.replaced-then'));
    expect(raw.prepare("select title from tasks where title = 'Kept'").all()).toHaveLength(1);
    raw.close();
  });

  it('puts a log without its database aside, which would be taken for one of the new database', async () => {
    const to = folder();
    mkdirSync(to);
    writeFileSync(join(to, 'profclaw.db-wal'), readFileSync(join(home, 'profclaw.db-wal')));
    expect(statSync(join(to, 'profclaw.db-wal')).size).toBeGreaterThan(0);
    await expect(restore(backup, to)).rejects.toThrow(/what is left of a database .*profclaw\.db-wal.*--replace/);
    expect(readdirSync(to)).toEqual(['profclaw.db-wal']);
    const { aside } = await restore(backup, to, 'then');
    expect(aside).toEqual([join(to, 'profclaw.db.replaced-then-wal')]);
    expect(await titles(to)).toEqual(['Kept']);
    expect(readFileSync(aside[0] ?? '')).toEqual(readFileSync(join(home, 'profclaw.db-wal')));
  });

  it('leaves everything as it was when a key cannot be put aside', async () => {
    const to = folder();
    await restore(backup, to);
    const one = await open(to);
    await rotateKeyFile({ db: one.db, home: to });
    await createTask(one.db, 'local', { title: 'Later', prompt: '' });
    await one.close();
    writeFileSync(join(to, 'secret.key.replaced-then'), 'of another time');
    const before = readdirSync(to).sort();
    await expect(restore(backup, to, 'then')).rejects.toThrow('EEXIST');
    expect(readdirSync(to).sort()).toEqual(before);
    expect(readFileSync(join(to, 'secret.key.replaced-then'), 'utf8')).toBe('of another time');
    expect((await titles(to)).sort()).toEqual(['Kept', 'Later']);
  });

  it('puts the key of a rotation that was cut off aside too, which may be the one that counts', async () => {
    const to = folder();
    await restore(backup, to);
    const one = await open(to);
    await rotateKeyFile({ db: one.db, home: to });
    await one.close();
    const counts = readFileSync(join(to, 'secret.key'));
    renameSync(join(to, 'secret.key'), join(to, 'secret.key.next'));
    await expect(restore(backup, to)).rejects.toThrow('--replace');
    const { aside } = await restore(backup, to, 'then');
    expect(aside).toContain(join(to, 'secret.key.next.replaced-then'));
    expect(readFileSync(join(to, 'secret.key.next.replaced-then'))).toEqual(counts);
    expect(await titles(to)).toEqual(['Kept']);
  });

  it('keeps the key of a database that is in place, even if the last step fails, and for its owner only', () => {
    const to = folder();
    mkdirSync(to);
    const from = join(to, 'from');
    writeFileSync(from, `${'cd'.repeat(32)}\n`, { mode: 0o644 });
    const key = keyRestore(from, to, undefined);
    key.prepare();
    key.place();
    mkdirSync(join(to, 'secret.key'));
    expect(() => key.adopt()).toThrow('the database is in place, its key is in');
    key.discard();
    const next = join(to, 'secret.key.next');
    expect(readFileSync(next, 'utf8')).toBe(`${'cd'.repeat(32)}\n`);
    expect((statSync(next).mode & 0o777).toString(8)).toBe('600');
  });

  it('leaves everything as it was when somebody uses the database', async () => {
    const to = folder();
    await restore(backup, to);
    const server = await open(to);
    await expect(restore(backup, to)).rejects.toThrow(/already.*--replace/);
    await expect(restore(backup, to, 'then')).rejects.toThrow('in use');
    await createTask(server.db, 'local', { title: 'Later', prompt: '' });
    await server.close();
    expect((await titles(to)).sort()).toEqual(['Kept', 'Later']);
    expect(readdirSync(to).sort()).toEqual(['profclaw.db', 'secret.key']);
  });
});
