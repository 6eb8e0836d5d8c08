import type { Logger } from 'pino';
import type { RunServices } from '../agent/context.ts';
import type { Gate } from '../auth/gate.ts';
import type { Config } from '../config.ts';
import type { Turns } from '../conversations/turns.ts';
import type { BackOff } from '../limits/back-off.ts';
import type { Budgets } from '../limits/budget.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { ProviderRegistry } from '../providers/registry.ts';
import type { Database } from '../storage/database.ts';
import type { McpServers } from '../tools/mcp/servers.ts';
import type { WebPage } from './web-page.ts';

/** What the routes work with; made once, in `open-services.ts`. */
export interface Services {
  config: Config;
  database: Database;
  gate: Gate;
  limiter: RateLimiter;
  backOff: BackOff;
  budgets: Budgets;
  providers: ProviderRegistry;
  turns: Turns;
  /** Servers of tools. */
  mcp: McpServers;
  runs: RunServices;
  /** Hands over the runs of this node, within so many milliseconds. */
  stopRuns(ms: number): Promise<void>;
  /** Undefined: it was not built. */
  webPage: WebPage | undefined;
  log: Logger;
  version: string;
}
