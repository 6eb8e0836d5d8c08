import { queryOptions } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { Model } from './model-rows.ts';

/** How long a list is good, in milliseconds; the server keeps it for five minutes. */
const FRESH_MS = 60_000;

/** The question for a provider's own list of models. */
export function listQuery(type: string) {
  return queryOptions({
    queryKey: [...KEYS.models, 'of', type],
    queryFn: ({ signal }) => ask<{ models: Model[] }>(`/api/chat/providers/${type}/models`, { signal }),
    staleTime: FRESH_MS,
  });
}
