import { Field } from '../ui/field.tsx';

/** The fields of a server of tools. `issueAt`: what is wrong with one of them. */
export function McpFields({
  type,
  issueAt,
}: {
  type: 'http' | 'stdio';
  issueAt: (path: string) => string | undefined;
}): React.ReactNode {
  return (
    <>
      <Field label="Name" hint="Its tools are called mcp__name__tool" error={issueAt('name')}>
        {(field) => <input {...field} name="name" autoComplete="off" spellCheck={false} />}
      </Field>
      {type === 'http' ? <AtAddress issueAt={issueAt} /> : <AsProgram issueAt={issueAt} />}
      <Field label="Seconds for a call" hint="Without a sign of progress; empty: 60" error={issueAt('timeout')}>
        {(field) => <input {...field} name="timeout" type="number" min="1" max="3600" />}
      </Field>
    </>
  );
}

function AtAddress({ issueAt }: { issueAt: (path: string) => string | undefined }): React.ReactNode {
  return (
    <>
      <Field label="Address" error={issueAt('url')}>
        {(field) => (
          <input {...field} name="url" type="url" autoComplete="off" placeholder="https://docs.example.com/mcp" />
        )}
      </Field>
      <Field
        label="Headers"
        hint="One a line: authorization: Bearer … They are kept encrypted, and not shown again"
        error={issueAt('headers')}
      >
        {(field) => <textarea {...field} className="access-code" name="headers" rows={2} spellCheck={false} />}
      </Field>
    </>
  );
}

function AsProgram({ issueAt }: { issueAt: (path: string) => string | undefined }): React.ReactNode {
  return (
    <>
      <p className="small muted access-text">
        It runs as the server’s user. So the server refuses it unless its operator has set PROFCLAW_MCP_STDIO=allow.
      </p>
      <Field label="Program" hint="By its name or path; no shell reads it" error={issueAt('command')}>
        {(field) => <input {...field} name="command" autoComplete="off" spellCheck={false} placeholder="npx" />}
      </Field>
      <Field label="Arguments" hint="One a line" error={issueAt('args')}>
        {(field) => <textarea {...field} className="access-code" name="args" rows={3} spellCheck={false} />}
      </Field>
      <Field
        label="Variables"
        hint="One a line: NAME=value. They are kept encrypted, and not shown again"
        error={issueAt('env')}
      >
        {(field) => <textarea {...field} className="access-code" name="env" rows={2} spellCheck={false} />}
      </Field>
    </>
  );
}
