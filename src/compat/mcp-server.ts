import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { type AppError, toAppError } from '../errors.ts';
import { cancellable } from './mcp-cancellation.ts';
import { mcpChatTools } from './mcp-chat-tools.ts';
import { mcpConversationTools } from './mcp-conversation-tools.ts';
import { mcpRunTools } from './mcp-run-tools.ts';
import type { McpTool, ToolCall } from './mcp-tool.ts';

const TOOLS: readonly McpTool[] = [...mcpChatTools, ...mcpConversationTools, ...mcpRunTools];

const INSTRUCTIONS =
  'Asks the models of a profclaw server, reads and continues its conversations, and lets its agent work. Approvals that a run waits for are answered by a person, outside of MCP.';

/** Where a failed call has our code, details and request id. */
const ERROR_META = 'profclaw/error';

type Library = typeof import('@modelcontextprotocol/server');

/**
 * A server for one request, with the tools that its caller may use.
 * @param controller is aborted when a later message cancels the request.
 */
export function mcpServer(
  { McpServer }: Library,
  request: ToolCall['request'],
  controller: AbortController,
): McpServer {
  const { version } = request.services;
  const server = new McpServer(
    { name: 'profclaw', title: 'profclaw', version },
    // What is offered is the caller's scopes', which do not change.
    { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
  );
  const scopes: readonly string[] = request.principal?.scopes ?? [];
  for (const tool of TOOLS) {
    if (tool.scope !== 'any' && !scopes.includes(tool.scope)) continue;
    const { title, description, input: inputSchema, output: outputSchema, annotations } = tool;
    const config = { title, description, inputSchema, outputSchema, annotations };
    server.registerTool(tool.name, config, (args, context) =>
      cancellable({ request, id: context.mcpReq.id, controller }, () => resultOf(tool, args, callOf(request, context))),
    );
  }
  return server;
}

function callOf(request: ToolCall['request'], { mcpReq }: ServerContext): ToolCall {
  const { progressToken } = mcpReq._meta ?? {};
  return {
    request,
    signal: AbortSignal.any([request.signal, mcpReq.signal]),
    progress: async (progress, message) => {
      if (progressToken === undefined) return;
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } });
    },
  };
}

async function resultOf(tool: McpTool, args: unknown, call: ToolCall): Promise<CallToolResult> {
  try {
    const structuredContent = await tool.run(args, call);
    const text = tool.text?.(structuredContent) ?? JSON.stringify(structuredContent);
    return { content: [{ type: 'text', text }], structuredContent };
  } catch (cause) {
    const error = toAppError(cause);
    const { requestId, services } = call.request;
    if (error.code === 'internal') services.log.error({ requestId, err: cause }, 'a tool of the MCP server failed');
    return failed(error, requestId);
  }
}

function failed({ code, message, details, retryAfter }: AppError, requestId: string): CallToolResult {
  return {
    isError: true,
    content: [{ type: 'text', text: `${message} (${code})` }],
    _meta: { [ERROR_META]: { code, message, requestId, details, retryAfter } },
  };
}
