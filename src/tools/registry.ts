import { nearest } from '../core/nearest.ts';
import { InvalidRequestError, type Issue } from '../errors.ts';
import { completeTask } from './builtin/complete-task.ts';
import { exec } from './builtin/exec.ts';
import { listDirectory } from './builtin/list-directory.ts';
import { readFile } from './builtin/read-file.ts';
import { writeFile } from './builtin/write-file.ts';
import type { Tool } from './tool.ts';

/** The tools that come with the server. */
export const BUILT_IN_TOOLS: readonly Tool[] = [readFile, writeFile, listDirectory, exec, completeTask];

/**
 * The tools of these names, in their own order and each once, so that the same tools are always offered in the same way.
 * @param names all tools without it.
 * @throws InvalidRequestError with every name that no tool has.
 */
export function toolsByName(tools: readonly Tool[], names?: readonly string[]): readonly Tool[] {
  if (names === undefined) return tools;
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const issues = names.flatMap((name, index) => (known.has(name) ? [] : [unknownName(name, index, known.keys())]));
  if (issues.length > 0) throw new InvalidRequestError(issues);
  return tools.filter(({ name }) => names.includes(name));
}

function unknownName(name: string, index: number, known: Iterable<string>): Issue {
  const [near] = nearest(name, known, 1);
  const hint = near === undefined ? '; GET /api/chat/tools lists them' : `; did you mean ${JSON.stringify(near)}?`;
  return { path: `tools.${index}`, message: `There is no tool ${JSON.stringify(name)}${hint}` };
}
