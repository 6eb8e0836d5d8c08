import type { Kysely } from 'kysely';
import pino from 'pino';
import type { Config } from '../config.ts';
import { isProviderType, PROVIDER_TYPES, type ProviderType } from '../providers/chat-model.ts';
import type { RemoteType } from '../providers/profiles.ts';
import { isRemoteType, ProviderRegistry } from '../providers/registry.ts';
import { HttpClient } from '../providers/transport/client.ts';
import { openPostgresWaker } from '../storage/postgres-waker.ts';
import { openSecretKey } from '../storage/rotation.ts';
import type { Schema } from '../storage/schema.ts';
import { EVERYTHING } from '../storage/waker.ts';
import { wrongUse } from './exit-codes.ts';
import { withOwnDatabase } from './own-database.ts';
import type { Terminal } from './terminal.ts';

/** The providers as a server of these settings would have them, and their database. */
export interface OpenProviders {
  registry: ProviderRegistry;
  db: Kysely<Schema>;
  /** What the environment says of a type. */
  environment: Config['providers'];
}

/**
 * Works on the providers beside a running server, which hears of changes: over PostgreSQL at once, on SQLite when it
 * looks the next time. @throws Error for a person, AppError
 */
export async function withProviders<T>(terminal: Terminal, work: (providers: OpenProviders) => Promise<T>): Promise<T> {
  const config = terminal.config();
  const { home, secretKey: fromEnvironment, databaseUrl, listenUrl, providers: environment, aliases } = config;
  return await withOwnDatabase(config, 'provider_settings', async (db) => {
    const client = new HttpClient(config.timeouts);
    let isChanged = false;
    try {
      const secretKey = await openSecretKey({ db, home, fromEnvironment });
      const changed = (): void => {
        isChanged = true;
      };
      const registry = await ProviderRegistry.load({ db, secretKey, environment, client, aliases, changed });
      return await work({ registry, db, environment });
    } finally {
      await client.close();
      if (isChanged && databaseUrl !== undefined) await tellNodes(listenUrl ?? databaseUrl);
    }
  });
}

/** A type that can be set. @throws Error for a person */
export function settableType(name: string): RemoteType {
  if (isRemoteType(name)) return name;
  if (name === 'demo') throw wrongUse('the demo model has no settings');
  throw unknownType(name, [...PROVIDER_TYPES.filter((type) => type !== 'demo'), 'custom:<name>']);
}

/** A provider that is there: a custom one only if it was set. @throws Error for a person */
export function knownType(registry: ProviderRegistry, name: string): ProviderType {
  if (isProviderType(name) && (name === 'demo' || registry.types().some((type) => type === name))) return name;
  throw unknownType(name, ['demo', ...registry.types()]);
}

function unknownType(name: string, types: readonly string[]): Error {
  return wrongUse(`there is no provider ${name}; there are ${types.join(', ')}`);
}

/** Nodes that are not reached look again within seconds. */
async function tellNodes(url: string): Promise<void> {
  const waker = await openPostgresWaker(url, pino({ level: 'silent' })).catch(() => undefined);
  waker?.wake(EVERYTHING);
  await waker?.close();
}
