import type { Migration } from 'kysely/migration';
import { up as foundation } from './0001_foundation.ts';
import { up as conversations } from './0002_conversations.ts';
import { up as access } from './0003_access.ts';
import { up as runs } from './0004_runs.ts';
import { up as toolRules } from './0005_tool_rules.ts';
import { up as mcpServers } from './0006_mcp_servers.ts';
import { up as toolResults } from './0007_tool_results.ts';
import { up as responses } from './0008_responses.ts';

/**
 * Every migration by name, applied in the order of the names. A list in code instead of a folder that is read, so that
 * a bundler sees them all. A migration that was released is never edited: add the next one.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_foundation': { up: foundation },
  '0002_conversations': { up: conversations },
  '0003_access': { up: access },
  '0004_runs': { up: runs },
  '0005_tool_rules': { up: toolRules },
  '0006_mcp_servers': { up: mcpServers },
  '0007_tool_results': { up: toolResults },
  '0008_responses': { up: responses },
};
