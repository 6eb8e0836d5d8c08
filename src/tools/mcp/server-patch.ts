import type { JsonObject } from '../../core/json.ts';
import { InvalidRequestError, type Issue } from '../../errors.ts';
import { isStdio, type McpServerConfig } from './server-config.ts';

/**
 * A server's settings after a change: what is given is set, null clears, the rest stays. Credentials stay only with the
 * program or the address that they were given for; nobody can have them sent elsewhere without knowing them.
 * @throws InvalidRequestError
 */
export function patchServer(before: McpServerConfig, patch: JsonObject): JsonObject {
  const after: JsonObject = { ...before };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete after[field];
    else if (value !== undefined) after[field] = value;
  }
  const issues: Issue[] = [];
  const require = (field: string, values: object, why: string): void => {
    if (Object.keys(values).length > 0 && patch[field] === undefined)
      issues.push({ path: field, message: `must be given again (or null), since ${why}` });
  };
  if (isStdio(before)) {
    if (after.command !== before.command || isGiven(patch, 'args', before.args) || isGiven(patch, 'cwd', before.cwd))
      require('env', before.env, 'another program would get it');
  } else if (after.url !== before.url) require('headers', before.headers, 'another address would get them');
  if (issues.length > 0) throw new InvalidRequestError(issues);
  return after;
}

function isGiven(patch: JsonObject, field: string, before: unknown): boolean {
  return patch[field] !== undefined && JSON.stringify(patch[field] ?? undefined) !== JSON.stringify(before);
}
