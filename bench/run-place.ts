import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseOptions } from '../src/storage/database.ts';
import { newFolder, type Running, type ServerOptions, startServer } from './processes.ts';

/** A database, and the home of the node that is started with it. */
export interface Place {
  home: string;
  /** Where tools work: all nodes of a database have the same. */
  workspace: string;
  options: DatabaseOptions;
  environment: Record<string, string>;
}

/** How a kind of database is called, and where there is a new one: a URL, or undefined for a file in the home folder. */
export interface DatabaseKind {
  name: 'SQLite' | 'PostgreSQL';
  newDatabase(): Promise<string> | undefined;
}

/** The provider that `run-upstream.ts` is to the server. */
export const PROVIDER = 'custom:bench';

/** All nodes of a database have it. */
const SECRET_KEY = 'ab'.repeat(32);

/** An empty database with a home. */
export async function newPlace({ newDatabase }: DatabaseKind): Promise<Place> {
  const home = newFolder();
  const workspace = join(home, 'workspace');
  mkdirSync(workspace);
  const databaseUrl = await newDatabase();
  if (databaseUrl === undefined)
    return { home, workspace, options: { file: join(home, 'profclaw.db') }, environment: {} };
  return { home, workspace, options: { databaseUrl }, environment: { DATABASE_URL: databaseUrl } };
}

/** A home for another node of the same PostgreSQL. */
export function anotherHome(place: Place): Place {
  return { ...place, home: newFolder() };
}

/** Starts the built server there; its log is in the home folder. */
export async function startNode(place: Place, upstream: string, options: ServerOptions = {}): Promise<Running> {
  const providers = { [PROVIDER]: { baseUrl: `${upstream}/v1`, defaultModel: 'stream-1' } };
  const environment = {
    PROFCLAW_SECRET_KEY: SECRET_KEY,
    PROFCLAW_WORKSPACE: place.workspace,
    PROFCLAW_PROVIDERS: JSON.stringify(providers),
    ...place.environment,
    ...options.environment,
  };
  return await startServer(upstream, { ...options, home: place.home, environment });
}
