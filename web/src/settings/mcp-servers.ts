import { queryOptions } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** A server of tools, as the API shows it: names of its headers and variables, never their values. */
export interface McpServer {
  name: string;
  source: 'configuration' | 'api';
  type: 'stdio' | 'http';
  command?: string;
  /** How many. */
  args?: number;
  /** Names. */
  env?: string[];
  url?: string;
  /** Names. */
  headers?: string[];
  enabled: boolean;
  status: {
    state: 'connecting' | 'connected' | 'failed' | 'stopped' | 'disabled' | 'refused';
    message: string;
    checkedAt: string | null;
    latencyMs: number | null;
    server: { name: string; version: string; protocol: string } | null;
  };
  /** Names by which models call them. */
  tools: string[];
  skipped: { tool: string; reason: string }[];
}

/** How often they are looked at again, and while one is connecting, in milliseconds. */
const IDLE_MS = 10_000;
const CONNECTING_MS = 1000;

/** How they are asked for; again and again as long as they are seen. */
export const MCP_SERVERS = queryOptions({
  queryKey: KEYS.mcpServers,
  queryFn: () => ask<{ servers: McpServer[] }>('/api/chat/mcp/servers').then(({ servers }) => servers),
  refetchInterval: ({ state }) =>
    state.data?.some(({ status }) => status.state === 'connecting') ? CONNECTING_MS : IDLE_MS,
});

/** A state in words, with the class of its colour. */
export const MCP_STATES: Record<McpServer['status']['state'], { text: string; tone: string }> = {
  connecting: { text: 'connecting …', tone: '' },
  connected: { text: 'connected', tone: 'good' },
  failed: { text: 'does not work', tone: 'bad' },
  stopped: { text: 'stopped', tone: 'warn' },
  disabled: { text: 'switched off', tone: '' },
  refused: { text: 'not allowed', tone: 'warn' },
};
