import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { useMe } from '../login/use-me.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { BUDGET_PATHS, BudgetFields } from './budget-fields.tsx';
import { budgetOf, numberOf, textOf } from './budget-words.ts';
import { type FieldIssues, issuesOf } from './field-issues.ts';
import { SCOPES } from './keys-scopes.ts';
import { ShownOnce } from './shown-once.tsx';

const PATHS = ['name', 'scopes', 'expiresInDays', 'rateLimit', ...BUDGET_PATHS];

/** Makes an API key, and shows its secret once. */
export function KeyForm({ onClose }: { onClose: () => void }): React.ReactNode {
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: (form: FormData) =>
      ask<{ secret: string }>('/api/keys', {
        method: 'POST',
        body: {
          name: textOf(form, 'name'),
          scopes: form.getAll('scopes'),
          expiresInDays: numberOf(form, 'expiresInDays'),
          rateLimit: numberOf(form, 'rateLimit'),
          budget: budgetOf(form),
        },
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS.apiKeys }),
    // The secret is nowhere once the dialog is closed.
    gcTime: 0,
  });
  const issues = issuesOf(make.error, PATHS);
  if (make.data)
    return (
      <Dialog title="The key is made" isKept onClose={onClose}>
        <div className="stack">
          <ShownOnce label="API key" secret={make.data.secret} />
          <div className="row dialog-actions">
            <button type="button" onClick={onClose}>
              Done
            </button>
          </div>
        </div>
      </Dialog>
    );
  return (
    <Dialog title="Make an API key" onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!make.isPending) make.mutate(new FormData(event.currentTarget));
        }}
      >
        <KeyFields issues={issues} />
        <Problem error={issues.rest} />
        <div className="row dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={make.isPending}>
            Make it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function KeyFields({ issues }: { issues: FieldIssues }): React.ReactNode {
  const { scopes } = useMe();
  return (
    <>
      <Field label="Name" hint="What uses it" error={issues.at('name')}>
        {(field) => <input {...field} name="name" maxLength={200} autoComplete="off" />}
      </Field>
      <fieldset className="access-fieldset">
        <legend>Scopes</legend>
        {SCOPES.filter(({ scope }) => scopes.includes(scope)).map(({ scope, means }) => (
          <label key={scope} className="access-check">
            <input type="checkbox" name="scopes" value={scope} defaultChecked={scope === 'chat'} />
            <span>
              <strong>{scope}</strong> <span className="small muted">{means}</span>
            </span>
          </label>
        ))}
        {issues.at('scopes') && <div className="small bad">{issues.at('scopes')}</div>}
      </fieldset>
      <div className="access-fields">
        <Field label="Expires after days" hint="Empty: never" error={issues.at('expiresInDays')}>
          {(field) => <input {...field} name="expiresInDays" type="number" min="1" max="3650" step="1" />}
        </Field>
        <Field label="Requests a minute" hint="Empty: as the server allows" error={issues.at('rateLimit')}>
          {(field) => <input {...field} name="rateLimit" type="number" min="1" step="1" />}
        </Field>
      </div>
      <BudgetFields issues={issues} />
    </>
  );
}
