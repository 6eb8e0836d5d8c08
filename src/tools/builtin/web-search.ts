import { z } from 'zod';
import { tryParseJson } from '../../core/json.ts';
import { Redactor } from '../../core/redactor.ts';
import { guardedFetch } from '../../network/guarded-fetch.ts';
import type { Lookup } from '../../network/resolve.ts';
import { defineTool, type Tool } from '../tool.ts';
import { htmlText } from '../web/html-text.ts';
import { SEARCH_VENDORS, type SearchResult, type SearchVendor } from '../web/search-vendor.ts';

/** The operator's choice. */
export interface WebSearchOptions {
  provider: keyof typeof SEARCH_VENDORS;
  key: string;
  /** In place of the service's own: a host that speaks as it does, also a private one. */
  baseUrl?: string | undefined;
}

const DEFAULT_RESULTS = 8;
const MAX_RESULTS = 20;
const LIMIT_MS = 20_000;
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_TITLE = 200;
const MAX_URL = 2000;
const MAX_SNIPPET = 600;
const MAX_PROBLEM = 300;

/**
 * Makes the tool that searches the web with the service of the operator's choice, whose host needs no rule.
 * @param lookup who is asked for addresses; the system's resolver if it is not given.
 */
export function webSearchTool(options: WebSearchOptions, lookup?: Lookup): Tool {
  const secrets = new Redactor();
  secrets.set('key', [options.key]);
  return defineTool({
    name: 'web_search',
    description: 'Searches the web. Gives titles, URLs and snippets; web_fetch reads a page.',
    level: 'moderate',
    effect: 'read',
    isForSandbox: false,
    input: z.strictObject({
      query: z.string().trim().min(1).max(400),
      maxResults: z.int().min(1).max(MAX_RESULTS).default(DEFAULT_RESULTS),
    }),
    run: async ({ query, maxResults }, { signal }) => {
      try {
        const found = await search({ ...options, lookup }, query, maxResults, signal);
        return { text: secrets.redact(await describe(found.slice(0, maxResults))), isError: false };
      } catch (error) {
        signal.throwIfAborted();
        return { text: secrets.redact(error instanceof Error ? error.message : String(error)), isError: true };
      }
    },
  });
}

async function search(
  { provider, key, baseUrl, lookup }: WebSearchOptions & { lookup: Lookup | undefined },
  query: string,
  count: number,
  signal: AbortSignal,
): Promise<SearchResult[]> {
  const vendor: SearchVendor = SEARCH_VENDORS[provider];
  const { path, ...request } = vendor.request(query, count, key);
  const url = new URL(path, baseUrl ?? vendor.baseUrl);
  const fetch = guardedFetch({
    hostRule: (host) => (host !== url.hostname ? 'deny' : baseUrl === undefined ? 'allow' : 'exact'),
    // The key is for one host.
    mayFollow: () => false,
    bounds: { totalMs: LIMIT_MS, maxBytes: MAX_BYTES },
    lookup,
  });
  const response = await fetch(url, {
    ...request,
    headers: { accept: 'application/json', ...request.headers },
    signal,
  });
  const body = tryParseJson(await response.text());
  if (response.status !== 200) throw new Error(refusal(vendor, response, body));
  if (body === undefined) throw new Error(`${vendor.name} did not answer in JSON`);
  return vendor.results(body);
}

function refusal({ name, problem }: SearchVendor, { status, headers }: Response, body: unknown): string {
  const said = problem(body).slice(0, MAX_PROBLEM);
  const why = said === '' ? '' : `: ${said}`;
  if (status === 401 || status === 403)
    return `${name} refuses its key (status ${status})${why}. The operator has to set another.`;
  const wait = /^\d{1,6}$/.exec(headers.get('retry-after') ?? '');
  if (status === 429)
    return `${name} wants fewer searches${wait ? `, and none for ${wait[0]} s` : ''} (status 429)${why}`;
  return `${name} answered with the status ${status}${why}`;
}

async function describe(found: readonly SearchResult[]): Promise<string> {
  const shown = found.filter(({ url }) => /^https?:\/\//i.test(url) && url.length <= MAX_URL);
  const texts = await Promise.all(shown.map(textOf));
  return texts.length === 0 ? 'Nothing was found.' : texts.join('\n\n');
}

async function textOf({ title, url, snippet }: SearchResult, index: number): Promise<string> {
  const name = (await plain(title, MAX_TITLE)) || 'No title';
  const said = await plain(snippet, MAX_SNIPPET);
  const lines = [`${index + 1}. ${name}`, url.replace(/\s/g, '%20'), ...(said === '' ? [] : [said])];
  return lines.join('\n   ');
}

/** On one line: services mark words up. */
async function plain(html: string, maxChars: number): Promise<string> {
  const { text } = await htmlText(html.slice(0, 10 * maxChars), 'https://search.invalid/');
  const line = text.replace(/\s+/g, ' ');
  return line.length > maxChars ? `${line.slice(0, maxChars)}…` : line;
}
