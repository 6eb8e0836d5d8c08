import { Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useMay } from '../login/use-me.ts';
import { Problem } from '../ui/problem.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { ProviderAdd } from './provider-add.tsx';
import { ProviderRow } from './provider-row.tsx';
import { defaultName, type Provider, type Providers, useProviders } from './provider-status.ts';

import './providers.css';

/** All providers: how they are doing, their settings, and which of them answers when none is named. */
export function ProvidersSection(): ReactNode {
  const { data, error, isPending, refetch } = useProviders();
  const [isAdding, setAdding] = useState(false);
  const mayChange = useMay('providers:write');
  return (
    <section aria-labelledby="providers-title" className="stack">
      <div className="row">
        <h2 id="providers-title" className="grow">
          Providers
        </h2>
        {mayChange && (
          <button type="button" onClick={() => setAdding(true)}>
            <Plus size={16} aria-hidden="true" />
            Add a provider
          </button>
        )}
      </div>
      {isPending && <Spinner label="Loading…" />}
      <Problem error={data ? undefined : error} onRetry={() => void refetch()} />
      {data && <Lists data={data} mayChange={mayChange} />}
      {isAdding && <ProviderAdd onClose={() => setAdding(false)} />}
    </section>
  );
}

function Lists({ data, mayChange }: { data: Providers; mayChange: boolean }): ReactNode {
  const { providers } = data;
  // Found once: a row must not move away from who is working on it.
  const [first] = useState(() => providers.filter((one) => isSetUp(one, data.default)).map(({ type }) => type));
  const isFirst = ({ type }: Provider): boolean => first.includes(type) || type.startsWith('custom:');
  const rows = (some: readonly Provider[]): ReactNode =>
    some.map((provider) => (
      <ProviderRow
        key={provider.type}
        provider={provider}
        isDefault={provider.type === data.default}
        mayChange={mayChange}
      />
    ));
  const setUp = providers.filter(isFirst);
  return (
    <>
      <p className="muted">
        Requests that name no model go to <strong>{defaultName(data)}</strong>.
        {data.default === 'demo' && ' That is a script, not a model: set up a provider to get real answers.'}
      </p>
      {setUp.length > 0 && (
        <>
          <h3>Set up</h3>
          {rows(setUp)}
          <h3>Others</h3>
        </>
      )}
      {rows(providers.filter((provider) => !isFirst(provider)))}
    </>
  );
}

/** Ollama needs nothing set, so it counts only where it runs. */
function isSetUp({ type, configured, enabled, healthy }: Provider, byDefault: string): boolean {
  return !enabled || (configured && type !== 'demo' && (type !== 'ollama' || healthy === true || byDefault === type));
}
