import { useQueryClient } from '@tanstack/react-query';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { AccountForm } from './account-form.tsx';
import { textOf } from './budget-words.ts';

/** Makes the first account. `isLocal`: nobody needs a credential so far. */
export function AccountSignUp({ isLocal }: { isLocal: boolean }): React.ReactNode {
  const queries = useQueryClient();
  const signUp = async (form: FormData): Promise<void> => {
    const body = { name: textOf(form, 'name'), email: textOf(form, 'email'), password: String(form.get('password')) };
    await ask('/api/auth/signup', { method: 'POST', body });
    toast('The account is made, and you are logged in.');
    await queries.invalidateQueries();
  };
  return (
    <AccountForm
      title="Make the first account"
      action="Make the account"
      paths={['name', 'email', 'password']}
      onSend={signUp}
    >
      {(issues) => (
        <>
          <p className="access-text">
            It is the owner’s, and takes over all conversations, keys and settings that are there.
            {isLocal &&
              ' From then on everybody needs a credential, this machine too: you log in, others with an invite of yours, programs with an API key. Programs that call without one today are refused.'}
          </p>
          <Field label="Name" error={issues.at('name')}>
            {(field) => <input {...field} name="name" autoComplete="name" maxLength={200} />}
          </Field>
          <Field label="Email" hint="No mail is sent to it" error={issues.at('email')}>
            {(field) => <input {...field} name="email" type="email" autoComplete="username" />}
          </Field>
          <Field label="Password" hint="8 characters or more, of any kind" error={issues.at('password')}>
            {(field) => <input {...field} name="password" type="password" autoComplete="new-password" />}
          </Field>
        </>
      )}
    </AccountForm>
  );
}
