import { useQueries, useQuery } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { listQuery } from './model-list.ts';
import { type Model, type ModelRows, type Models, modelRows } from './model-rows.ts';
import { defaultName, type Provider, useProviders } from './provider-status.ts';

/** How long the catalogue is good, in milliseconds: there is a lot of it, and it seldom changes. */
const FRESH_MS = 60_000;

const NO_MODELS: Models = { models: [], aliases: {} };

/** What a model picker shows. Nothing but the default is asked for until it is open. @param typed filters */
export function useModelRows(
  isOpen: boolean,
  typed: string,
): { rows: ModelRows; defaultText: string; isPending: boolean; error: unknown } {
  const { data, error } = useProviders();
  const providers = data?.providers ?? [];
  const defaultText = defaultName(data) ?? 'as the server is set';
  const models = useQuery({
    queryKey: KEYS.models,
    queryFn: ({ signal }) => ask<Models>('/api/chat/models', { signal }),
    staleTime: FRESH_MS,
    enabled: isOpen,
  });
  const lists = useLists(isOpen ? providers : []);
  const rows = modelRows(models.data ?? NO_MODELS, lists, providers, defaultText, typed);
  return { rows, defaultText, isPending: models.isPending, error: models.error ?? error };
}

/** The own lists of the providers that answer, as far as they are there already. */
function useLists(providers: readonly Provider[]): Record<string, readonly Model[]> {
  const types = providers.filter(({ configured, healthy }) => configured && healthy === true).map(({ type }) => type);
  return useQueries({
    queries: types.map((type) => listQuery(type)),
    combine: (all) => Object.fromEntries(all.map(({ data }, index) => [types[index], data?.models ?? []])),
  });
}
