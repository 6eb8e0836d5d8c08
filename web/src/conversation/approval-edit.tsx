import { useEffect, useRef, useState } from 'react';
import type { Approval } from '../../../src/client/types.ts';
import { Field } from '../ui/field.tsx';
import type { ApprovalFormProps } from './approval-card.tsx';

/** Changes a call before it is allowed: of `exec` the command, of others the arguments as JSON. */
export function ApprovalEdit({
  approval,
  isBusy,
  onAnswer,
  onClose,
}: ApprovalFormProps & { approval: Approval }): React.ReactNode {
  const { toolName, params } = approval;
  const isCommand = toolName === 'exec' && typeof params.command === 'string';
  const [text, setText] = useState(isCommand ? `${params.command}` : JSON.stringify(params, null, 2));
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const read = isCommand ? { value: { ...params, command: text } } : readArguments(text);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (read.value) void onAnswer({ decision: 'allow-once', editedArguments: read.value });
      }}
    >
      <Field label={isCommand ? 'Command' : 'Arguments'} error={read.error} hint="The model is told what was changed.">
        {(attributes) => (
          <textarea
            {...attributes}
            ref={field}
            className="code"
            spellCheck={false}
            rows={Math.min(16, text.split('\n').length + 1)}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <div className="row">
        <button type="submit" className="primary" disabled={isBusy || read.value === undefined || text.trim() === ''}>
          Allow as changed
        </button>
        <button type="button" onClick={onClose}>
          Back
        </button>
      </div>
    </form>
  );
}

function readArguments(text: string): { value?: Record<string, unknown>; error?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { value: value as Record<string, unknown> };
    return { error: 'It must be a JSON object: {"name": value}' };
  } catch (problem) {
    return { error: problem instanceof Error ? `This is no JSON: ${problem.message}` : 'This is no JSON' };
  }
}
