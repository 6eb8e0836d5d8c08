import type { HttpClient } from '../../providers/transport/client.ts';
import { type Finding, none, ok, warning } from './finding.ts';

const LIMIT_MS = 5000;
const MOST_BYTES = 1024 ** 2;
/** Certificates, sessions and leases bear this much. */
const MOST_SECONDS = 60;

/**
 * Holds this machine's clock against the first provider's that tells the time; no key is sent.
 * @param urls of providers that answer; none: nothing is found
 */
export async function examineClock(client: HttpClient, urls: readonly string[]): Promise<Finding[]> {
  for (const url of urls) {
    const skew = await skewOf(client, url).catch(() => undefined);
    if (skew === undefined) continue;
    const seconds = Math.round(Math.abs(skew) / 1000);
    const { host } = new URL(url);
    if (seconds <= MOST_SECONDS) return [ok('clock', `as that of ${host}`)];
    const says = `${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} that of ${host}`;
    return [warning('clock', says, 'set it; a time service (NTP) keeps it right')];
  }
  return urls.length === 0 ? [] : [none('clock', 'no provider tells the time')];
}

/** How far this clock is ahead, in milliseconds. A header has whole seconds. */
async function skewOf(client: HttpClient, url: string): Promise<number | undefined> {
  const begun = Date.now();
  const request = { method: 'GET', url, headers: {}, provider: 'the clock' } as const;
  const upstream = await client.send(request, AbortSignal.timeout(LIMIT_MS), { firstByte: LIMIT_MS });
  const middle = (begun + Date.now()) / 2;
  await upstream.text(MOST_BYTES).catch(() => '');
  const { date } = upstream.headers;
  const told = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(told) ? undefined : middle - told - 500;
}
