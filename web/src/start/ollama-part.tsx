import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useId } from 'react';
import { ask } from '../api/server.ts';
import { listQuery } from '../settings/model-list.ts';
import { providersChanged } from '../settings/provider-change.ts';
import { KEY_PAGES } from '../settings/provider-links.ts';
import type { Provider } from '../settings/provider-status.ts';
import { Problem } from '../ui/problem.tsx';
import { useDefault } from './use-default.ts';

/** Ollama, which is found by itself: a model of its list becomes the default. */
export function OllamaPart({ provider, onReady }: { provider: Provider | undefined; onReady: () => void }): ReactNode {
  const isRunning = provider?.healthy === true;
  return (
    <div className="card">
      <h3>With Ollama, on your own machine</h3>
      {isRunning && <Running address={provider.baseUrl} onReady={onReady} />}
      {!isRunning && <Missing provider={provider} />}
    </div>
  );
}

function Missing({ provider }: { provider: Provider | undefined }): ReactNode {
  const queries = useQueryClient();
  const look = useMutation({
    mutationFn: () => ask('/api/chat/providers/ollama/health', { method: 'POST', body: {} }),
    onSettled: () => providersChanged(queries),
  });
  if (provider === undefined || provider.healthy === null)
    return (
      <p className="small muted" role="status">
        Looking for it…
      </p>
    );
  return (
    <div className="row">
      <span className="small grow">
        It is not running{provider.baseUrl === null ? '' : ` at ${provider.baseUrl}`}. Start it with{' '}
        <code>ollama serve</code> (
        <a href={KEY_PAGES.ollama} target="_blank" rel="noopener noreferrer">
          get Ollama
        </a>
        ).
      </span>
      <button type="button" disabled={look.isPending} onClick={() => look.mutate()}>
        Look again
      </button>
    </div>
  );
}

function Running({ address, onReady }: { address: string | null; onReady: () => void }): ReactNode {
  const id = useId();
  const makeDefault = useDefault();
  const list = useQuery(listQuery('ollama'));
  const use = useMutation({ mutationFn: (model: string) => makeDefault('ollama', model), onSuccess: onReady });
  const models = list.data?.models.map((model) => model.id) ?? [];
  const onSubmit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const model = new FormData(event.currentTarget).get('model');
    if (typeof model === 'string' && !use.isPending) use.mutate(model);
  };
  if (list.isPending) return <p className="small muted">It is running. Its models are being listed…</p>;
  if (list.error) return <Problem error={list.error} onRetry={() => void list.refetch()} />;
  if (models.length === 0)
    return (
      <p className="small">
        It is running, but has no model yet: <code>ollama pull llama3.2</code>, then{' '}
        <button type="button" onClick={() => void list.refetch()}>
          look again
        </button>
      </p>
    );
  return (
    <form className="stack" onSubmit={onSubmit} aria-label="With Ollama">
      <p className="small">
        <span className="good">It is running</span>
        {address === null ? '' : ` at ${address}`}.
      </p>
      <div className="row">
        <label htmlFor={id}>Ollama model</label>
        <span className="grow">
          <select id={id} name="model">
            {models.map((model) => (
              <option key={model}>{model}</option>
            ))}
          </select>
        </span>
        <button type="submit" className="primary" disabled={use.isPending}>
          Use it
        </button>
      </div>
      <Problem error={use.error} />
    </form>
  );
}
