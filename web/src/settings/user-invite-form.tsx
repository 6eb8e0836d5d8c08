import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask, SERVER } from '../api/server.ts';
import { useMe } from '../login/use-me.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { numberOf, textOf } from './budget-words.ts';
import { issuesOf } from './field-issues.ts';
import { ShownOnce } from './shown-once.tsx';

const PATHS = ['email', 'role', 'expiresInDays'];

/** Makes an invite, and shows its link once. */
export function UserInviteForm({ onClose }: { onClose: () => void }): React.ReactNode {
  const queries = useQueryClient();
  const { role } = useMe();
  const make = useMutation({
    mutationFn: (form: FormData) =>
      ask<{ code: string }>('/api/invites', {
        method: 'POST',
        body: {
          role: textOf(form, 'role') || 'member',
          email: textOf(form, 'email') || undefined,
          expiresInDays: numberOf(form, 'expiresInDays'),
        },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...KEYS.users, 'invites'] }),
    gcTime: 0,
  });
  const issues = issuesOf(make.error, PATHS);
  if (make.data)
    return (
      <Dialog title="The invite is made" isKept onClose={onClose}>
        <div className="stack">
          <p className="access-text">Send this link by your own way; it is good for one account.</p>
          <ShownOnce label="invite link" secret={inviteLink(make.data.code)} />
          <div className="row dialog-actions">
            <button type="button" onClick={onClose}>
              Done
            </button>
          </div>
        </div>
      </Dialog>
    );
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!make.isPending) make.mutate(new FormData(event.currentTarget));
        }}
      >
        <Field label="Email" hint="Only this one may use it. Empty: whoever has the link" error={issues.at('email')}>
          {(field) => <input {...field} name="email" type="email" autoComplete="off" />}
        </Field>
        {role === 'owner' && (
          <Field
            label="Role"
            hint="Admins set up providers and see accounts and the audit log"
            error={issues.at('role')}
          >
            {(field) => (
              <select {...field} name="role" defaultValue="member">
                <option value="member">member</option>
                <option value="admin">admin</option>
              </select>
            )}
          </Field>
        )}
        <Field label="Good for days" error={issues.at('expiresInDays')}>
          {(field) => <input {...field} name="expiresInDays" type="number" min="1" max="365" defaultValue="7" />}
        </Field>
        <Problem error={issues.rest} />
        <div className="row dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={make.isPending}>
            Make the invite
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Where the code is filled in already. */
function inviteLink(code: string): string {
  return `${SERVER.url}/#/signup?invite=${encodeURIComponent(code)}`;
}
