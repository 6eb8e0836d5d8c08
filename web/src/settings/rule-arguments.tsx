import { Field } from '../ui/field.tsx';

/** Arguments as a form has them, or what is wrong with them. */
export type ReadArguments = { arguments: Record<string, unknown> } | { problem: string };

/**
 * Reads what a person has written as the arguments of a call: of `exec` just its command, of others JSON.
 * @param text '' is none.
 */
export function readArguments(tool: string, text: string): ReadArguments {
  if (tool === 'exec') return { arguments: { command: text } };
  if (text.trim() === '') return { arguments: {} };
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return { arguments: { ...read } };
    return { problem: 'must be a JSON object, such as {"path": "src/main.ts"}' };
  } catch (error) {
    return { problem: `is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The arguments of a call of a tool. */
export function RuleArguments({
  tool,
  value,
  error,
  onChange,
}: {
  tool: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}): React.ReactNode {
  if (tool === 'exec')
    return (
      <Field label="Command" error={error}>
        {(field) => (
          <input
            {...field}
            className="access-code"
            autoComplete="off"
            spellCheck={false}
            placeholder="git status && ls"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
    );
  return (
    <Field label="Arguments" hint={'As JSON, such as {"path": "src/main.ts"}; empty: none'} error={error}>
      {(field) => (
        <textarea
          {...field}
          className="access-code"
          rows={3}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
