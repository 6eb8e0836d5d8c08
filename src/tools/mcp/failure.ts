import { inErrors } from '../../core/redactor.ts';
import { AppError } from '../../errors.ts';
import { cleanText } from './untrusted-text.ts';

const MAX_CHARS = 1000;

/** What went wrong with a server, in words for a person or a model: bounded, and without known secrets. */
export function failureText(error: unknown): string {
  const status = statusOf(error);
  if (status === 401 || status === 403)
    return `it answered with the status ${status}: it wants other credentials than its headers have`;
  const text = status === undefined ? messageOf(error) : `it answered with the status ${status}: ${messageOf(error)}`;
  return cleanText(inErrors.redact(text), MAX_CHARS);
}

/**
 * The HTTP status of an answer that was no good; undefined if there was none. What a server says in an error of the
 * protocol is none, whatever it looks like.
 */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('data' in error) || !('code' in error)) return undefined;
  if (typeof error.code !== 'string' || !error.code.startsWith('CLIENT_HTTP_')) return undefined;
  const { data } = error;
  if (typeof data !== 'object' || data === null || !('status' in data)) return undefined;
  return typeof data.status === 'number' ? data.status : undefined;
}

function messageOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT' && 'path' in error)
    return `there is no program ${JSON.stringify(error.path)}, or no folder to start it in`;
  if ('code' in error && error.code === 'REQUEST_TIMEOUT') return 'it did not answer in time';
  if ('code' in error && error.code === 'CONNECTION_CLOSED') return 'the connection was closed';
  // What it answered does not fit the protocol; the details are of use to nobody who reads this.
  if (
    error.name.endsWith('ZodError') ||
    error instanceof SyntaxError ||
    error.message.startsWith('Invalid result for ')
  )
    return 'it answers, but it does not speak MCP at this address';
  return error.message;
}
