import type { z } from 'zod';
import type { Issue } from '../errors.ts';

type ZodIssue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * A schema's complaints as a caller gets them: each with the path of what is wrong, unknown fields one by one, and of
 * a union the complaints of the form that was meant.
 * @param where the first part of every path: `path`, `query` or '' for the body.
 */
export function toIssues(issues: readonly ZodIssue[], where: string): Issue[] {
  return issues.flatMap((issue) => one(issue, where === '' ? [] : [where]));
}

function one(issue: ZodIssue, before: Path): Issue[] {
  const path = [...before, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => said([...path, key], 'there is no such field'));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => said(path, message));
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [said(path, messageOf(issue))];
  // A form whose complaints all lie deeper is the one that was meant: the others refuse the value as a whole.
  const meant = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
  if (meant) return meant.flatMap((inner) => one(inner, path));
  const messages = issue.errors.flatMap((branch) => branch.slice(0, 1).map(messageOf));
  return [said(path, [...new Set(messages)].join(', or '))];
}

/** The schema's own words, without those that only a programmer of it understands. */
function messageOf({ message }: ZodIssue): string {
  return /received undefined$/.test(message) ? 'is missing' : message.replace(/^Invalid input: /, '');
}

function said(path: Path, message: string): Issue {
  return { path: path.length === 0 ? 'body' : path.map((key) => (key === '' ? '""' : String(key))).join('.'), message };
}
