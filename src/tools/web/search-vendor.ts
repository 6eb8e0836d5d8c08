import { asArray, asObject, asString } from '../../core/json.ts';

/** What a search has found. */
export interface SearchResult {
  title: string;
  url: string;
  snippet: string;
}

/** How one service is asked, and answers. */
export interface SearchVendor {
  name: string;
  baseUrl: string;
  /** @param count how many results at most. */
  request(query: string, count: number, key: string): SearchRequest;
  /** @param body the answer, as JSON. */
  results(body: unknown): SearchResult[];
  /** What a refusal says; '' if that cannot be told. */
  problem(body: unknown): string;
}

/** Below the base URL. */
export interface SearchRequest {
  path: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
}

/** https://api-dashboard.search.brave.com/app/documentation/web-search/get-started */
const brave: SearchVendor = {
  name: 'Brave Search',
  baseUrl: 'https://api.search.brave.com',
  request: (query, count, key) => ({
    path: `/res/v1/web/search?${new URLSearchParams({ q: query, count: String(count), text_decorations: 'false' })}`,
    method: 'GET',
    headers: { 'x-subscription-token': key },
  }),
  results: (body) =>
    asArray(asObject(asObject(body).web).results).map((item) => {
      const { title, url, description } = asObject(item);
      return { title: asString(title), url: asString(url), snippet: asString(description) };
    }),
  problem: (body) => asString(asObject(asObject(body).error).detail),
};

/** https://docs.tavily.com/documentation/api-reference/endpoint/search */
const tavily: SearchVendor = {
  name: 'Tavily',
  baseUrl: 'https://api.tavily.com',
  request: (query, count, key) => ({
    path: '/search',
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, max_results: count }),
  }),
  results: (body) =>
    asArray(asObject(body).results).map((item) => {
      const { title, url, content } = asObject(item);
      return { title: asString(title), url: asString(url), snippet: asString(content) };
    }),
  problem: (body) => {
    const { detail } = asObject(body);
    return asString(detail) || asString(asObject(detail).error);
  },
};

/** The services that can be asked. */
export const SEARCH_VENDORS = { brave, tavily } as const;
