import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { ask } from '../api/server.ts';
import { KEY_PAGES } from '../settings/provider-links.ts';
import type { Provider } from '../settings/provider-status.ts';
import { Field } from '../ui/field.tsx';
import { keyVendors } from './key-vendor.ts';
import { useDefault } from './use-default.ts';

/** One field for a key: whose it is is seen at its beginning, or asked; it is tried, and made the default. */
export function KeyPart({ providers, onReady }: { providers: readonly Provider[]; onReady: () => void }): ReactNode {
  // The key itself is nowhere but in its field.
  const field = useRef<HTMLInputElement>(null);
  const [guessed, setGuessed] = useState<readonly string[]>();
  const [chosen, setChosen] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const makeDefault = useDefault();
  const takesKey = providers.filter(({ type }) => KEY_PAGES[type] !== undefined && !NEED_MORE.includes(type));
  const isKnown = guessed?.length === 1;
  const vendor = isKnown ? guessed[0] : chosen;
  const choices = takesKey.filter(({ type }) => !guessed?.length || guessed.includes(type));
  const name = providers.find(({ type }) => type === vendor)?.name ?? vendor;

  const connect = async (): Promise<void> => {
    // Too short to tell: the choice is shown.
    if (!vendor) return setGuessed(guessed ?? []);
    setBusy(true);
    setError(undefined);
    try {
      const path = `/api/chat/providers/${vendor}/configure`;
      await ask(path, {
        method: 'POST',
        body: { apiKey: field.current?.value.trim(), enabled: true },
        query: { verify: 'true' },
      });
      await makeDefault(vendor);
      if (field.current) field.current.value = '';
      setGuessed(undefined);
      onReady();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isBusy) void connect();
  };
  return (
    <form className="card stack" onSubmit={onSubmit}>
      <h3>With an API key</h3>
      <Field label="API key" error={error} hint={<KeyHint vendor={vendor} name={name} isKnown={isKnown} />}>
        {(attributes) => (
          <input
            {...attributes}
            ref={field}
            type="password"
            required
            autoComplete="new-password"
            spellCheck={false}
            placeholder="sk-…"
            onChange={(event) => {
              const key = event.target.value.trim();
              setGuessed(key.length < ENOUGH ? undefined : keyVendors(key));
              setChosen('');
              setError(undefined);
            }}
          />
        )}
      </Field>
      {guessed && !isKnown && (
        <Field label="Whose key is it?">
          {(attributes) => (
            <select {...attributes} required value={chosen} onChange={(event) => setChosen(event.target.value)}>
              <option value="">Choose…</option>
              {choices.map((provider) => (
                <option key={provider.type} value={provider.type}>
                  {provider.name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <div className="row">
        <button type="submit" className="primary" disabled={isBusy}>
          {isBusy ? `Asking ${name}…` : 'Connect'}
        </button>
        <a href="#/settings/providers">Azure, a gateway or another provider</a>
      </div>
    </form>
  );
}

/** So many characters tell whose key it is, unless nothing does. */
const ENOUGH = 8;

/** Those that want more than a key, and the one that wants none. */
const NEED_MORE = ['azure', 'ollama'];

function KeyHint({
  vendor,
  name,
  isKnown,
}: {
  vendor: string | undefined;
  name: string | undefined;
  isKnown: boolean;
}): ReactNode {
  const page = KEY_PAGES[vendor ?? ''];
  if (isKnown) return `A key of ${name}. It is tried first, then kept encrypted on your server.`;
  if (page === undefined) return 'Paste one of Anthropic, OpenAI, Google, OpenRouter or another vendor.';
  return (
    <>
      Keys of {name}:{' '}
      <a href={page} target="_blank" rel="noopener noreferrer">
        {page.replace('https://', '')}
      </a>
    </>
  );
}
