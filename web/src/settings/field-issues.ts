import { RequestError } from '../../../src/client/client.ts';

interface Issue {
  path: string;
  message: string;
}

/** What is wrong with a form, by its fields. */
export interface FieldIssues {
  /** What is wrong with a field, by its path in the request; undefined: nothing. */
  at(path: string): string | undefined;
  /** What belongs to none of the form's fields, as an error to be shown for the whole. */
  rest: Error | undefined;
}

/**
 * Sorts what the server refuses to the fields of a form.
 * @param paths those of its fields; what is wrong below one of them counts for it.
 */
export function issuesOf(error: unknown, paths: readonly string[]): FieldIssues {
  const issues = error instanceof RequestError ? readIssues(error.details.issues) : [];
  const fieldOf = ({ path }: Issue): string | undefined =>
    paths.find((one) => path === one || path.startsWith(`${one}.`));
  const others = issues.filter((issue) => fieldOf(issue) === undefined);
  const at = (path: string): string | undefined => {
    const messages = issues.filter((issue) => fieldOf(issue) === path).map(({ message }) => message);
    return messages.length === 0 ? undefined : messages.join('; ');
  };
  if (!(error instanceof Error)) return { at, rest: undefined };
  if (issues.length === 0) return { at, rest: error };
  if (others.length === 0) return { at, rest: undefined };
  return { at, rest: new Error(others.map(({ path, message }) => `${path}: ${message}`).join('; ')) };
}

function readIssues(given: unknown): readonly Issue[] {
  if (!Array.isArray(given)) return [];
  return given.filter(
    (one: Partial<Issue> | null): one is Issue => typeof one?.path === 'string' && typeof one.message === 'string',
  );
}
