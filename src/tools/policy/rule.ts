import type { JsonObject } from '../../core/json.ts';

/** What calls a rule is about; all that is given has to fit. Empty: every call of the tool. */
export interface RuleMatch {
  /** Words of a simple command, `git status *`; see `compileCommand`. */
  command?: string;
  /** A glob of paths in the workspace, `src/**`. */
  path?: string;
  /** `example.com`, `*.example.com`, either with a port. */
  host?: string;
  /** Exactly these, as `Tool.identity` gives them. */
  arguments?: JsonObject;
}

/** A stored answer to the question whether a call may be carried out. */
export interface Rule {
  id: string;
  /** A name, or a glob of names: `mcp__github__*`. */
  tool: string;
  match: RuleMatch;
  action: 'allow' | 'deny';
  /** A conversation's number; 0: all of the owner's. */
  conversation: number;
  /** Milliseconds since 1970; undefined: never. */
  expiresAt?: number | undefined;
}

/** The same without what is undefined, so that rules which say the same are the same. */
export function withoutAbsent(match: { [Key in keyof RuleMatch]: RuleMatch[Key] | undefined }): RuleMatch {
  const { command, path, host, arguments: exact } = match;
  return {
    ...(command === undefined ? {} : { command }),
    ...(path === undefined ? {} : { path }),
    ...(host === undefined ? {} : { host }),
    ...(exact === undefined ? {} : { arguments: exact }),
  };
}
