import { AppError } from '../errors.ts';
import { readHttpUrl } from './http-url.ts';

/** A request that can be sent again. */
export interface PlainRequest {
  url: URL;
  method: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | undefined;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** What another origin may be told; all else may be a secret of the first one. */
const FOR_ANYBODY: readonly string[] = ['accept', 'accept-language', 'content-type', 'user-agent'];
const OF_BODIES: readonly string[] = ['content-type', 'content-encoding', 'content-language', 'content-location'];

/**
 * The request that an answer redirects to, as the Fetch standard makes it, but that another origin gets none but the
 * plainest headers; undefined: it is no redirect.
 * @throws AppError `invalid_request`: it leads to what is never fetched; `forbidden`: from https to http.
 */
export function redirected(request: PlainRequest, status: number, location: string | null): PlainRequest | undefined {
  if (!REDIRECTS.includes(status) || location === null) return undefined;
  // Header values are bytes, and these usually UTF-8.
  const url = readHttpUrl(Buffer.from(location, 'latin1').toString('utf8'), request.url);
  if (request.url.protocol === 'https:' && url.protocol === 'http:')
    throw new AppError(
      'forbidden',
      `${request.url.host} leads from https to http (${url.host}), which is not followed`,
    );
  if (url.hash === '') url.hash = request.url.hash;
  const isGet =
    (status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    (status < 303 && request.method === 'POST');
  const isSame = url.origin === request.url.origin;
  const headers = new Headers(
    [...request.headers].filter(
      ([name]) => (isSame || FOR_ANYBODY.includes(name)) && !(isGet && OF_BODIES.includes(name)),
    ),
  );
  return { url, headers, method: isGet ? 'GET' : request.method, body: isGet ? undefined : request.body };
}
