import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { ask } from '../api/server.ts';
import { providersChanged } from './provider-change.ts';
import type { ProviderField } from './provider-fields.ts';
import { ProviderInput } from './provider-input.tsx';
import { type FieldProblems, patchOf, problemsOf, type SettingsChange } from './provider-patch.ts';
import { type Provider, stateOf } from './provider-status.ts';

/**
 * The settings of a provider. What is typed is tried before it is kept; a provider that cannot be reached now can be
 * saved all the same.
 * @param typeOf the type to configure; undefined if the form does not say one (`problem` is shown).
 * @param shown what the fields are now that the API tells.
 */
export function ProviderForm({
  fields,
  shown,
  hints = {},
  typeOf,
  onSaved,
  onCancel,
  children,
}: {
  fields: readonly ProviderField[];
  shown: Readonly<Record<string, string>>;
  hints?: Readonly<Record<string, ReactNode>>;
  typeOf: (form: FormData) => string;
  onSaved?: (provider: Provider) => void;
  onCancel?: () => void;
  children?: ReactNode;
}): ReactNode {
  const form = useRef<HTMLFormElement>(null);
  const [problems, setProblems] = useState<FieldProblems>({});
  const [said, setSaid] = useState('');
  const queries = useQueryClient();
  // Whoever does not see the page hears what is wrong when the field gets the focus.
  useEffect(() => {
    if (Object.keys(problems).length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problems]);
  const [isPending, setPending] = useState(false);
  // No mutation of react-query: that would remember what was sent, and so the key.
  const save = async (type: string, patch: SettingsChange, isTried: boolean): Promise<void> => {
    setPending(true);
    try {
      const path = `/api/chat/providers/${type}/configure`;
      const query = { verify: isTried ? 'true' : undefined };
      const answer = await ask<{ message: string; provider: Provider }>(path, { method: 'POST', body: patch, query });
      const { message, provider } = answer;
      form.current?.reset();
      setSaid(isTried ? `Saved. ${provider.name}: ${stateOf(provider).text}.` : `${message}.`);
      await providersChanged(queries);
      onSaved?.(provider);
    } catch (error) {
      setProblems(problemsOf(error, fields));
    } finally {
      setPending(false);
    }
  };
  const submit = (isTried: boolean): void => {
    if (form.current === null || isPending) return;
    const data = new FormData(form.current);
    const { patch, problems: found } = patchOf(fields, data, shown);
    setProblems(found);
    setSaid('');
    if (Object.keys(found).length === 0) void save(typeOf(data), patch, isTried);
  };
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    submit(true);
  };
  const inputs = (isFolded: boolean): ReactNode[] =>
    fields
      .filter((field) => (field.isFolded ?? false) === isFolded)
      .map((field) => (
        <ProviderInput
          key={field.name}
          field={field}
          shown={shown[field.name] ?? ''}
          hint={hints[field.name]}
          error={problems[field.name]}
        />
      ));
  const isRefused = Object.keys(problems).length > 0;
  return (
    <form ref={form} className="stack" onSubmit={onSubmit}>
      {children}
      {inputs(false)}
      <details
        className="providers-more"
        open={fields.some(({ name, isFolded }) => isFolded && problems[name]) || undefined}
      >
        <summary>More settings</summary>
        <div className="stack">{inputs(true)}</div>
      </details>
      <div className="row">
        <button type="submit" className="primary" disabled={isPending}>
          {isPending ? 'Trying…' : 'Save and test'}
        </button>
        {isRefused && (
          <button type="button" onClick={() => form.current?.reportValidity() && submit(false)}>
            Save without testing
          </button>
        )}
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <span role="status" className="good">
          {said}
        </span>
      </div>
      <div role="alert" className="bad">
        {problems['']}
      </div>
    </form>
  );
}
