import { asString, isObject, type JsonObject } from '../../core/json.ts';
import type { Tool, ToolContext, ToolEffect, ToolLevel, ToolOutcome } from '../tool.ts';
import { checkArguments } from './check-arguments.ts';
import type { ListedTool } from './connection.ts';
import { readInputSchema } from './input-schema.ts';
import type { McpServerConfig } from './server-config.ts';
import { mcpToolName } from './tool-name.ts';
import { cleanText } from './untrusted-text.ts';

/** Of one server; models lose their way among more, and providers refuse them. */
const MAX_TOOLS = 200;
const MAX_DESCRIPTION_CHARS = 2000;
/** Of a server's own name for a tool. */
const MAX_NAME_CHARS = 200;

/** Has a tool of a server called, by the server's own name for it. Throws why the signal was aborted, and nothing else. */
export type CallTool = (name: string, given: JsonObject, context: ToolContext) => Promise<ToolOutcome>;

/** What became of a server's list. */
export interface ServerTools {
  tools: readonly Tool[];
  /** Those that are not offered, and why. */
  skipped: readonly { tool: string; reason: string }[];
}

/** Makes tools of what a server lists, of which nothing is trusted: in the order of their names, and each name once. */
export function serverTools(
  server: string,
  config: McpServerConfig,
  listed: readonly ListedTool[],
  call: CallTool,
): ServerTools {
  const tools = new Map<string, Tool>();
  const skipped: { tool: string; reason: string }[] = [];
  const skip = (tool: string, reason: string): void => {
    if (skipped.length < MAX_TOOLS) skipped.push({ tool: cleanText(tool, MAX_NAME_CHARS), reason });
  };
  for (const one of listed.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    if (config.tools && !config.tools.includes(one.name)) continue;
    const schema = readInputSchema(one.inputSchema);
    const name = mcpToolName(server, one.name);
    if (one.name === '' || one.name.length > MAX_NAME_CHARS) skip(one.name, 'its name is empty or too long');
    else if (tools.has(name)) skip(one.name, 'another one has the same name');
    else if ('problem' in schema) skip(one.name, schema.problem);
    else if (tools.size >= MAX_TOOLS)
      skip(one.name, `the server has over ${MAX_TOOLS}; choose with the setting "tools"`);
    else tools.set(name, makeTool(name, server, config, one, schema.schema, call));
  }
  return { tools: [...tools.values()], skipped };
}

function makeTool(
  name: string,
  server: string,
  config: McpServerConfig,
  listed: ListedTool,
  inputSchema: JsonObject,
  call: CallTool,
): Tool {
  const annotations = isObject(listed.annotations) ? listed.annotations : {};
  return {
    name,
    description: describe(server, listed),
    level: ownValue(config.levels, listed.name) ?? levelOf(annotations),
    effect: effectOf(annotations),
    // What it does happens elsewhere, out of our sight.
    isForSandbox: false,
    inputSchema,
    check: (given) => checkArguments(inputSchema, given),
    rulesOn: [],
    subjects: () => ({}),
    identity: (given) => given,
    run: async (given, context) => {
      const issues = checkArguments(inputSchema, given);
      if (issues.length === 0) return await call(listed.name, given, context);
      const problems = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
      return { text: `The arguments do not fit: ${problems.join('; ')}`, isError: true };
    },
  };
}

function describe(server: string, { description, title }: ListedTool): string {
  const text = asString(description) || asString(title);
  return cleanText(text === '' ? `A tool of the MCP server ${server}.` : text, MAX_DESCRIPTION_CHARS);
}

/** A server only gives hints; what it says nothing of is taken for the worst, and nothing for harmless. */
function levelOf({ readOnlyHint, destructiveHint }: JsonObject): ToolLevel {
  return readOnlyHint === true || destructiveHint === false ? 'moderate' : 'dangerous';
}

function effectOf({ readOnlyHint, idempotentHint }: JsonObject): ToolEffect {
  if (readOnlyHint === true) return 'read';
  return idempotentHint === true ? 'idempotent' : 'unsafe';
}

/** A tool may have a name that every object has. */
function ownValue<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}
