import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../api/server.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Problem } from '../ui/problem.tsx';
import { providersChanged } from './provider-change.ts';
import type { Provider } from './provider-status.ts';

interface Health {
  healthy: boolean;
  message: string;
  latencyMs: number | null;
}

/** What can be done with a provider besides its settings: ask it, switch it off and on, forget it. */
export function ProviderActions({ provider }: { provider: Provider }): ReactNode {
  const { type, name, configured, enabled, stored } = provider;
  const [isAsked, setAsked] = useState(false);
  const queries = useQueryClient();
  const path = `/api/chat/providers/${type}`;
  const onSuccess = (): Promise<void> => providersChanged(queries);
  const test = useMutation({
    mutationFn: () => ask<Health>(`${path}/health`, { method: 'POST', body: {} }),
    onSuccess,
  });
  const turn = useMutation({
    mutationFn: (isOn: boolean) => ask(`${path}/configure`, { method: 'POST', body: { enabled: isOn } }),
    onSuccess: async () => {
      test.reset();
      await onSuccess();
    },
  });
  const forget = useMutation({ mutationFn: () => ask(path, { method: 'DELETE' }), onSuccess });
  return (
    <div className="stack providers-actions">
      <div className="row">
        {configured && (
          <button type="button" disabled={test.isPending} onClick={() => test.mutate()}>
            {test.isPending ? 'Asking…' : 'Test'}
          </button>
        )}
        <button type="button" disabled={turn.isPending} onClick={() => turn.mutate(!enabled)}>
          {enabled ? 'Switch off' : 'Switch on'}
        </button>
        {stored && (
          <button type="button" className="danger" onClick={() => setAsked(true)}>
            Forget
          </button>
        )}
        <span role="status">{test.data && <Answer health={test.data} />}</span>
      </div>
      <Problem error={test.error ?? turn.error} />
      {isAsked && (
        <Confirm
          title={`Forget the settings of ${name}?`}
          action="Forget"
          onConfirm={() => forget.mutateAsync()}
          onClose={() => setAsked(false)}
        >
          Its key and all that was set here are deleted. What comes from the environment stays.
        </Confirm>
      )}
    </div>
  );
}

function Answer({ health: { healthy, message, latencyMs } }: { health: Health }): ReactNode {
  if (!healthy) return <span className="bad">{message}</span>;
  return <span className="good">{latencyMs === null ? 'It works' : `It works: answered in ${latencyMs} ms`}</span>;
}
