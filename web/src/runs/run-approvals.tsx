import type { Approval } from '../../../src/client/types.ts';
import { useMe } from '../login/use-me.ts';
import { timeWords } from './run-words.ts';

const ANSWERS: Record<Approval['status'], string> = {
  pending: 'Not answered yet',
  allowed: 'Allowed',
  denied: 'Denied',
  expired: 'Nobody has answered in time',
  cancelled: 'The run ended before an answer',
};

/** What was asked in a run, and who has answered what; nothing if nothing was. */
export function RunApprovals({ approvals }: { approvals: readonly Approval[] }): React.ReactNode {
  const { user } = useMe();
  const over = approvals.filter(({ status }) => status !== 'pending');
  if (over.length === 0) return null;
  return (
    <section aria-labelledby="run-approvals" className="stack">
      <h2 id="run-approvals" className="runs-heading">
        Questions
      </h2>
      <div className="scroll-x">
        <table>
          <thead>
            <tr>
              <th scope="col">Tool</th>
              <th scope="col">Why it asked</th>
              <th scope="col">Answer</th>
              <th scope="col">By</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {over.map((approval) => (
              <tr key={approval.id}>
                <td>
                  <code>{approval.toolName}</code>
                </td>
                <td>{approval.reason}</td>
                <td>
                  {ANSWERS[approval.status]}
                  {approval.editedArguments && ', with other arguments'}
                </td>
                <td>{approval.decidedBy ? actorWords(approval.decidedBy, user?.id) : '–'}</td>
                <td>{approval.decidedAt === null ? '–' : timeWords(approval.decidedAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function actorWords(actor: string, own: string | undefined): string {
  if (actor === own) return 'you';
  if (actor === 'local') return 'this machine';
  if (actor === 'access-key') return 'whoever has the access key';
  return actor;
}
