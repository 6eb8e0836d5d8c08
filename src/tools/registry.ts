import { nearest } from '../core/nearest.ts';
import { InvalidRequestError, type Issue } from '../errors.ts';
import { completeTask } from './builtin/complete-task.ts';
import { createTicket } from './builtin/create-ticket.ts';
import { editFile } from './builtin/edit-file.ts';
import { execTool } from './builtin/exec.ts';
import { getTask } from './builtin/get-task.ts';
import { getTicket } from './builtin/get-ticket.ts';
import { gitDiffTool } from './builtin/git-diff.ts';
import { gitLogTool } from './builtin/git-log.ts';
import { gitStatusTool } from './builtin/git-status.ts';
import { grep } from './builtin/grep.ts';
import { listDirectory } from './builtin/list-directory.ts';
import { readFile } from './builtin/read-file.ts';
import { readResult } from './builtin/read-result.ts';
import { searchFiles } from './builtin/search-files.ts';
import { todoWrite } from './builtin/todo-write.ts';
import { updateTask } from './builtin/update-task.ts';
import { webFetchTool } from './builtin/web-fetch.ts';
import { type WebSearchOptions, webSearchTool } from './builtin/web-search.ts';
import { writeFile } from './builtin/write-file.ts';
import { findSandbox } from './sandbox/find-sandbox.ts';
import type { Tool } from './tool.ts';

/** What the operator lets tools do. */
export interface BuiltInOptions {
  /** Where this host has no sandbox, may commands run without one? */
  isUnsandboxedAllowed: boolean;
  /** Whose search is asked; undefined: there is no `web_search`. */
  webSearch?: WebSearchOptions | undefined;
}

/** The tools that come with the server. */
export function builtInTools({ isUnsandboxedAllowed, webSearch }: BuiltInOptions): readonly Tool[] {
  const sandbox = { find: findSandbox, isUnsandboxedAllowed };
  return [
    ...[readFile, writeFile, editFile, listDirectory, searchFiles, grep],
    ...[execTool(sandbox), gitStatusTool(sandbox), gitDiffTool(sandbox), gitLogTool(sandbox)],
    ...[webFetchTool(), ...(webSearch ? [webSearchTool(webSearch)] : [])],
    ...[todoWrite, getTask, updateTask, getTicket, createTicket, readResult, completeTask],
  ];
}

/**
 * The tools of these names, in their own order and each once, so that the same tools are always offered in the same way.
 * @param names all tools without it.
 * @param pathOf where the name at a place stands in the request.
 * @throws InvalidRequestError with every name that no tool has.
 */
export function toolsByName(
  tools: readonly Tool[],
  names?: readonly string[],
  pathOf = (index: number): string => `tools.${index}`,
): readonly Tool[] {
  if (names === undefined) return tools;
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const issues = names.flatMap((name, index) => (known.has(name) ? [] : [unknownTool(name, pathOf(index), tools)]));
  if (issues.length > 0) throw new InvalidRequestError(issues);
  return tools.filter(({ name }) => names.includes(name));
}

/** What is wrong with a name that no tool has, and which one may be meant. @param path where it stands. */
export function unknownTool(name: string, path: string, tools: readonly Tool[]): Issue {
  const known = tools.map((tool) => tool.name);
  const [near] = nearest(name, known, 1);
  const hint = near === undefined ? '; GET /api/chat/tools lists them' : `; did you mean ${JSON.stringify(near)}?`;
  return { path, message: `There is no tool ${JSON.stringify(name)}${hint}` };
}
