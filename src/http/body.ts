import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { tryParseJson } from '../core/json.ts';
import { AppError } from '../errors.ts';

/** How long a body may be, in bytes, and whether that is so whatever the settings say. */
export interface BodyLimit {
  limit: number;
  isFixed: boolean;
}

/**
 * Reads a request's JSON body; undefined if there is none.
 * @throws AppError `too_large`, `unsupported_media_type` or `invalid_json`.
 */
export async function readJsonBody(request: IncomingMessage, limit: BodyLimit): Promise<unknown> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new AppError('unsupported_media_type', `The body must not be compressed (content-encoding: ${encoding})`);
  }
  const text = await readText(request, limit);
  if (text.trim() === '') return undefined;
  const declared = isJsonType(request.headers['content-type']);
  if (!declared && !mayOmitType(request, text)) {
    throw new AppError(
      'unsupported_media_type',
      `The body must be JSON with content-type: application/json, not ${request.headers['content-type'] ?? 'without a content type'}`,
    );
  }
  const value = tryParseJson(text);
  if (value === undefined) throw new AppError('invalid_json', `The body is not valid JSON: ${whyNotJson(text)}`);
  return value;
}

async function readText(request: IncomingMessage, { limit, isFixed }: BodyLimit): Promise<string> {
  const tooLarge = (): AppError =>
    new AppError(
      'too_large',
      `The body is larger than ${limit} bytes${isFixed ? '' : '; PROFCLAW_BODY_LIMIT allows more'}`,
      {
        details: { limit },
      },
    );
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  return await new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) chunks.push(chunk);
      else {
        request.removeAllListeners('data').pause();
        reject(tooLarge());
      }
    });
    request.on('end', () => {
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      if (isUtf8(body)) resolve(body.toString('utf8'));
      else reject(new AppError('invalid_json', 'The body is not valid UTF-8'));
    });
    request.on('error', (cause) => reject(new AppError('cancelled', 'The request broke off', { cause })));
    request.on('close', () => {
      if (!request.readableEnded) reject(new AppError('cancelled', 'The request broke off'));
    });
  });
}

function isJsonType(type: string | undefined): boolean {
  return type !== undefined && /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type);
}

/**
 * `curl -d` without a header sends a form type. Read it as JSON if that is what it is and no cookie comes along:
 * a web page of another site can send forms with cookies, but never JSON types, without being asked first.
 */
function mayOmitType(request: IncomingMessage, text: string): boolean {
  const type = request.headers['content-type'];
  const isForm = type === undefined || /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type);
  return isForm && request.headers.cookie === undefined && /^\s*[{[]/.test(text);
}

function whyNotJson(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
