import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import type { Conversation } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Field } from '../ui/field.tsx';
import { TOOLS } from './rule-queries.ts';

/** The fields of a rule. `issueAt`: what is wrong with one of them. */
export function RuleFields({ issueAt }: { issueAt: (path: string) => string | undefined }): React.ReactNode {
  const listId = useId();
  const tools = useQuery(TOOLS);
  return (
    <>
      <Field label="Tool" hint="A name, or a glob of names: mcp__github__*; * is every tool" error={issueAt('tool')}>
        {(field) => (
          <input {...field} name="tool" list={listId} autoComplete="off" spellCheck={false} defaultValue="exec" />
        )}
      </Field>
      <datalist id={listId}>
        {tools.data?.tools.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <fieldset className="access-fieldset">
        <legend>Such a call is</legend>
        <div className="row">
          <label className="access-check">
            <input type="radio" name="action" value="allow" defaultChecked /> allowed
          </label>
          <label className="access-check">
            <input type="radio" name="action" value="deny" /> denied, in every mode
          </label>
        </div>
      </fieldset>
      <fieldset className="access-fieldset stack">
        <legend>Which calls (all that is given has to fit)</legend>
        <TextField path="match.command" label="Command" hint="Words of it: git status *" issueAt={issueAt} />
        <TextField path="match.path" label="Path" hint="A glob in the workspace: src/**" issueAt={issueAt} />
        <TextField
          path="match.host"
          label="Host"
          hint="example.com, or *.example.com for all below"
          issueAt={issueAt}
        />
        <TextField path="match.arguments" label="Exactly these arguments" hint="As JSON" issueAt={issueAt} />
      </fieldset>
      <div className="rules-fields">
        <WhereField error={issueAt('conversationId')} />
        <Field label="Until" hint="Empty: for ever" error={issueAt('expiresAt')}>
          {(field) => <input {...field} name="expiresAt" type="datetime-local" />}
        </Field>
      </div>
    </>
  );
}

function TextField({
  path,
  label,
  hint,
  issueAt,
}: {
  path: string;
  label: string;
  hint: string;
  issueAt: (path: string) => string | undefined;
}): React.ReactNode {
  return (
    <Field label={label} hint={hint} error={issueAt(path)}>
      {(field) => <input {...field} name={path} autoComplete="off" spellCheck={false} />}
    </Field>
  );
}

function WhereField({ error }: { error: string | undefined }): React.ReactNode {
  const recent = useQuery({
    queryKey: [...KEYS.conversations, 'recent-titles'],
    queryFn: () => ask<{ conversations: Conversation[] }>('/api/chat/conversations', { query: { limit: 50 } }),
  });
  return (
    <Field label="Where" error={error}>
      {(field) => (
        <select {...field} name="conversationId" defaultValue="">
          <option value="">in all conversations</option>
          {recent.data?.conversations.map(({ id, title }) => (
            <option key={id} value={id}>
              {title === '' ? 'Without a title' : title}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
