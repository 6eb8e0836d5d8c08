import { AppError } from '../errors.ts';

/**
 * Reads an address that a model or a server has given. Names of any spelling come out in their one form: a host of
 * numbers as the address that it is, others in lower case and Punycode.
 * @param base where it was found, if it may be relative.
 * @throws AppError `invalid_request`: no URL, not of http or https, or with a name or a password.
 */
export function readHttpUrl(given: string | URL, base?: URL): URL {
  const url = URL.parse(String(given), base?.href);
  if (!url) throw refused(`${quoted(String(given))} is not a URL; give one that begins with https://`);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refused(`${quoted(url.protocol)} URLs are not fetched, only https: and http:`);
  // Never shown: what stands there may be a secret.
  if (url.username !== '' || url.password !== '')
    throw refused(`The URL of ${quoted(url.host)} has a name or a password in it; give it without`);
  return url;
}

/** The port that a URL means. */
export function portOf({ protocol, port }: Pick<URL, 'protocol' | 'port'>): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function refused(message: string): AppError {
  return new AppError('invalid_request', message);
}

/** A whole book may stand there. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
