import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import type { Issue } from '../errors.ts';
import type { Schema } from '../storage/schema.ts';

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

/** What of a call rules can be about, besides the tool and its arguments: as the model gave it. */
export interface Subjects {
  /** A line for /bin/sh. */
  command?: string;
  /** Relative to the workspace, or absolute. */
  paths?: readonly string[];
  /** http or https. */
  urls?: readonly string[];
}

/** What a rule can say of a call beside its arguments. */
export type RuleKind = 'command' | 'path' | 'host';

/** What the decision on a call has left to be checked where the deed is done. Paths are the workspace's own, `a/b`. */
export interface Grant {
  /** May the call touch this file, which holds a secret? */
  opensSecret(path: string): boolean;
  /** Does a rule keep this path from the call? */
  hidesPath(path: string): boolean;
  /**
   * What rules say of a host, by its name and port: `exact` names it without a wildcard, and so also where its address
   * is private.
   */
  hostRule(host: string, port: number): 'deny' | 'allow' | 'exact' | undefined;
  /** Does a rule allow the tool any host? */
  hasHosts: boolean;
}

/** What a tool works with. */
export interface ToolContext {
  db: Kysely<Schema>;
  owner: string;
  conversationId: string;
  /** The folder that tools work in, absolute. */
  workspace: string;
  /** Folders that are the server's own, absolute and without links: not for tools, also where they are in the workspace. */
  hidden: readonly string[];
  mode: SecurityMode;
  grant: Grant;
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
  /** What rules about it can say; others would never apply. */
  rulesOn: readonly RuleKind[];
  /** @param given arguments that fit. */
  subjects(given: JsonObject): Subjects;
  /** What of the arguments makes a call the same as another one, for a rule that allows exactly it. */
  identity(given: JsonObject): JsonObject;
  /**
   * Carries a call out. Arguments that are wrong and everything that goes wrong on the way are an outcome with
   * `isError`. @throws why the signal was aborted, and nothing else.
   */
  run(given: JsonObject, context: ToolContext): Promise<ToolOutcome>;
}

/** A tool, before its schema is read. */
interface ToolDefinition<Input> extends Pick<Tool, 'name' | 'description' | 'level' | 'effect' | 'isForSandbox'> {
  input: z.ZodType<Input>;
  /** Nothing if it is not given. */
  rulesOn?: readonly RuleKind[];
  /** None if it is not given. */
  subjects?(input: Input): Subjects;
  /** All arguments, as they are given, if it is not given. */
  identity?(input: Input): JsonObject;
  /** May throw: the message is then what the model reads. */
  run(input: Input, context: ToolContext): Promise<ToolOutcome>;
}

/** Makes a tool whose schema is the one that checks. */
export function defineTool<Input>(definition: ToolDefinition<Input>): Tool {
  const { input, rulesOn = [], subjects, identity, run, ...rest } = definition;
  const check = (given: JsonObject): Issue[] =>
    (input.safeParse(given).error?.issues ?? []).map(({ path, message }) => ({ path: path.join('.'), message }));
  return {
    ...rest,
    inputSchema: schemaOf(input),
    check,
    rulesOn,
    subjects: (given) => subjects?.(input.parse(given)) ?? {},
    identity: (given) => identity?.(input.parse(given)) ?? given,
    run: async (given, context) => {
      const parsed = input.safeParse(given);
      if (!parsed.success) return failed(describeIssues(check(given)));
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

/** What is wrong with a call's arguments, for the model to read. */
export function describeIssues(issues: readonly Issue[]): string {
  return `The arguments do not fit: ${issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`;
}

function failed(text: string): ToolOutcome {
  return { text, isError: true };
}
