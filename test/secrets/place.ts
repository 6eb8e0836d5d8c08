import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { openSecretKey } from '../../src/storage/rotation.ts';
import { findUnreadable, sealContext } from '../../src/storage/sealed.ts';
import { open, seal } from '../../src/storage/secret-box.ts';
import { listProviderSettings, putProviderSettings } from '../../src/storage/settings.ts';
import { COMPILE_CACHE } from '../compile-cache.ts';
import { tempFolder } from '../process/program.ts';

const ROOT = join(import.meta.dirname, '../..');

export const SECRETS: Record<string, string> = { groq: 'the-key-of-groq', openai: 'the-key-of-openai', xai: 'of-xai' };

/** Where a server's state is, without a server. */
export class Place {
  readonly home = join(tempFolder(), 'home');
  readonly databaseUrl: string | undefined;
  /** The key, where the environment gives it. */
  readonly given: string | undefined;

  constructor(databaseUrl: string | undefined, given?: string) {
    this.databaseUrl = databaseUrl;
    this.given = given;
    mkdirSync(this.home);
  }

  get environment(): Record<string, string> {
    return {
      PROFCLAW_HOME: this.home,
      ...(this.databaseUrl === undefined ? {} : { DATABASE_URL: this.databaseUrl }),
      ...(this.given === undefined ? {} : { PROFCLAW_SECRET_KEY: this.given }),
    };
  }

  async open(): Promise<Database> {
    return await openDatabase({ databaseUrl: this.databaseUrl, file: join(this.home, 'profclaw.db') });
  }

  async with<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = await this.open();
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  /** Finds the key as a start does. */
  openKey({ db }: Database, given = this.given): Promise<Buffer> {
    return openSecretKey({ db, home: this.home, fromEnvironment: given });
  }

  /** Stores the secrets, as a server that was started and configured has. @returns the key. */
  async seal(): Promise<Buffer> {
    return await this.with(async (database) => {
      const key = await this.openKey(database);
      for (const [type, apiKey] of Object.entries(SECRETS)) {
        const sealed = seal(JSON.stringify({ apiKey }), key, sealContext('provider_settings', type));
        await putProviderSettings(database.db, 'local', type, sealed);
      }
      return key;
    });
  }

  /** Starts, and finds all of the secrets. @returns the key. */
  async expectWhole(given = this.given): Promise<Buffer> {
    return await this.with(async (database) => {
      const key = await this.openKey(database, given);
      const rows = await listProviderSettings(database.db);
      const opened = rows.map(({ type, sealed }) => [type, open(sealed, key, sealContext('provider_settings', type))]);
      const all = Object.entries(SECRETS).map(([type, apiKey]) => [type, JSON.stringify({ apiKey })]);
      expect(opened).toEqual(all.toSorted());
      if (this.given === undefined) expect(this.keyFiles()).toEqual(['secret.key']);
      return key;
    });
  }

  /** How many of the rows a key opens. */
  async countReadable(key: Buffer): Promise<number> {
    return await this.with(async ({ db }) => {
      const rows = await listProviderSettings(db);
      return rows.length - (await findUnreadable(db, key)).length;
    });
  }

  keyFiles(): string[] {
    return readdirSync(this.home).filter((name) => name.startsWith('secret.key'));
  }

  readKeyFile(name = 'secret.key'): Buffer | undefined {
    const file = join(this.home, name);
    return existsSync(file) ? Buffer.from(readFileSync(file, 'latin1').trim(), 'hex') : undefined;
  }

  /** Runs `profclaw secret …`. */
  async command(words: string, environment: Record<string, string> = {}): Promise<Ended> {
    return await this.run(['src/main.ts', 'secret', words], environment);
  }

  /** Runs a program on it. */
  async run(words: readonly string[], environment: Record<string, string>): Promise<Ended> {
    const child = spawn(join(ROOT, 'node_modules/.bin/node'), words, {
      cwd: ROOT,
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...this.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    return { stdout, stderr, code, signal };
  }
}

/** How a command ended. */
export interface Ended {
  stdout: string;
  stderr: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}
