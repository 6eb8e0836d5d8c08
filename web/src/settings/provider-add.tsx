import { type ReactNode, useState } from 'react';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { newCustomFields } from './provider-fields.ts';
import { ProviderForm } from './provider-form.tsx';

type Kind = 'wire' | 'package';

/** A new provider of one's own, `custom:<name>`: docs/custom-providers.md. */
export function ProviderAdd({ onClose }: { onClose: () => void }): ReactNode {
  const [kind, setKind] = useState<Kind>('wire');
  return (
    <Dialog title="Add a provider" onClose={onClose}>
      <ProviderForm
        key={kind}
        fields={newCustomFields(kind)}
        shown={{}}
        typeOf={(form) => `custom:${form.get('custom')}`}
        onSaved={({ name }) => {
          toast(`${name} is there.`);
          onClose();
        }}
        onCancel={onClose}
      >
        <Field label="Kind" hint="Gateways, local servers and most vendors speak a known protocol.">
          {(attributes) => (
            <select {...attributes} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
              <option value="wire">Speaks a known protocol</option>
              <option value="package">A package of the AI SDK</option>
            </select>
          )}
        </Field>
        <Field label="Short name" hint="It becomes custom:<name>: a to z, 0 to 9, _ and -.">
          {(attributes) => (
            <input
              {...attributes}
              name="custom"
              required
              title="It begins with a to z or 0 to 9; _ and - may follow, 40 characters in all"
              pattern="[a-z0-9][a-z0-9_\-]{0,39}"
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
            />
          )}
        </Field>
      </ProviderForm>
    </Dialog>
  );
}
