import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { loadConfig } from '../src/config.ts';
import { startServer } from '../src/http/server.ts';
import { INTERFACE } from '../src/interface.ts';
import { openServices } from '../src/open-services.ts';
import { CoolDowns } from '../src/providers/cool-down.ts';
import { openDatabase } from '../src/storage/database.ts';
import { openSecretKey } from '../src/storage/rotation.ts';
import { startSweep } from '../src/sweep.ts';
import type { Tool } from '../src/tools/tool.ts';

/** A server of its own on a free port, with its own home folder. */
export interface TestServer {
  url: string;
  home: string;
  /** Sends JSON; without a body, GET. */
  call(path: string, body?: unknown, options?: RequestInit): Promise<{ status: number; body: Json; headers: Headers }>;
  /** Posts and reads the answer as server-sent events. */
  stream(path: string, body: unknown): Promise<{ status: number; events: Json[] }>;
  stop(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Json = any;

/**
 * Starts the server as `main.ts` does; `environment` is what the process would have been given.
 * @param clock of the cool-downs, in milliseconds.
 * @param tools in place of the built-in ones.
 */
export async function startTestServer(
  environment: Record<string, string> = {},
  home?: string,
  clock?: () => number,
  tools?: readonly Tool[],
): Promise<TestServer> {
  const folder = home ?? mkdtempSync(join(tmpdir(), 'profclaw-'));
  // What tools do in a test must not be done to the sources.
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace, { recursive: true });
  // A vendor's own default address must never be asked by a test; Ollama needs no key, so it would be.
  const config = loadConfig({
    PORT: '0',
    PROFCLAW_HOME: folder,
    PROFCLAW_WORKSPACE: workspace,
    OLLAMA_BASE_URL: 'http://127.0.0.1:9',
    PROFCLAW_LOG_LEVEL: 'silent',
    ...environment,
  });
  const log = pino({ level: config.logLevel });
  const database = await openDatabase({ databaseUrl: config.databaseUrl, file: join(folder, 'profclaw.db') });
  const secretKey = await openSecretKey({ db: database.db, home: folder, fromEnvironment: config.secretKey });
  const coolDowns = new CoolDowns(clock);
  const webFolder = join(import.meta.dirname, '../dist/web');
  const foundation = {
    config,
    database,
    secretKey,
    log,
    version: 'test',
    webFolder,
    coolDowns,
    ...(tools ? { tools } : {}),
  };
  const { services, close } = await openServices(foundation);
  const sweep = startSweep(database.db, services.runs, log);
  const server = await startServer(services, INTERFACE);
  return {
    url: server.url,
    home: folder,
    call: async (path, body, options = {}) => {
      const sent =
        body === undefined
          ? {}
          : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(server.url + path, { ...sent, ...options });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers };
    },
    stream: async (path, body) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      return { status: response.status, events: isStream ? readEvents(text) : [JSON.parse(text)] };
    },
    stop: async () => {
      await server.stop();
      await sweep.stop();
      await close();
      await database.close();
      if (home === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function readEvents(text: string): Json[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => JSON.parse(block.replace(/^data: /, '')));
}
