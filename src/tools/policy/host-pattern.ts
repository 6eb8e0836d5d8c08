/** What a rule says of hosts. */
export interface HostPattern {
  /** @param host a name or an address, as `URL.hostname` gives it. */
  matches(host: string, port: number): boolean;
  /** Does it name one host, without a wildcard? */
  isExact: boolean;
}

/**
 * Reads `example.com` (this host), `*.example.com` (all below it, however deep, and not itself) or `*` (all), each with a
 * port or without.
 * @throws Error that says what is wrong with it.
 */
export function compileHost(pattern: string): HostPattern {
  const { host, port } = split(pattern);
  const isPort = (given: number): boolean => port === undefined || given === port;
  if (host === '*') return { matches: (_, given) => isPort(given), isExact: false };
  const isWild = host.startsWith('*.');
  const name = nameOf(isWild ? host.slice(2) : host, pattern);
  if (isWild && /^[\d.]+$|^\[/.test(name))
    throw new Error(`${JSON.stringify(pattern)}: an address has nothing below it`);
  const isHost = isWild ? (given: string) => given.endsWith(`.${name}`) : (given: string) => given === name;
  return { matches: (given, number) => isHost(withoutDot(given)) && isPort(number), isExact: !isWild };
}

function split(pattern: string): { host: string; port: number | undefined } {
  const [, host = '', digits] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(pattern) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (host === '' || port === 0 || (port ?? 0) > 65_535)
    throw new Error(`${JSON.stringify(pattern)} is not a host: example.com, *.example.com or example.com:8080`);
  return { host, port };
}

/** As URLs have it: lower case, Punycode, addresses in their one form. */
function nameOf(host: string, pattern: string): string {
  const url = host.includes('*') || /[/?#@\\\s]/.test(host) ? null : URL.parse(`http://${host}`);
  if (!url || url.hostname === '')
    throw new Error(`${JSON.stringify(pattern)} is not a host; a * stands only at its beginning, as in *.example.com`);
  return withoutDot(url.hostname);
}

/** `example.com.` is the same host. */
function withoutDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
