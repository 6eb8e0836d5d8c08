import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { method } from '../contract/helpers.ts';
import { openAiAnswer, startUpstream, type Upstream } from '../contract/upstream.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';

export const CONVERSATIONS = '/api/chat/conversations';

type Answered = Awaited<ReturnType<TestServer['call']>>;

/** A server with OpenAI's stand-in behind it. */
export interface Rig {
  server: TestServer;
  upstream: Upstream;
  /** Opens the server's database a second time. */
  open(): Promise<Database>;
  /** Begins a conversation and gives it. */
  create(fields?: object): Promise<Json>;
  /** Sends a message; `reply` is what the model says to it. */
  send(id: string, content: unknown, more?: object, reply?: string): Promise<Answered>;
  /** Reads a conversation with its messages. */
  read(id: string, query?: string): Promise<Json>;
  patch(id: string, change: object): Promise<Answered>;
  remove(path: string): Promise<Answered>;
  /** Imports what an export has, and gives the conversation. */
  import(body: object): Promise<Json>;
  /** The JSON form. */
  export(id: string): Promise<Json>;
  /** What a list answers. */
  list(query?: string): Promise<Json>;
  stop(): Promise<void>;
}

/**
 * Starts both. A wrong answer to what must succeed is thrown.
 * @param home a folder that is there; it stays after the stop.
 */
export async function startRig(environment: Record<string, string> = {}, home?: string): Promise<Rig> {
  const upstream = await startUpstream();
  const server = await startTestServer({ ...upstream.environment('openai'), ...environment }, home);
  const url = environment.DATABASE_URL;
  const must = ({ status, body }: Answered): Json => {
    if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    server,
    upstream,
    open: () => openDatabase(url === undefined ? { file: join(server.home, 'profclaw.db') } : { databaseUrl: url }),
    create: async (fields = {}) => must(await server.call(CONVERSATIONS, fields)).conversation,
    send: (id, content, more = {}, reply) => {
      if (reply !== undefined) upstream.replies.push({ json: openAiAnswer({ content: reply }) });
      return server.call(`${CONVERSATIONS}/${id}/messages`, { content, model: 'gpt-4o-mini', ...more });
    },
    read: async (id, query = '') => must(await server.call(`${CONVERSATIONS}/${id}${query}`)),
    patch: (id, change) => server.call(`${CONVERSATIONS}/${id}`, undefined, method('PATCH', change)),
    remove: (path) => server.call(`${CONVERSATIONS}/${path}`, undefined, method('DELETE')),
    import: async (body) => must(await server.call(`${CONVERSATIONS}/import`, body)).conversation,
    export: async (id) => must(await server.call(`${CONVERSATIONS}/${id}/export`)),
    list: async (query = '') => must(await server.call(CONVERSATIONS + query)),
    stop: async () => {
      await server.stop();
      await upstream.stop();
    },
  };
}

/** Runs tests against a server on SQLite, and against one on PostgreSQL. */
export function onBothDatabases(tests: (rig: () => Rig) => void): void {
  describe.each(['SQLite', 'PostgreSQL'])('on %s', (kind) => {
    let postgres: PostgresServer | undefined;
    let rig: Rig;

    beforeAll(async () => {
      if (kind === 'PostgreSQL') postgres = await startPostgres();
      rig = await startRig(postgres ? { DATABASE_URL: await postgres.newDatabase() } : {});
    });

    afterAll(async () => {
      await rig.stop();
      await postgres?.stop();
    });

    tests(() => rig);
  });
}
