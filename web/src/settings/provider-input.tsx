import type { ReactNode } from 'react';
import { Field } from '../ui/field.tsx';
import { type ProviderField, WIRES } from './provider-fields.ts';

/** One setting of a provider in a form. @param shown what it is now, as far as the API tells. */
export function ProviderInput({
  field,
  shown,
  hint,
  error,
}: {
  field: ProviderField;
  shown: string;
  hint?: ReactNode;
  error: string | undefined;
}): ReactNode {
  const { name, label, kind, isRequired = false } = field;
  return (
    <Field label={label} hint={hint ?? field.hint} error={error}>
      {(attributes) => {
        const common = { ...attributes, name, required: isRequired, autoComplete: 'off', spellCheck: false };
        if (kind === 'headers' || kind === 'json')
          return <textarea {...common} className="code" rows={3} defaultValue={shown} />;
        if (kind === 'wire')
          return (
            <select key={shown} {...attributes} name={name} defaultValue={shown === '' ? undefined : shown}>
              {WIRES.map(({ value, text }) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          );
        // What a browser has stored for this page is the way in, never a vendor's key.
        if (kind === 'secret') return <input {...common} type="password" autoComplete="new-password" />;
        return <input {...common} type={kind === 'url' ? 'url' : 'text'} defaultValue={shown} />;
      }}
    </Field>
  );
}
