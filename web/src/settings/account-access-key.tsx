import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../api/server.ts';
import { randomId } from '../runs/random-id.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Field } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import { AccountForm } from './account-form.tsx';
import { textOf } from './budget-words.ts';

/** Sets the access key of the server, and takes it away. `isSet`: there is one. */
export function AccountAccessKey({ isSet }: { isSet: boolean }): React.ReactNode {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [key, setKey] = useState('');
  const put = async (value: string | null): Promise<void> => {
    await ask('/api/auth/access-key', { method: 'PUT', body: { key: value } });
    toast(value === null ? 'There is no access key any more.' : 'The access key is set.');
    setKey('');
    await queries.invalidateQueries();
  };
  return (
    <>
      <AccountForm
        title="Access key"
        action={isSet ? 'Replace the access key' : 'Set the access key'}
        paths={['key']}
        onSend={(form) => put(textOf(form, 'key'))}
      >
        {(issues) => (
          <>
            <p className="access-text">
              One secret of the whole server: whoever has it comes in and acts as the owner. With it everybody needs a
              credential, this machine too. {isSet ? 'There is one now.' : 'There is none now.'}
            </p>
            <Field
              label={isSet ? 'New access key' : 'Access key'}
              hint="16 characters or more. Keep it before you set it: it is not shown again"
              error={issues.at('key')}
            >
              {(field) => (
                <input
                  {...field}
                  name="key"
                  autoComplete="off"
                  spellCheck={false}
                  value={key}
                  onChange={(event) => setKey(event.target.value)}
                />
              )}
            </Field>
            <div className="row">
              <button type="button" onClick={() => setKey(randomId())}>
                Make one up
              </button>
              {isSet && (
                <button type="button" className="danger" onClick={() => setAsking(true)}>
                  Take the access key away
                </button>
              )}
            </div>
          </>
        )}
      </AccountForm>
      {isAsking && (
        <Confirm
          title="Take the access key away?"
          action="Take it away"
          onConfirm={() => put(null)}
          onClose={() => setAsking(false)}
        >
          Sessions that were begun with it end. Without an account, whoever uses this machine is the owner again.
        </Confirm>
      )}
    </>
  );
}
