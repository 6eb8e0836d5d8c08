import { z } from 'zod';
import type { McpServerConfig } from './tools/mcp/server-config.ts';

/** What tools may do beyond the workspace, as it is set at start. */
export interface ToolConfig {
  /** Where this host has no sandbox, `exec` may run commands without one. */
  isUnsandboxedAllowed: boolean;
  /** Whose search `web_search` asks; undefined: the tool is not there. */
  webSearch: { provider: 'brave' | 'tavily'; key: string } | undefined;
  mcp: {
    /** The operator's own servers, by name. */
    servers: Record<string, McpServerConfig>;
    /** May callers of the API have programs started on this machine? */
    stdioFromApi: boolean;
    /** May they name hosts with private addresses? */
    privateFromApi: boolean;
    /** The variables that every program gets, besides its own. */
    environment: Record<string, string>;
  };
}

const allowed = z.enum(['allow', 'deny']).default('deny');
const key = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'holds characters that no key has')
  .optional();

/** Their names and forms. */
export const TOOL_SETTINGS = {
  PROFCLAW_UNSANDBOXED_EXEC: allowed,
  BRAVE_API_KEY: key,
  TAVILY_API_KEY: key,
  /** JSON, read by `readMcpServers`. */
  PROFCLAW_MCP_SERVERS: z.string().default('{}'),
  PROFCLAW_MCP_STDIO: allowed,
  PROFCLAW_MCP_PRIVATE: allowed,
};

/** Those of them that are secret. */
export const TOOL_SECRETS = ['BRAVE_API_KEY', 'TAVILY_API_KEY'] as const;

/** What programs need that are started for somebody; nothing of the server's. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TERM'];

/** Puts the settings together. */
export function toToolConfig(
  values: z.output<z.ZodObject<typeof TOOL_SETTINGS>>,
  servers: Record<string, McpServerConfig>,
  environment: Readonly<Record<string, string | undefined>>,
): ToolConfig {
  const { BRAVE_API_KEY: brave, TAVILY_API_KEY: tavily } = values;
  const passed = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    isUnsandboxedAllowed: values.PROFCLAW_UNSANDBOXED_EXEC === 'allow',
    webSearch: brave ? { provider: 'brave', key: brave } : tavily ? { provider: 'tavily', key: tavily } : undefined,
    mcp: {
      servers,
      stdioFromApi: values.PROFCLAW_MCP_STDIO === 'allow',
      privateFromApi: values.PROFCLAW_MCP_PRIVATE === 'allow',
      environment: Object.fromEntries(passed),
    },
  };
}
