import { useQuery } from '@tanstack/react-query';
import { Problem } from '../ui/problem.tsx';
import { type Sandbox, TOOLS, type Tool } from './rule-queries.ts';

const LEVELS: Record<Tool['level'], { text: string; tone: string }> = {
  safe: { text: 'safe', tone: 'good' },
  moderate: { text: 'moderate', tone: 'warn' },
  dangerous: { text: 'dangerous', tone: 'bad' },
};

const EFFECTS: Record<Tool['effect'], string> = {
  read: 'only reads',
  idempotent: 'twice is as once',
  unsafe: 'must not happen twice',
};

/** How commands are isolated, and the tools that there are. */
export function RulesTools(): React.ReactNode {
  const { data, error, isPending, refetch } = useQuery(TOOLS);
  return (
    <>
      <h3 className="access-heading">Sandbox and tools</h3>
      {isPending && <p className="muted">Loading …</p>}
      <Problem error={error} onRetry={() => void refetch()} />
      {data && <SandboxState sandbox={data.sandbox} />}
      {data && (
        <details className="card rules-details">
          <summary>{data.tools.length} tools</summary>
          <div className="scroll-x">
            <table className="rules-tools small">
              <thead>
                <tr>
                  <th scope="col">Tool</th>
                  <th scope="col">Level</th>
                  <th scope="col">Effect</th>
                  <th scope="col">What it does</th>
                </tr>
              </thead>
              <tbody>
                {data.tools.map((tool) => (
                  <tr key={tool.name}>
                    <td>
                      <code>{tool.name}</code>
                    </td>
                    <td className={LEVELS[tool.level].tone}>{LEVELS[tool.level].text}</td>
                    <td>
                      {EFFECTS[tool.effect]}
                      {tool.sandbox && ', also in “sandbox”'}
                    </td>
                    <td>{firstSentence(tool.description)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}

function SandboxState({ sandbox: { kind, unsandboxed, bounds } }: { sandbox: Sandbox }): React.ReactNode {
  if (kind === 'bubblewrap')
    return (
      <p className="access-text">
        <span className="good">Commands run in a sandbox</span> (bubblewrap): they see the workspace, no network but the
        hosts that rules allow, and nothing else of this machine. Memory and processes are bounded by{' '}
        {bounds === 'cgroup' ? 'the kernel' : 'watching them'}.
      </p>
    );
  if (unsandboxed)
    return (
      <p className="access-text">
        <span className="bad">Commands run without a sandbox</span>, as programs of the server’s user: the operator has
        set PROFCLAW_UNSANDBOXED_EXEC. Install bubblewrap (<code>apt-get install bubblewrap</code>) and start the server
        again to have one.
      </p>
    );
  return (
    <p className="access-text">
      <span className="warn">There is no sandbox, so no command is run.</span> On the server’s machine install
      bubblewrap (<code>apt-get install bubblewrap</code>), then start the server again. In a container user namespaces
      have to be allowed as well.
    </p>
  );
}

function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
}
