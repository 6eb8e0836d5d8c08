import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import type { Budget, User } from '../login/use-me.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { BUDGET_PATHS, BudgetFields } from './budget-fields.tsx';
import { budgetOf, budgetWords, numberOf } from './budget-words.ts';
import { issuesOf } from './field-issues.ts';

const PATHS = ['rateLimit', ...BUDGET_PATHS];

/** Sets how much an account may use. */
export function UserLimitsForm({ user, onClose }: { user: User; onClose: () => void }): React.ReactNode {
  const one = useQuery({
    queryKey: [...KEYS.users, user.id],
    queryFn: () => ask<{ user: User & { budget: Budget | null } }>(`/api/users/${user.id}`),
  });
  return (
    <Dialog title={`Limits and budget of ${user.name}`} onClose={onClose}>
      {one.isPending && <p className="muted">Loading …</p>}
      <Problem error={one.error} onRetry={() => void one.refetch()} />
      {one.data && <Form user={one.data.user} onClose={onClose} />}
    </Dialog>
  );
}

function Form({
  user: { id, rateLimit, budget },
  onClose,
}: {
  user: User & { budget: Budget | null };
  onClose: () => void;
}): React.ReactNode {
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (form: FormData) =>
      ask(`/api/users/${id}`, {
        method: 'PATCH',
        body: { rateLimit: numberOf(form, 'rateLimit') ?? null, budget: budgetOf(form) ?? null },
      }),
    onSuccess: async () => {
      onClose();
      await Promise.all([
        queries.invalidateQueries({ queryKey: KEYS.users }),
        queries.invalidateQueries({ queryKey: KEYS.me }),
      ]);
    },
  });
  const issues = issuesOf(save.error, PATHS);
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!save.isPending) save.mutate(new FormData(event.currentTarget));
      }}
    >
      {budget && <p className="muted access-text">Used: {budgetWords(budget)}.</p>}
      <Field label="Requests a minute" hint="Empty: as the server allows" error={issues.at('rateLimit')}>
        {(field) => <input {...field} name="rateLimit" type="number" min="1" step="1" defaultValue={rateLimit ?? ''} />}
      </Field>
      <BudgetFields issues={issues} before={budget} />
      <Problem error={issues.rest} />
      <div className="row dialog-actions">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={save.isPending}>
          Save
        </button>
      </div>
    </form>
  );
}
