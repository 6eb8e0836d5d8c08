/**
 * Is it the same host to whoever allowed it: with or without `www.`, over http or https? Names below one another may
 * belong to different people (`a.github.io`), and which do takes a list that changes every week: they are not the same.
 */
export function isSameSite(one: URL, other: URL): boolean {
  const hasUsualPorts = one.port === '' && other.port === '';
  return hasUsualPorts ? withoutWww(one) === withoutWww(other) : one.host === other.host;
}

function withoutWww({ hostname }: URL): string {
  return hostname.replace(/\.$/, '').replace(/^www\.(?=.+\.)/, '');
}
