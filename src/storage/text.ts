import { InvalidRequestError, type Issue } from '../errors.ts';

/**
 * Throws an InvalidRequestError naming every field (`labels.2` within a list) whose text no PostgreSQL can store: NUL
 * characters, and surrogates without their other half. SQLite could keep the former, but both databases take the same.
 * Fields that are neither text nor lists of text are passed over.
 */
export function requireStorable(fields: object): void {
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') collect(issues, name, value);
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) collect(issues, `${name}.${i}`, item);
  }
  if (issues.length > 0) throw new InvalidRequestError(issues);
}

/** Whether a row can have this id at all. Asking PostgreSQL for one with a NUL would be an error, not "no such row". */
export function isStorable(text: string): boolean {
  return problemOf(text) === undefined;
}

function collect(issues: Issue[], path: string, value: unknown): void {
  const message = typeof value === 'string' ? problemOf(value) : undefined;
  if (message !== undefined) issues.push({ path, message });
}

function problemOf(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain NUL characters';
  if (!text.isWellFormed()) return 'must be well-formed Unicode (it contains a lone surrogate)';
  return undefined;
}
