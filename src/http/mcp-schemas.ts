import { z } from 'zod';
import { isStdio, MCP_SERVER_SHAPE, McpServerName, shownUrl } from '../tools/mcp/server-config.ts';
import type { McpServerView } from '../tools/mcp/servers.ts';
import { Time } from './schemas.ts';

/** A new server: a command or a url, and what belongs to it; what goes together is for the server's own schema to say. */
export const NewMcpServer = z
  .strictObject({ name: McpServerName, ...MCP_SERVER_SHAPE })
  .partial()
  .required({ name: true });

type Clearable<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>> };

function clearable<S extends z.ZodRawShape>(shape: S): Clearable<S> {
  const entries = Object.entries(shape).map(([key, type]) => [key, z.nullable(type as z.ZodType).optional()]);
  return Object.fromEntries(entries) as Clearable<S>;
}

/** A change: what is given is set, null clears, the rest stays. */
export const McpServerPatch = z.strictObject(clearable(MCP_SERVER_SHAPE));

/** A server as it is shown: without values of its environment, its headers, and the query of its address. */
export const McpServerSchema = z
  .object({
    name: z.string(),
    source: z.enum(['configuration', 'api']),
    type: z.enum(['stdio', 'http']),
    command: z.string().optional(),
    args: z.int().optional().describe('How many; their texts are not shown.'),
    cwd: z.string().optional(),
    env: z.array(z.string()).optional().describe('Names.'),
    url: z.string().optional().describe('Without its query.'),
    headers: z.array(z.string()).optional().describe('Names.'),
    enabled: z.boolean(),
    timeout: z.number().nullable().describe('Seconds; null: the default.'),
    levels: z.record(z.string(), z.string()),
    status: z.object({
      state: z.enum(['connecting', 'connected', 'failed', 'stopped', 'disabled', 'refused']),
      message: z.string(),
      checkedAt: Time.nullable(),
      latencyMs: z.int().nullable().describe('Of the last ping; null: there was none yet.'),
      server: z
        .object({ name: z.string(), version: z.string(), protocol: z.string() })
        .nullable()
        .describe('What it says it is.'),
    }),
    tools: z.array(z.string()).describe('Names by which models call them.'),
    skipped: z.array(z.object({ tool: z.string(), reason: z.string() })).describe('Tools that are not offered.'),
  })
  .meta({ id: 'McpServer' });

/** What is shown of a server. */
export function showMcpServer({
  name,
  source,
  config,
  state,
  refusal,
  tools,
  skipped,
}: McpServerView): z.output<typeof McpServerSchema> {
  const { enabled = true, timeout = null, levels = {} } = config;
  const place = isStdio(config)
    ? {
        ...{ type: 'stdio' as const, command: config.command, args: config.args.length, env: Object.keys(config.env) },
        ...(config.cwd === undefined ? {} : { cwd: config.cwd }),
      }
    : { type: 'http' as const, url: shownUrl(config), headers: Object.keys(config.headers) };
  return {
    ...{ name, source, ...place, enabled, timeout, levels },
    status: {
      state: state?.state ?? (refusal === undefined ? 'disabled' : 'refused'),
      message: state?.message ?? refusal ?? '',
      checkedAt: state?.checkedAt === undefined ? null : new Date(state.checkedAt).toISOString(),
      latencyMs: state?.latencyMs ?? null,
      server: state?.server ?? null,
    },
    tools: tools.map((tool) => tool.name),
    skipped: [...skipped],
  };
}
