import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import type { Issue } from '../errors.ts';

/** How much a run's tools may do by themselves; docs/tools.md says what each means. */
export const SECURITY_MODES = ['deny', 'sandbox', 'allowlist', 'ask', 'full'] as const;

export type SecurityMode = (typeof SECURITY_MODES)[number];

/** How much harm a tool could do. */
export type ToolLevel = 'safe' | 'moderate' | 'dangerous';

/**
 * What carrying a call out twice means: nothing (`read`), no more than once (`idempotent`), or nobody knows (`unsafe`),
 * so that a call which had begun when its process died is not repeated without a person's word.
 */
export type ToolEffect = 'read' | 'idempotent' | 'unsafe';

/** What a tool works with. */
export interface ToolContext {
  /** The folder that tools work in, absolute. */
  workspace: string;
  /** Folders that are the server's own, absolute and without links: not for tools, also where they are in the workspace. */
  hidden: readonly string[];
  mode: SecurityMode;
  /** When it is aborted, everything that the call began must be gone within a second. */
  signal: AbortSignal;
  /** The same for every try of one call, and of no other. */
  idempotencyKey: string;
  /** Output of a long call, piece by piece, for whoever watches. */
  progress(text: string): void;
}

/** What a call came to. */
export interface ToolOutcome {
  /** For the model to read. */
  text: string;
  isError: boolean;
}

/** What the model may call. */
export interface Tool {
  name: string;
  description: string;
  level: ToolLevel;
  effect: ToolEffect;
  /** May it be called in the mode `sandbox`: because it only reads, or because what it starts is isolated. */
  isForSandbox: boolean;
  /** A JSON Schema of type object. */
  inputSchema: JsonObject;
  /** What is wrong with these arguments; nothing: []. */
  check(given: JsonObject): Issue[];
  /**
   * Carries a call out. Arguments that are wrong and everything that goes wrong on the way are an outcome with
   * `isError`. @throws why the signal was aborted, and nothing else.
   */
  run(given: JsonObject, context: ToolContext): Promise<ToolOutcome>;
}

/** A tool, before its schema is read. */
interface ToolDefinition<Input> extends Pick<Tool, 'name' | 'description' | 'level' | 'effect' | 'isForSandbox'> {
  input: z.ZodType<Input>;
  /** May throw: the message is then what the model reads. */
  run(input: Input, context: ToolContext): Promise<ToolOutcome>;
}

/** Makes a tool whose schema is the one that checks. */
export function defineTool<Input>({ input, run, ...rest }: ToolDefinition<Input>): Tool {
  const check = (given: JsonObject): Issue[] =>
    (input.safeParse(given).error?.issues ?? []).map(({ path, message }) => ({ path: path.join('.'), message }));
  return {
    ...rest,
    inputSchema: schemaOf(input),
    check,
    run: async (given, context) => {
      const parsed = input.safeParse(given);
      if (!parsed.success) return failed(describe(check(given)));
      try {
        return await run(parsed.data, context);
      } catch (error) {
        context.signal.throwIfAborted();
        return failed(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

/** What a model needs of it. */
function schemaOf(input: z.ZodType): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input' });
  return schema;
}

function describe(issues: readonly Issue[]): string {
  return `The arguments do not fit: ${issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`;
}

function failed(text: string): ToolOutcome {
  return { text, isError: true };
}
