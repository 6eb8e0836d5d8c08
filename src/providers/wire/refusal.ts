import type { IncomingHttpHeaders } from 'node:http';
import { tryParseJson } from '../../core/json.ts';
import { AppError } from '../../errors.ts';
import type { Profile } from '../profiles.ts';
import type { ErrorReading } from '../protocols/protocol.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import { isRetryable, type Refusal, refusalError } from '../transport/failure.ts';
import type { Upstream } from '../transport/upstream.ts';
import { PROTOCOLS } from './wires.ts';

const MAX_ERROR_BYTES = 1024 * 1024;

/**
 * Reads an answer with an error status: the error for our caller, with the provider's own words, and whether
 * another try could help. Every provider's key is struck out of what it says.
 */
export async function readRefusal(
  profile: Profile,
  endpoint: Endpoint,
  upstream: Upstream,
): Promise<{ error: AppError; retryable: boolean }> {
  const { status, headers } = upstream;
  const text = await bodyIfReadable(upstream);
  if (status < 400) {
    const message = `${profile.name} answered with status ${status}; is the base URL ${endpoint.baseUrl} right?`;
    return { error: new AppError('provider_protocol', message), retryable: false };
  }
  const reading = PROTOCOLS[profile.wire].readError(tryParseJson(text)) ?? unreadable(status, text, endpoint);
  const source = { name: profile.name, secrets: endpoint.secrets };
  const error = refusedError(source, { status, reading, retryAfter: retryAfter(headers) });
  return { error, retryable: isRetryable(status, reading) };
}

/** The body of a refusal; '' if it breaks off, stalls or is too long: the status says enough then. */
async function bodyIfReadable(upstream: Upstream): Promise<string> {
  try {
    return await upstream.text(MAX_ERROR_BYTES);
  } catch (error) {
    const isBody = error instanceof AppError && /^provider_(unavailable|protocol|timeout)$/.test(error.code);
    if (isBody) return '';
    throw error;
  }
}

/** Whose words are read: the name for people, and what must not be seen. */
export interface Source {
  name: string;
  secrets: readonly string[];
}

/** What a provider reports, as the error that our caller gets, with the secrets struck out of its words. */
export function refusedError(source: Source, refusal: Omit<Refusal, 'provider'>): AppError {
  const { message, failedGeneration: failed, ...rest } = refusal.reading;
  const generation = failed === undefined ? {} : { failedGeneration: redact(failed, source) };
  const reading = { ...rest, message: redact(message, source), ...generation };
  return refusalError({ ...refusal, reading, provider: source.name });
}

function unreadable(status: number, text: string, endpoint: Endpoint): ErrorReading {
  const said = text.trim() === '' ? 'nothing' : isHtml(text) ? 'an HTML page' : text.trim().slice(0, 500);
  const where = status === 404 ? `; is the base URL ${endpoint.baseUrl} right?` : '';
  return { message: `status ${status} with ${redact(said, endpoint)}${where}`, kinds: [] };
}

/** Beyond this a provider's words are no message for a person any more, and there may be eleven attempts in one answer. */
const MAX_WORDS_CHARS = 2000;

/**
 * What may be shown of a provider's words: not the secrets, be they whole or cut off by the end of a text that was
 * shortened, and no more than fits a message.
 */
export function redact(text: string, { secrets }: Pick<Source, 'secrets'>): string {
  const clean = secrets.reduce(strike, text);
  return clean.length > MAX_WORDS_CHARS ? `${clean.slice(0, MAX_WORDS_CHARS)}…` : clean;
}

function strike(text: string, secret: string): string {
  const clean = text.replaceAll(secret, '[key]');
  for (let length = secret.length - 1; length >= 4; length--) {
    if (clean.endsWith(secret.slice(0, length))) return `${clean.slice(0, -length)}[key]`;
  }
  return clean;
}

/** Is this a page for people, as proxies and wrong addresses give? */
export function isHtml(text: string): boolean {
  return /^\s*<(!doctype|html)/i.test(text);
}

/** Seconds from `retry-after-ms` or `retry-after` (seconds or a date). */
export function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const ms = Number(headers['retry-after-ms']);
  if (headers['retry-after-ms'] !== undefined && Number.isFinite(ms)) return ms < 0 ? undefined : ms / 1000;
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : seconds;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
