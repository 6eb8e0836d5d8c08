import { numberOf, textOf } from './budget-words.ts';

/** What a form says of a new server, or what is wrong with one of its fields. */
export type McpDraft = { body: Record<string, unknown> } | { path: string; problem: string };

/** Reads the form of a new server. Headers and variables stand one a line: `name: value`, `NAME=value`. */
export function mcpDraftOf(form: FormData, type: 'http' | 'stdio'): McpDraft {
  const timeout = numberOf(form, 'timeout');
  const common = { name: textOf(form, 'name'), ...(timeout === undefined ? {} : { timeout }) };
  if (type === 'http') {
    const headers = pairsOf(textOf(form, 'headers'), ':');
    if (typeof headers === 'string')
      return { path: 'headers', problem: `needs “name: value” in each line: ${headers}` };
    const given = Object.keys(headers).length === 0 ? {} : { headers };
    return { body: { ...common, url: textOf(form, 'url'), ...given } };
  }
  const env = pairsOf(textOf(form, 'env'), '=');
  if (typeof env === 'string') return { path: 'env', problem: `needs “NAME=value” in each line: ${env}` };
  const args = linesOf(textOf(form, 'args'));
  return {
    body: {
      ...{ ...common, command: textOf(form, 'command') },
      ...(args.length === 0 ? {} : { args }),
      ...(Object.keys(env).length === 0 ? {} : { env }),
    },
  };
}

/** @returns what is in the lines, or the first line that is no pair. */
function pairsOf(text: string, separator: string): Record<string, string> | string {
  const pairs: Record<string, string> = {};
  for (const line of linesOf(text)) {
    const at = line.indexOf(separator);
    if (at < 1) return line;
    pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return pairs;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
