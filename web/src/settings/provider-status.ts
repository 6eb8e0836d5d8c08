import { queryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';

/** A provider as `GET /api/chat/providers` tells of it. */
export interface Provider {
  type: string;
  name: string;
  configured: boolean;
  enabled: boolean;
  /** Null: not asked yet. */
  healthy: boolean | null;
  message: string;
  latencyMs: number | null;
  checkedAt: string | null;
  defaultModel: string | null;
  baseUrl: string | null;
  /** Null: it has none. */
  keyFrom: 'environment' | 'stored' | null;
  /** There are settings that can be forgotten. */
  stored: boolean;
  /** What else is in force, without what may be secret. */
  settings: {
    readonly [name: string]: string | false | readonly string[] | undefined;
    headerNames?: readonly string[];
  };
}

/** All providers, and which of them answers requests that name none. */
export interface Providers {
  default: string;
  /** Null: only the provider could tell. */
  defaultModel: string | null;
  providers: Provider[];
}

/** How a provider is doing, in words. */
export interface ProviderState {
  tone: 'good' | 'warn' | 'bad' | 'muted';
  text: string;
}

/** How often the list is asked for while the page is seen, in milliseconds; sooner while health is being found out. */
const REFRESH_MS = 15_000;
const REFRESH_UNKNOWN_MS = 1500;

/** The question for all providers. The server never waits for one, so what is not known yet comes a little later. */
export const PROVIDERS_QUERY = queryOptions({
  queryKey: KEYS.providers,
  queryFn: ({ signal }) => ask<Providers>('/api/chat/providers', { signal }),
});

/** All providers, asked for again while the page is seen. @param everyMs how often, in milliseconds */
export function useProviders(everyMs = REFRESH_MS): UseQueryResult<Providers> {
  return useQuery({
    ...PROVIDERS_QUERY,
    refetchInterval: ({ state: { data } }) =>
      data?.providers.some(({ configured, healthy }) => configured && healthy === null) ? REFRESH_UNKNOWN_MS : everyMs,
  });
}

/** How a provider is doing, for a person. */
export function stateOf({ type, configured, enabled, healthy, latencyMs }: Provider): ProviderState {
  if (!enabled) return { tone: 'muted', text: 'Switched off' };
  if (!configured) return { tone: 'muted', text: 'Not set up' };
  if (type === 'demo') return { tone: 'good', text: 'Built in' };
  if (healthy === null) return { tone: 'muted', text: 'Being asked…' };
  // Ollama needs no settings, so it is configured before anybody has heard of it.
  if (!healthy)
    return type === 'ollama' ? { tone: 'muted', text: 'Not running' } : { tone: 'bad', text: 'Does not answer' };
  return { tone: 'good', text: latencyMs === null ? 'Works' : `Works, ${latencyMs} ms` };
}

/** What a request that names no model goes to, as `provider/model`, or `demo`; undefined as long as nothing is known. */
export function defaultName(providers: Providers | undefined): string | undefined {
  if (providers === undefined) return undefined;
  return providers.defaultModel === null || providers.default === 'demo'
    ? providers.default
    : `${providers.default}/${providers.defaultModel}`;
}
