import { z } from 'zod';
import { isObject, type JsonObject } from '../core/json.ts';
import type { Tool, ToolCall } from '../providers/chat-model.ts';
import { FunctionFields, FunctionName, Ignored, toTool } from './openai-parameters.ts';

const common = { allowed_callers: Ignored, async: Ignored, defer_loading: Ignored };

const FunctionTool = z.strictObject({
  type: z.literal('function'),
  ...FunctionFields,
  ...common,
  output_schema: Ignored,
});
const CustomTool = z.strictObject({
  type: z.literal('custom'),
  name: FunctionName,
  description: z.string().nullish(),
  format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('grammar'), syntax: z.enum(['lark', 'regex']), definition: z.string() }),
    ])
    .nullish(),
  ...common,
});

/** Tools that OpenAI's servers carry out, or whose form only its models know. */
const HOSTED = [
  ...['apply_patch', 'code_interpreter', 'computer', 'computer_use_preview', 'file_search', 'image_generation'],
  ...['local_shell', 'mcp', 'namespace', 'programmatic_tool_calling', 'shell', 'tool_search'],
  ...['web_search', 'web_search_2025_08_26', 'web_search_preview', 'web_search_preview_2025_03_11'],
];

/** A tool of a request: a function, or one that takes a text. One that is not to be had here is known by its type alone. */
export const ResponseTool = z
  .looseObject({ type: z.string() })
  .refine(({ type }) => type === 'function' || type === 'custom' || HOSTED.includes(type), {
    path: ['type'],
    error: 'must be function or custom',
    abort: true,
  })
  .transform((tool, context) => {
    if (HOSTED.includes(tool.type)) return { type: 'hosted' as const, name: tool.type };
    const { success, data, error } = (tool.type === 'custom' ? CustomTool : FunctionTool).safeParse(tool);
    if (success) return data;
    for (const { path, message } of error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });

type RequestTool = z.output<typeof ResponseTool>;
type OwnTool = Exclude<RequestTool, { type: 'hosted' }>;

/** Those that the model can be offered. */
export function ownTools(tools: readonly RequestTool[] | null | undefined): OwnTool[] {
  return (tools ?? []).flatMap((tool) => (tool.type === 'hosted' ? [] : [tool]));
}

/** A sentence for each that is left out. */
export function missingTools(tools: readonly RequestTool[] | null | undefined): string[] {
  return (tools ?? []).flatMap((tool, index) =>
    tool.type === 'hosted' ? [`tools.${index} is left out: ${tool.name} is not to be had here`] : [],
  );
}

/** A tool as the wires out lower it: one that takes a text is a function of that text. */
export function toOffered(tool: OwnTool): Tool {
  if (tool.type === 'function') return toTool(tool);
  const { name, description, format } = tool;
  const grammar =
    format?.type === 'grammar'
      ? `The input must fit this grammar (${format.syntax}):\n${format.definition}`
      : undefined;
  const told = [description, grammar].filter((text) => text).join('\n\n');
  return {
    name,
    description: told === '' ? undefined : told,
    parameters: {
      type: 'object',
      properties: { input: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
      required: ['input'],
      additionalProperties: false,
    },
  };
}

/** The tools as the wire says them again. */
export function echoTools(tools: readonly RequestTool[] | null | undefined): JsonObject[] {
  return ownTools(tools).map((tool) => (tool.type === 'function' ? { ...tool, strict: tool.strict ?? false } : tool));
}

/** The names of those among tools, as the wire says them again, that take a text. */
export function customNames(echoed: unknown): ReadonlySet<string> {
  const tools = Array.isArray(echoed) ? (echoed as unknown[]) : [];
  return new Set(
    tools.flatMap((tool) =>
      isObject(tool) && tool.type === 'custom' && typeof tool.name === 'string' ? [tool.name] : [],
    ),
  );
}

/** What a call gives to a tool that takes a text. */
export function textGiven({ arguments: given, invalidArguments }: ToolCall): string {
  if (invalidArguments !== undefined) return invalidArguments;
  return typeof given.input === 'string' ? given.input : JSON.stringify(given);
}
