import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';
import { begin, type Call, type Model, startVendor, type Talk, toolCall, type Vendor } from '../turns/rig.ts';
import { expectSound } from './sound.ts';
import { ToolBox } from './tool-box.ts';
import { Watch } from './watch.ts';

type Answered = Awaited<ReturnType<TestServer['call']>>;

/** A call that the model of a test makes: the tool's name and its arguments. */
export type Called = [name: string, given: object];

/** What the model of a test does with a call: a text, calls, both, or anything else. */
export type Reply = string | Called[] | { text: string; calls: Called[] } | ((call: Call) => void);

/** How the servers of a rig are started: in this process if nothing is said. */
export type StartServer = (environment: Record<string, string>, home: string, box: ToolBox) => Promise<TestServer>;

const inThisProcess: StartServer = (environment, home, box) => startTestServer(environment, home, undefined, box.tools);

/** A server with test tools, a stand-in of a provider and a database of its own. */
export class RunRig {
  readonly vendor: Vendor;
  readonly box: ToolBox;
  readonly home: string;
  readonly #environment: Record<string, string>;
  readonly #database: Database;
  readonly #startServer: StartServer;
  readonly #others: TestServer[] = [];
  #server: TestServer | undefined;

  private constructor(
    [vendor, database]: [Vendor, Database],
    home: string,
    environment: Record<string, string>,
    startServer: StartServer,
  ) {
    this.vendor = vendor;
    this.box = new ToolBox();
    this.home = home;
    this.#environment = { ...vendor.environment, ...environment };
    this.#database = database;
    this.#startServer = startServer;
  }

  /** Starts it. @param databaseUrl of an empty PostgreSQL database; undefined: SQLite. */
  static async start(
    databaseUrl: string | undefined,
    environment: Record<string, string> = {},
    startServer = inThisProcess,
  ): Promise<RunRig> {
    const home = mkdtempSync(join(tmpdir(), 'profclaw-runs-'));
    const where = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
    const parts = await Promise.all([startVendor(), openDatabase({ databaseUrl, file: join(home, 'profclaw.db') })]);
    const rig = new RunRig(parts, home, { ...where, ...environment }, startServer);
    await rig.startServer();
    return rig;
  }

  get server(): TestServer {
    if (!this.#server) throw new Error('the server is stopped');
    return this.#server;
  }

  get db(): Kysely<Schema> {
    return this.#database.db;
  }

  /** The folder that tools work in. */
  get workspace(): string {
    return join(this.home, 'workspace');
  }

  async startServer(environment: Record<string, string> = {}): Promise<void> {
    this.#server = await this.#start(environment);
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** A further server with the same state. */
  async another(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = await this.#start(environment);
    this.#others.push(server);
    return server;
  }

  /** A conversation with a model that answers so, call by call; then it says which call it was. */
  async talk(...replies: Reply[]): Promise<{ talk: Talk; model: Model }> {
    const model = this.vendor.model(scripted(replies));
    return { talk: await begin(this.server, model), model };
  }

  /** A run in a conversation of its own, whose model answers so, and somebody who watches it. */
  async agent(replies: Reply[], more: object = {}): Promise<{ talk: Talk; model: Model; watch: Watch }> {
    const { talk, model } = await this.talk(...replies);
    return { talk, model, watch: await startAgent(talk, 'Begin', more) };
  }

  async run(id: string): Promise<Json> {
    return await must(this.server.call(`/api/chat/runs/${id}`)).then(({ run }) => run);
  }

  /** The events of a run, after one of them, live. */
  watch(id: string, after?: number, headers: Record<string, string> = {}, server = this.server): Promise<Watch> {
    const query = after === undefined ? '' : `?after=${after}`;
    return Watch.open(`${server.url}/api/chat/runs/${id}/events${query}`, undefined, headers);
  }

  cancel(id: string, server = this.server): Promise<Answered> {
    return server.call(`/api/chat/runs/${id}/cancel`, {});
  }

  steer(id: string, content: unknown, options: RequestInit = {}): Promise<Answered> {
    return this.server.call(`/api/chat/runs/${id}/messages`, { content }, options);
  }

  /** Answers an approval as it was given out. */
  approve(approval: Json, decision: string, more: object = {}, server = this.server): Promise<Answered> {
    const { id: approvalId, conversationId } = approval;
    return server.call('/api/chat/tools/approve', { conversationId, approvalId, decision, ...more });
  }

  /** What the tests have left must fit together. */
  async stop(): Promise<void> {
    if (this.#server) await expectSound(this.db);
    for (const server of this.#others) await server.stop();
    await this.stopServer();
    await this.#database.close();
    await this.vendor.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  #start(environment: Record<string, string>): Promise<TestServer> {
    return this.#startServer({ ...this.#environment, ...environment }, this.home, this.box);
  }
}

/** Starts a rig, with settings of its own; it is stopped after the tests of its block. */
type StartRig = (environment?: Record<string, string>, startServer?: StartServer) => Promise<RunRig>;

/** Runs tests on SQLite and on PostgreSQL. */
export function onBothDatabases(tests: (start: StartRig, isPostgres: boolean) => void): void {
  describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
    let postgres: PostgresServer | undefined;
    const rigs: RunRig[] = [];

    beforeAll(async () => {
      if (kind === 'PostgreSQL') postgres = await startPostgres();
    });

    afterAll(async () => {
      for (const rig of rigs) await rig.stop();
      await postgres?.stop();
    });

    tests(async (environment, startServer) => {
      const rig = await RunRig.start(await postgres?.newDatabase(), environment, startServer);
      rigs.push(rig);
      return rig;
    }, kind === 'PostgreSQL');
  });
}

/** Starts an agent's run with a message, and watches it. */
export function startAgent(talk: Talk, content: unknown, more: object = {}): Promise<Watch> {
  return Watch.open(`${talk.server.url}${talk.path}/messages/agentic`, { content, ...more });
}

/** Sends a message with tools. */
export function withTools(talk: Talk, content: unknown, more: object = {}, options?: RequestInit): Promise<Answered> {
  return talk.server.call(`${talk.path}/messages/with-tools`, { content, ...more }, options);
}

/** The body of an answer that must be a good one. */
export async function must(answer: Promise<Answered>): Promise<Json> {
  const { status, body } = await answer;
  expect({ status: Math.floor(status / 100), body }).toMatchObject({ status: 2 });
  return body;
}

/** Answers each call with the next reply. */
function scripted(replies: readonly Reply[]): (call: Call) => void {
  const left = [...replies];
  let calls = 0;
  return (call) => {
    calls++;
    reply(call, left.shift() ?? `Answer ${calls}`);
  };
}

let callIds = 0;

/** Gives a call of the model this answer. */
function reply(call: Call, answer: Reply): void {
  if (typeof answer === 'function') answer(call);
  else if (typeof answer === 'string') call.answer(answer);
  else {
    const { text, calls } = Array.isArray(answer) ? { text: '', calls: answer } : answer;
    const toolCalls = calls.map(([name, given], index) => ({ index, ...toolCall(`call-${++callIds}`, name, given) }));
    call.answer({ content: text, tool_calls: toolCalls });
  }
}

/** The messages of a conversation, a line each, with their calls: `complete assistant: Look [look success saw x]`. */
export async function story(talk: Talk): Promise<string[]> {
  return (await talk.messages()).map(({ status, role, content, toolCalls }) => {
    const calls = toolCalls.map(({ name, status: how, result }: Json) => ` [${name} ${how} ${result}]`);
    return `${status} ${role}: ${content}${calls.join('')}`;
  });
}
