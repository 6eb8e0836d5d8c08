import { z } from 'zod';
import { McpServerPatch, McpServerSchema, NewMcpServer, showMcpServer } from '../mcp-schemas.ts';
import { defineRoute } from '../route.ts';
import { DeletedSchema } from '../schemas.ts';

const TAG = 'Models and providers';
const Params = z.object({ name: z.string().min(1).max(200) });
const Answer = z.object({ server: McpServerSchema });

/** What the log keeps of a change: whoever can set it can have programs run or keys sent there. */
function detailsOf(body: { command?: unknown; url?: unknown }): Record<string, unknown> {
  const { command, url } = body;
  const place = typeof url === 'string' && URL.canParse(url) ? { url: new URL(url).origin } : {};
  return { fields: Object.keys(body), ...(command === undefined ? {} : { command }), ...place };
}

/** Servers of tools (MCP): the configuration's, and those that are set here. */
export const mcpServerRoutes = [
  defineRoute({
    method: 'get',
    path: '/api/chat/mcp/servers',
    scope: 'providers:write',
    tag: TAG,
    summary: 'All MCP servers, with how they are; never waits for one',
    response: z.object({ servers: z.array(McpServerSchema) }),
    handle: ({ services: { mcp } }) => ({ servers: mcp.list().map(showMcpServer) }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/mcp/servers',
    scope: 'providers:write',
    audit: { action: 'mcp.create', target: ({ body }) => body.name, details: ({ body }) => detailsOf(body) },
    tag: TAG,
    summary: 'Add an MCP server; everybody’s runs may then use its tools',
    description:
      'It is connected in the background. Values of `env` and `headers` are kept encrypted and never returned. A `command` runs on the server’s machine, so it is taken only if the operator has set PROFCLAW_MCP_STDIO=allow; a private address only with PROFCLAW_MCP_PRIVATE=allow.',
    body: NewMcpServer,
    status: 201,
    response: Answer,
    errors: ['conflict'],
    creates: true,
    handle: async ({ services: { mcp }, owner, body: { name, ...written } }) => ({
      server: showMcpServer(await mcp.create(owner, name, written)),
    }),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/chat/mcp/servers/{name}',
    scope: 'providers:write',
    audit: { action: 'mcp.change', target: ({ params }) => params.name, details: ({ body }) => detailsOf(body) },
    tag: TAG,
    summary: 'Change an MCP server; what is not given stays, null clears',
    description:
      'With another address `headers`, and with another command, arguments or folder `env`, must be given again: nobody can have credentials sent elsewhere without knowing them.',
    params: Params,
    body: McpServerPatch,
    response: Answer,
    errors: ['not_found', 'conflict'],
    handle: async ({ services: { mcp }, owner, params: { name }, body }) => ({
      server: showMcpServer(await mcp.update(owner, name, body)),
    }),
  }),
  defineRoute({
    method: 'post',
    path: '/api/chat/mcp/servers/{name}/test',
    scope: 'providers:write',
    tag: TAG,
    summary: 'Ask an MCP server now, and connect to it if need be; 200 either way',
    params: Params,
    response: Answer,
    errors: ['not_found', 'conflict'],
    handle: async ({ services: { mcp }, params: { name } }) => ({ server: showMcpServer(await mcp.check(name)) }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/chat/mcp/servers/{name}',
    scope: 'providers:write',
    audit: { action: 'mcp.remove', target: ({ params }) => params.name },
    tag: TAG,
    summary: 'Forget an MCP server; calls of its tools that are under way fail',
    params: Params,
    response: DeletedSchema,
    errors: ['not_found', 'conflict'],
    handle: async ({ services: { mcp }, params: { name } }) => {
      await mcp.remove(name);
      return { message: 'MCP server deleted' };
    },
  }),
];
