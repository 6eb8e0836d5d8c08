import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fingerprintOf, loadSecretKey } from '../secret-key.ts';

/** Where the key that counts may be while a rotation is under way. */
const NAMES = ['secret.key', 'secret.key.next'];

/** What an SQLite file, which nobody writes to, says of the key that everything in it is sealed with. */
export interface Sealing {
  /** '' if no server has started with it yet. */
  fingerprint: string;
  /** How many texts are sealed. */
  sealed: number;
}

/** Reads what a file says of its key. */
export function sealingOf(file: string): Sealing {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const key = db.prepare("select value from server_settings where key = 'secret_key'").get();
    const names = ['provider_settings', 'mcp_servers'];
    const there = db.prepare("select name from sqlite_schema where type = 'table' and name in (?, ?)").all(...names);
    const sealed = there.reduce((sum, { name }) => {
      return sum + Number(db.prepare(`select count(*) as n from "${String(name)}"`).get()?.n);
    }, 0);
    return { fingerprint: String(key?.value ?? ''), sealed };
  } finally {
    db.close();
  }
}

/** The file in `home` with the key of this fingerprint; undefined if there is none. */
export function keyFileOf(home: string, fingerprint: string): string | undefined {
  return NAMES.map((name) => join(home, name)).find((file) => existsSync(file) && isKey(readText(file), fingerprint));
}

/** Is this text, of a file or of the environment, the key of this fingerprint? Any is, if it is ''. */
export function isKey(text: string, fingerprint: string): boolean {
  try {
    const key = loadSecretKey('', text.trim());
    return fingerprint === '' || fingerprintOf(key) === fingerprint;
  } catch {
    return false;
  }
}

/** Do two files hold the same bytes? */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
  return a === b;
}

function readText(file: string): string {
  return readFileSync(file, 'latin1');
}
