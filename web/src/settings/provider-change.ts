import type { QueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { PROVIDERS_QUERY } from './provider-status.ts';

/** Has all asked for again that depends on the providers, after one was changed; the lists only of those that answer. */
export async function providersChanged(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ queryKey: KEYS.providers });
  const providers = queries.getQueryData(PROVIDERS_QUERY.queryKey)?.providers ?? [];
  await queries.invalidateQueries({
    queryKey: KEYS.models,
    predicate: ({ queryKey: [, , type] }) =>
      type === undefined || providers.some((one) => one.type === type && one.healthy === true),
  });
}
