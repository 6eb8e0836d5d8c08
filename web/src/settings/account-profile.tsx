import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { User } from '../login/use-me.ts';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { AccountForm } from './account-form.tsx';
import { textOf } from './budget-words.ts';

/** Changes one's own name and email. */
export function AccountProfile({ user }: { user: User }): React.ReactNode {
  const queries = useQueryClient();
  const [email, setEmail] = useState(user.email);
  const isOther = email.trim().toLowerCase() !== user.email;
  const change = async (form: FormData): Promise<void> => {
    const name = textOf(form, 'name');
    const withEmail = isOther ? { email: email.trim(), currentPassword: String(form.get('currentPassword')) } : {};
    await ask('/api/auth/me', { method: 'PATCH', body: { name, ...withEmail } });
    await queries.invalidateQueries({ queryKey: KEYS.me });
    toast('Saved.');
  };
  return (
    <AccountForm title="Name and email" action="Save" paths={['name', 'email', 'currentPassword']} onSend={change}>
      {(issues) => (
        <>
          <Field label="Name" error={issues.at('name')}>
            {(field) => (
              <input
                {...field}
                key={user.name}
                name="name"
                autoComplete="name"
                defaultValue={user.name}
                maxLength={200}
              />
            )}
          </Field>
          <Field label="Email" error={issues.at('email')}>
            {(field) => (
              <input
                {...field}
                type="email"
                autoComplete="email"
                value={email}
                onChange={(event) => setEmail(event.target.value)}
              />
            )}
          </Field>
          {isOther && (
            <Field label="Current password" hint="A new email needs it" error={issues.at('currentPassword')}>
              {(field) => <input {...field} name="currentPassword" type="password" autoComplete="current-password" />}
            </Field>
          )}
        </>
      )}
    </AccountForm>
  );
}
