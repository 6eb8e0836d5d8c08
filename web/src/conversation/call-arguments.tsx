import { Code } from '../markdown/code.tsx';
import { Diff } from '../markdown/diff.tsx';

/** What a call was given: edits as what they change, a command as such, anything else as JSON. */
export function CallArguments({
  name,
  given,
}: {
  name: string;
  given: Readonly<Record<string, unknown>>;
}): React.ReactNode {
  const { path, old, new: next, content, command } = given;
  if (name === 'edit_file' && typeof old === 'string' && typeof next === 'string')
    return <Change path={path} before={old} after={next} />;
  if (name === 'write_file' && typeof content === 'string') return <Change path={path} before="" after={content} />;
  if (name === 'exec' && typeof command === 'string')
    return (
      <div className="call-part">
        <p className="call-label">Command</p>
        <Code text={command} language="sh" />
      </div>
    );
  if (Object.keys(given).length === 0) return <p className="call-label">Without arguments</p>;
  return (
    <div className="call-part">
      <p className="call-label">Arguments</p>
      <Code text={JSON.stringify(given, null, 2)} language="json" />
    </div>
  );
}

function Change({ path, before, after }: { path: unknown; before: string; after: string }): React.ReactNode {
  return (
    <div className="call-part">
      <Diff before={before} after={after} {...(typeof path === 'string' ? { name: path } : {})} />
    </div>
  );
}
