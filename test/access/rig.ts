import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { verifyAudit } from '../../src/audit/verify.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { isPostgres } from '../../src/storage/dialect.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { Visitor } from './visitor.ts';

/** The password of everybody whose password does not matter. */
export const PASSWORD = 'nine lives of a cat';

/** A server remembers for a second what it has looked up. */
const NOTICED_MS = 1100;

/** Where a server keeps its state. */
interface State {
  home: string;
  environment: Record<string, string>;
}

/** A row of the audit log, as the tests look at it. */
export type Deed = Record<
  'actor' | 'credential' | 'action' | 'target' | 'outcome' | 'address' | 'requestId',
  string
> & {
  owner: string;
  details: Json;
};

/** Somebody who has signed up. */
export interface Member {
  browser: Visitor;
  user: Json;
}

/**
 * A server with a database of its own, behind a proxy that it trusts, so that everybody can have an address of their
 * own. `stop` looks whether what it has kept holds a secret, and whether its audit log is whole.
 */
export class Rig {
  readonly server: TestServer;
  readonly #database: Database;
  readonly #state: State;
  readonly #others: TestServer[] = [];
  readonly #visitors: Visitor[] = [];
  #seen = 0;
  #isStopped = false;

  private constructor(state: State, server: TestServer, database: Database) {
    this.#state = state;
    this.server = server;
    this.#database = database;
  }

  /** Starts it. @param databaseUrl of an empty PostgreSQL database; undefined: SQLite. */
  static async start(databaseUrl: string | undefined, environment: Record<string, string> = {}): Promise<Rig> {
    const home = mkdtempSync(join(tmpdir(), 'profclaw-access-'));
    const where = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
    const state = { home, environment: { PROFCLAW_TRUSTED_PROXIES: '127.0.0.1', ...where, ...environment } };
    const server = await startTestServer(state.environment, home);
    return new Rig(state, server, await openDatabase({ databaseUrl, file: join(home, 'profclaw.db') }));
  }

  get db(): Kysely<Schema> {
    return this.#database.db;
  }

  get home(): string {
    return this.#state.home;
  }

  /** A further server with the same state. */
  async another(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = await startTestServer({ ...this.#state.environment, ...environment }, this.#state.home);
    this.#others.push(server);
    return server;
  }

  /** Somebody at the server's own machine. */
  local(server = this.server): Visitor {
    return this.#visitor(new Visitor(server.url));
  }

  /** Somebody at another machine, with an address that nobody else has. */
  stranger(server = this.server): Visitor {
    return this.#visitor(Visitor.from(server.url));
  }

  /** A program with this secret, at another machine. */
  program(secret: string, server = this.server): Visitor {
    return this.#visitor(Visitor.from(server.url, { authorization: `Bearer ${secret}` }));
  }

  /** Makes the first account: `owner@example.com`. */
  async owner(): Promise<Member> {
    const browser = this.local();
    const fields = { email: 'owner@example.com', password: PASSWORD, name: 'Olga Owner' };
    return { browser, user: (await browser.must('POST', '/api/auth/signup', fields)).user };
  }

  /** Invites somebody, who signs up. */
  async join(inviter: Visitor, name: string, role: 'admin' | 'member' = 'member'): Promise<Member> {
    const { code } = await inviter.must('POST', '/api/invites', { role });
    const browser = this.stranger();
    const fields = { email: `${name}@example.com`, password: PASSWORD, name, inviteCode: code };
    return { browser, user: (await browser.must('POST', '/api/auth/signup', fields)).user };
  }

  /** Logs an account in from another machine. */
  async logIn(email: string, password = PASSWORD): Promise<Visitor> {
    const browser = this.stranger();
    await browser.must('POST', '/api/auth/login', { email, password });
    return browser;
  }

  /** A program with a new key of somebody's. */
  async withKey(maker: Visitor, fields: object): Promise<{ program: Visitor; key: Json; secret: string }> {
    const { key, secret } = await maker.must('POST', '/api/keys', { name: 'K', ...fields });
    return { program: this.program(secret), key, secret };
  }

  /** Waits until every server has noticed what was written past it: on SQLite they know of nobody else. */
  async noticed(): Promise<void> {
    if (!isPostgres(this.db)) await sleep(NOTICED_MS);
  }

  /** The rows that the audit log has got since the last call. */
  async deeds(): Promise<Deed[]> {
    const rows = await this.db
      .selectFrom('audit_log')
      .selectAll()
      .where('seq', '>', this.#seen)
      .orderBy('seq')
      .execute();
    this.#seen += rows.length;
    return rows.map(({ seq: _seq, at: _at, hash: _hash, request_id: requestId, details, ...row }) => ({
      ...row,
      requestId,
      details: JSON.parse(details),
    }));
  }

  /** Everything that is in the database, the engine's tables too, as text. */
  async everything(): Promise<string> {
    const tables = await this.db.introspection.getTables();
    const rows = tables
      .filter(({ name }) => !name.startsWith('search'))
      .map(async ({ schema, name }) => {
        const table = schema === undefined ? sql.id(name) : sql.id(schema, name);
        return (await sql`select * from ${table}`.execute(this.db)).rows;
      });
    return JSON.stringify(await Promise.all(rows)) + this.#engineFile();
  }

  /** On SQLite the engine has a file of its own. */
  #engineFile(): string {
    const files = isPostgres(this.db) ? [] : readdirSync(this.home).filter((name) => name.startsWith('engine.db'));
    return files.map((name) => readFileSync(join(this.home, name), 'latin1')).join('');
  }

  /** Before `stop`: what it has kept goes on being looked at. */
  async stopServer(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.server.stop();
  }

  async stop(): Promise<void> {
    const kept = await this.everything();
    const secrets = this.#visitors.flatMap((visitor) => [...visitor.secrets]);
    expect(secrets.filter((secret) => kept.includes(secret))).toEqual([]);
    expect(await verifyAudit(this.db)).not.toHaveProperty('reason');
    await this.#database.close();
    for (const server of this.#others) await server.stop();
    await this.stopServer();
    rmSync(this.home, { recursive: true, force: true });
  }

  #visitor(visitor: Visitor): Visitor {
    this.#visitors.push(visitor);
    return visitor;
  }
}

/** Starts a rig, with settings of its own; it is stopped after the tests of its block. */
export type StartRig = (environment?: Record<string, string>) => Promise<Rig>;

/** Runs tests on SQLite and on PostgreSQL. */
export function onBothDatabases(tests: (start: StartRig) => void): void {
  describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
    let postgres: PostgresServer | undefined;
    const rigs: Rig[] = [];

    beforeAll(async () => {
      if (kind === 'PostgreSQL') postgres = await startPostgres();
    });

    afterAll(async () => {
      for (const rig of rigs) await rig.stop();
      await postgres?.stop();
    });

    tests(async (environment) => {
      const rig = await Rig.start(await postgres?.newDatabase(), environment);
      rigs.push(rig);
      return rig;
    });
  });
}
