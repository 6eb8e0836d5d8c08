import { AppError } from '../errors.ts';

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'could not be reached in time',
  UND_ERR_HEADERS_TIMEOUT: 'did not begin to answer in time',
  UND_ERR_BODY_TIMEOUT: 'fell silent in the middle of its answer',
};

/**
 * Says what went wrong with a request, without what was sent.
 * @param host whose request it was.
 */
export function failureOf(error: unknown, host: string): AppError {
  const chain = chainOf(error);
  const known = chain.find((one) => one instanceof AppError);
  if (known) return known;
  const last = chain.at(-1);
  const code = last && 'code' in last ? String(last.code) : '';
  const timeout = TIMEOUTS[code];
  if (timeout !== undefined) return new AppError('provider_timeout', `${host} ${timeout}`);
  if (last?.message === 'bad port')
    return new AppError('forbidden', `${host}: that port is for another protocol than HTTP, and is not reached`);
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return new AppError('provider_protocol', `${host} answered with more headers than are read`);
  if (code.startsWith('HPE_')) return new AppError('provider_protocol', `${host} did not answer in HTTP (${code})`);
  if (/^Z_|^ERR_BROTLI|^ERR_PADDING|^ZSTD_|^ERR__ERROR/.test(code) || last?.message.includes('content-encodings'))
    return new AppError('provider_protocol', `${host} answered with what cannot be decompressed`);
  if (/CERT|TLS|SSL|SIGNED/.test(code))
    return new AppError(
      'provider_unavailable',
      `${host} could not be reached safely: its certificate or TLS is bad (${code})`,
    );
  return new AppError('provider_unavailable', `${host} broke the connection off (${code || 'no reason given'})`);
}

function chainOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && chain.length < 10; at = at.cause) chain.push(at);
  return chain;
}
