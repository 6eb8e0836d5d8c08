import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Turns } from '../conversations/turns.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Database } from '../storage/database.ts';

/** What the routes work with; made once in `main.ts`. */
export interface Services {
  config: Config;
  database: Database;
  providers: ProviderRegistry;
  turns: Turns;
  log: Logger;
  version: string;
}

/** Whose everything is as long as there are no accounts. */
export const LOCAL_OWNER = 'local';
