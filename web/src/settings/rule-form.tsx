import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { issuesOf } from './field-issues.ts';
import { RuleChanges } from './rule-changes.tsx';
import { draftOf, type RuleDraft } from './rule-draft.ts';
import { RuleFields } from './rule-fields.tsx';
import { changesOf } from './rule-simulation.ts';
import type { Rule } from './rule-words.ts';

const PATHS = ['tool', 'match.command', 'match.path', 'match.host', 'match.arguments', 'conversationId', 'expiresAt'];
/** Of the simulation, in which the rule is the first of several. */
const SIMULATED = PATHS.map((path) => `rules.0.${path}`);

/** Makes a rule, and says beforehand what it would have changed. `rules`: those that there are. */
export function RuleForm({ rules, onClose }: { rules: readonly Rule[]; onClose: () => void }): React.ReactNode {
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const save = useMutation({
    mutationFn: (draft: RuleDraft) => ask('/api/chat/tools/rules', { method: 'POST', body: draft }),
    onSuccess: async () => {
      toast('The rule is made.');
      onClose();
      await queries.invalidateQueries({ queryKey: KEYS.rules });
    },
  });
  const simulate = useMutation({ mutationFn: (draft: RuleDraft) => changesOf(draft, rules) });
  const [problem, setProblem] = useState<string>();
  const withDraft = (act: (draft: RuleDraft) => void): void => {
    save.reset();
    simulate.reset();
    setProblem(undefined);
    if (!form.current) return;
    const draft = draftOf(new FormData(form.current));
    if ('problem' in draft) setProblem(draft.problem);
    else act(draft);
  };
  const saving = issuesOf(save.error, PATHS);
  const simulating = issuesOf(simulate.error, SIMULATED);
  const at = (path: string): string | undefined => {
    const own = path === 'match.arguments' ? problem : undefined;
    return own ?? saving.at(path) ?? simulating.at(`rules.0.${path}`);
  };
  return (
    <Dialog title="Add a rule" onClose={onClose}>
      <form
        ref={form}
        className="stack"
        noValidate
        onChange={() => simulate.reset()}
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isPending) withDraft((draft) => save.mutate(draft));
        }}
      >
        <RuleFields issueAt={at} />
        <div className="row">
          <button
            type="button"
            disabled={simulate.isPending}
            onClick={() => withDraft((draft) => simulate.mutate(draft))}
          >
            What would it have changed?
          </button>
        </div>
        <div role="status">{simulate.data && <RuleChanges changes={simulate.data} />}</div>
        <Problem error={saving.rest ?? simulating.rest} />
        <div className="row dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={save.isPending}>
            Make the rule
          </button>
        </div>
      </form>
    </Dialog>
  );
}
