import type { StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { RouteRequest, RouteScope } from '../http/route.ts';

/** One call of a tool. */
export interface ToolCall {
  /** The HTTP request that brought it. */
  request: RouteRequest<unknown, unknown, unknown>;
  /** Aborted when the caller leaves or cancels, or the server must stop. */
  signal: AbortSignal;
  /** Tells how far it is, to a caller who wants to know. @param done rises from call to call; of what, `message` says. */
  progress(done: number, message: string): Promise<void>;
}

/** A tool that the server offers. */
export interface McpTool {
  name: string;
  /** What the native route needs. */
  scope: Extract<RouteScope, 'chat' | 'tools' | 'conversations:read' | 'any'>;
  title: string;
  description: string;
  input: StandardSchemaWithJSON;
  output: StandardSchemaWithJSON;
  annotations: ToolAnnotations;
  /** @returns the structured content. @throws AppError */
  run(args: unknown, call: ToolCall): Promise<Record<string, unknown>>;
  /** The text beside the structured content; absent: the same as JSON. */
  text?(content: Record<string, unknown>): string;
}

/** A tool with the types of its schemas. */
interface TypedTool<I extends z.ZodObject, O extends z.ZodObject> extends Omit<McpTool, 'input' | 'output' | 'run'> {
  input: I;
  output: O;
  run(args: z.output<I>, call: ToolCall): Promise<z.output<O>>;
}

/** Keeps the types of a tool's schemas together with what it does, and forgets them outside. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: TypedTool<I, O>): McpTool {
  // The schema has made the arguments what they are.
  return { ...tool, run: (args, call) => tool.run(args as z.output<I>, call) };
}
