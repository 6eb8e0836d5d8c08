import { useQueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { AccountForm } from './account-form.tsx';

/** Changes one's own password, which ends all other sessions. */
export function AccountPassword(): React.ReactNode {
  const queries = useQueryClient();
  const change = async (form: FormData): Promise<void> => {
    const body = { password: String(form.get('password')), currentPassword: String(form.get('currentPassword')) };
    await ask('/api/auth/me', { method: 'PATCH', body });
    await queries.invalidateQueries({ queryKey: KEYS.sessions });
    toast('The password is changed, and all other sessions are ended.');
  };
  return (
    <AccountForm title="Password" action="Change the password" paths={['password', 'currentPassword']} onSend={change}>
      {(issues) => (
        <>
          <Field label="Current password" error={issues.at('currentPassword')}>
            {(field) => <input {...field} name="currentPassword" type="password" autoComplete="current-password" />}
          </Field>
          <Field
            label="New password"
            hint="8 characters or more, of any kind. Everywhere but here one has to log in again"
            error={issues.at('password')}
          >
            {(field) => <input {...field} name="password" type="password" autoComplete="new-password" />}
          </Field>
        </>
      )}
    </AccountForm>
  );
}
