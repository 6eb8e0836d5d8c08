import { getSystemErrorMap } from 'node:util';

/** Is it the system that says that nothing has this name? */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** The system's word for what went wrong: `EACCES`; undefined if it is not the system that says so. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What went wrong, without the path, which is one that the model could do nothing with: `permission denied`. */
export function reasonOf(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  for (const [name, message] of getSystemErrorMap().values()) if (name === code) return message;
  return code;
}
