import { type ReactNode, useState } from 'react';
import { ProviderActions } from './provider-actions.tsx';
import { ProviderDefault } from './provider-default.tsx';
import { fieldsOf, shownOf } from './provider-fields.ts';
import { ProviderForm } from './provider-form.tsx';
import { KEY_PAGES } from './provider-links.ts';
import { type Provider, stateOf } from './provider-status.ts';

/** A provider: how it is doing, and what can be done about it when it is opened. */
export function ProviderRow({
  provider,
  isDefault,
  mayChange,
}: {
  provider: Provider;
  isDefault: boolean;
  mayChange: boolean;
}): ReactNode {
  const { type, name, configured, healthy, message, defaultModel } = provider;
  const [wasOpened, setOpened] = useState(false);
  const { tone, text } = stateOf(provider);
  return (
    <details className="providers-row card" onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>
        <span className="providers-name">{name}</span>
        {isDefault && <span className="badge">default</span>}
        <span className={`providers-state small ${tone}`}>{text}</span>
        {configured && healthy === false && <span className="providers-why small muted">{message}</span>}
      </summary>
      {wasOpened && (
        <div className="stack providers-body">
          {type === 'demo' && <p>Scripted, without a key or a network: for trying things out.</p>}
          {!mayChange && (
            <p className="muted">
              {defaultModel !== null && `Its model: ${defaultModel}. `}To change providers takes an admin.
            </p>
          )}
          {mayChange && configured && healthy !== false && <ProviderDefault provider={provider} />}
          {mayChange && type !== 'demo' && <Settings provider={provider} />}
          {mayChange && type !== 'demo' && <ProviderActions provider={provider} />}
        </div>
      )}
    </details>
  );
}

function Settings({ provider }: { provider: Provider }): ReactNode {
  const { type, configured, enabled, stored, message } = provider;
  return (
    <ProviderForm
      fields={fieldsOf(provider)}
      shown={shownOf(provider)}
      hints={{ apiKey: <KeyHint provider={provider} /> }}
      typeOf={() => type}
    >
      {!configured && enabled && stored && <p className="small muted">{message}</p>}
    </ProviderForm>
  );
}

function KeyHint({ provider: { type, keyFrom } }: { provider: Provider }): ReactNode {
  const page = type === 'ollama' ? undefined : KEY_PAGES[type];
  return (
    <>
      {keyFrom === null && type === 'ollama' && 'For Ollama’s cloud only.'}
      {keyFrom === 'stored' && 'A key is set, and is never shown. Empty: it stays. '}
      {keyFrom === 'environment' && 'A key comes from the environment; one that is typed here is used in its place. '}
      {page !== undefined && (
        <a href={page} target="_blank" rel="noopener noreferrer">
          {keyFrom === null ? 'Get a key' : 'Keys'}: {page.replace('https://', '')}
        </a>
      )}
    </>
  );
}
