import { useQueryClient } from '@tanstack/react-query';
import { ask } from '../api/server.ts';
import { providersChanged } from '../settings/provider-change.ts';

/** @returns makes a provider the default, with a model or its own, and has everything that shows it asked for again. */
export function useDefault(): (provider: string, model?: string) => Promise<void> {
  const queries = useQueryClient();
  return async (provider, model) => {
    const body = { provider, ...(model === undefined ? {} : { model }) };
    await ask('/api/chat/providers/default', { method: 'POST', body });
    await providersChanged(queries);
  };
}
