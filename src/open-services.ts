import type { Logger } from 'pino';
import { applyEnvironmentKey } from './auth/access-key.ts';
import { Gate, hasCredentials } from './auth/gate.ts';
import { type Config, ConfigError } from './config.ts';
import { Turns } from './conversations/turns.ts';
import type { Services } from './http/services.ts';
import { BackOff } from './limits/back-off.ts';
import { Budgets } from './limits/budget.ts';
import { rateLimiterFor } from './limits/rate-limiter.ts';
import type { CoolDowns } from './providers/cool-down.ts';
import { ProviderRegistry } from './providers/registry.ts';
import { HttpClient } from './providers/transport/client.ts';
import type { Database } from './storage/database.ts';

/** What the services are made of. */
export interface Foundation {
  config: Config;
  database: Database;
  secretKey: Buffer;
  log: Logger;
  version: string;
  coolDowns?: CoolDowns;
}

/**
 * Makes everything that the routes work with, on an open database.
 * @returns it, and how to let go of it when nothing uses it any more; the database stays open.
 * @throws ConfigError if other machines could connect and nothing would keep strangers out.
 */
export async function openServices(foundation: Foundation): Promise<{ services: Services; close(): Promise<void> }> {
  const { config, database, secretKey, log, version, coolDowns } = foundation;
  const { db } = database;
  await applyEnvironmentKey(db, config.access.accessKey);
  if (config.access.isReachable && !(await hasCredentials(db))) throw unlocked(config.host);
  const client = new HttpClient(config.timeouts);
  const providers = await ProviderRegistry.load({
    db,
    secretKey,
    environment: config.providers,
    client,
    aliases: config.aliases,
    ...(coolDowns ? { coolDowns } : {}),
  });
  const budgets = new Budgets(db, log, { waitMs: config.turnWait });
  const services: Services = {
    config,
    database,
    gate: new Gate(database, config.access.isReachable),
    limiter: rateLimiterFor(database),
    backOff: new BackOff(db),
    budgets,
    providers,
    turns: new Turns(db, log, { waitMs: config.turnWait }),
    log,
    version,
  };
  return {
    services,
    close: async () => {
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
