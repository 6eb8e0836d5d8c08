import { join } from 'node:path';
import type { Logger } from 'pino';
import { openEngine } from './agent/engine/openworkflow.ts';
import { openRuns } from './agent/open-runs.ts';
import { applyEnvironmentKey } from './auth/access-key.ts';
import { Gate, hasCredentials } from './auth/gate.ts';
import { type Config, ConfigError } from './config.ts';
import { Turns } from './conversations/turns.ts';
import { hiddenFolders } from './hidden-folders.ts';
import type { Services } from './http/services.ts';
import { openWebPage } from './http/web-page.ts';
import { BackOff } from './limits/back-off.ts';
import { Budgets } from './limits/budget.ts';
import { rateLimiterFor } from './limits/rate-limiter.ts';
import type { CoolDowns } from './providers/cool-down.ts';
import { ProviderRegistry } from './providers/registry.ts';
import { HttpClient } from './providers/transport/client.ts';
import type { Database } from './storage/database.ts';
import { openPostgresWaker } from './storage/postgres-waker.ts';
import { EVERYTHING, localWaker } from './storage/waker.ts';
import { McpServers } from './tools/mcp/servers.ts';
import { RuleBook } from './tools/policy/rule-book.ts';
import { builtInTools } from './tools/registry.ts';
import type { Tool } from './tools/tool.ts';

/** What nodes tell each other when provider settings have changed. */
const PROVIDERS = 'providers';
/** The same of the servers of tools. */
const MCP = 'mcp';
/** How long runs wait at the start for servers of tools, each to connect or to fail once. */
const SERVERS_READY_MS = 5000;

/** What the services are made of. */
export interface Foundation {
  config: Config;
  database: Database;
  secretKey: Buffer;
  log: Logger;
  version: string;
  /** Where the built page is. */
  webFolder?: string;
  coolDowns?: CoolDowns;
  /** In place of the built-in ones. */
  tools?: readonly Tool[];
}

/**
 * Makes everything that the routes work with, on an open database.
 * @returns it, and how to let go of it when nothing uses it any more; the database stays open.
 * @throws ConfigError if other machines could connect and nothing would keep strangers out.
 */
export async function openServices(foundation: Foundation): Promise<{ services: Services; close(): Promise<void> }> {
  const { config, database, secretKey, log, version, coolDowns } = foundation;
  const { tools = builtInTools(config.tools) } = foundation;
  const { db } = database;
  await applyEnvironmentKey(db, config.access.accessKey);
  if (config.access.isReachable && !(await hasCredentials(db))) throw unlocked(config.host);
  const { databaseUrl, listenUrl = databaseUrl } = config;
  const isShared = databaseUrl !== undefined && listenUrl !== undefined;
  const waker = isShared ? await openPostgresWaker(listenUrl, log) : localWaker(log);
  const client = new HttpClient(config.timeouts);
  const providers = await ProviderRegistry.load({
    db,
    secretKey,
    environment: config.providers,
    client,
    aliases: config.aliases,
    changed: () => waker.wake(PROVIDERS),
    ...(coolDowns ? { coolDowns } : {}),
  });
  waker.subscribe((topic) => {
    if (topic === PROVIDERS || topic === EVERYTHING)
      providers.refresh().catch((error: unknown) => log.error({ err: error }, 'provider settings could not be read'));
  });
  const mcp = new McpServers({ db, secretKey, log, version, ...config.tools.mcp, changed: () => waker.wake(MCP) });
  await mcp.start();
  waker.subscribe((topic) => {
    if (topic === MCP || topic === EVERYTHING)
      mcp.refresh().catch((error: unknown) => log.error({ err: error }, 'MCP servers could not be read'));
  });
  const budgets = new Budgets(db, log, { waitMs: config.turnWait });
  const turns = new Turns(db, log, { waitMs: config.turnWait });
  const engine = await openEngine({ databaseUrl, file: join(config.home, 'engine.db'), waker, log });
  const { runs, stop: stopRuns } = openRuns({
    ...{ db, providers, turns, log, budgets, engine, waker },
    tools: () => [...tools, ...mcp.tools()],
    ready: mcp.settled(SERVERS_READY_MS),
    titleModel: config.titleModel,
    policy: { rules: new RuleBook(db), workspace: config.workspace, hidden: hiddenFolders(config) },
    runTimeoutMs: config.runTimeout,
    approvalLifeMs: config.approvalTimeout,
  });
  const services: Services = {
    config,
    database,
    gate: new Gate(database, config.access.isReachable),
    limiter: rateLimiterFor(database),
    backOff: new BackOff(db),
    budgets,
    providers,
    turns,
    mcp,
    runs,
    stopRuns,
    webPage: openWebPage(foundation.webFolder),
    log,
    version,
  };
  return {
    services,
    close: async () => {
      await stopRuns(0);
      await mcp.stop();
      await waker.close();
      await budgets.stop();
      await client.close();
    },
  };
}

function unlocked(host: string): ConfigError {
  return new ConfigError([
    `HOST: ${host} can be reached from other machines, and nothing would keep strangers out. Set PROFCLAW_ACCESS_KEY (openssl rand -hex 16 makes one), or start with HOST=127.0.0.1 and sign up first (POST /api/auth/signup)`,
  ]);
}
