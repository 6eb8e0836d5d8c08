import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useId } from 'react';
import { ask } from '../api/server.ts';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { listQuery } from './model-list.ts';
import { providersChanged } from './provider-change.ts';
import { PROVIDERS_QUERY, type Provider } from './provider-status.ts';

/** Makes a provider the default, with a model of its own list; where it has none, with one that is typed. */
export function ProviderDefault({ provider }: { provider: Provider }): ReactNode {
  const id = useId();
  const { type, name } = provider;
  const queries = useQueryClient();
  const all = useQuery(PROVIDERS_QUERY).data;
  const list = useQuery({
    ...listQuery(type),
    // Who has not answered yet would only be waited for.
    enabled: provider.healthy === true,
  });
  const choose = useMutation({
    mutationFn: (model: string) =>
      ask<{ message: string }>('/api/chat/providers/default', {
        method: 'POST',
        body: { provider: type, ...(model === '' ? {} : { model }) },
      }),
    onSuccess: async ({ message }) => {
      toast(`${message}.`);
      await providersChanged(queries);
    },
  });
  const isDefault = all?.default === type;
  const current = (isDefault ? all.defaultModel : provider.defaultModel) ?? '';
  const models = list.data?.models.map((model) => model.id) ?? [];
  const options = current === '' || models.includes(current) ? models : [current, ...models];
  const onSubmit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const model = new FormData(event.currentTarget).get('model');
    choose.mutate(typeof model === 'string' ? model.trim() : '');
  };
  return (
    <form className="stack" onSubmit={onSubmit}>
      <label htmlFor={id}>As the default, answer with</label>
      <div className="row">
        <span className="grow">
          {list.isPending && <span className="muted">{name} is being asked for its models…</span>}
          {!list.isPending && options.length > 0 && (
            <select key={current} id={id} name="model" defaultValue={current}>
              {options.map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          )}
          {!list.isPending && options.length === 0 && <input id={id} name="model" required spellCheck={false} />}
        </span>
        <button type="submit" disabled={choose.isPending || list.isPending}>
          {isDefault ? 'Set the model' : 'Make default'}
        </button>
      </div>
      <Problem error={choose.error ?? list.error} />
    </form>
  );
}
