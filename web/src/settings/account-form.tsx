import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { Problem } from '../ui/problem.tsx';
import { type FieldIssues, issuesOf } from './field-issues.ts';

/**
 * A form in a card, with what the server has against it at its fields.
 * @param paths of its fields in the request.
 * @param onSend sends it; the form is emptied when that has succeeded.
 */
export function AccountForm({
  title,
  action,
  paths,
  onSend,
  children,
}: {
  title: string;
  action: string;
  paths: readonly string[];
  onSend: (form: FormData) => Promise<unknown>;
  children: (issues: FieldIssues) => ReactNode;
}): ReactNode {
  const titleId = useId();
  const send = useMutation({ mutationFn: onSend });
  const issues = issuesOf(send.error, paths);
  return (
    <form
      className="card stack"
      aria-labelledby={titleId}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        if (!send.isPending) send.mutate(new FormData(form), { onSuccess: () => form.reset() });
      }}
    >
      <h3 id={titleId} className="access-heading">
        {title}
      </h3>
      {children(issues)}
      <Problem error={issues.rest} />
      <div>
        <button type="submit" disabled={send.isPending}>
          {action}
        </button>
      </div>
    </form>
  );
}
