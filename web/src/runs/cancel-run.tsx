import { useMutation, useQueryClient } from '@tanstack/react-query';
import { RequestError } from '../../../src/client/client.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { toast } from '../ui/toast.tsx';

/** Stops a run: its model's call, its tool and all its processes. */
export function CancelRun({ id }: { id: string }): React.ReactNode {
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => ask(`/api/chat/runs/${id}/cancel`, { method: 'POST', body: {} }),
    onError: (error) => {
      // It has ended by itself: what was wanted.
      if (!(error instanceof RequestError) || error.status !== 409) toast(`It was not cancelled: ${error.message}`);
    },
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: KEYS.runs }),
        queries.invalidateQueries({ queryKey: KEYS.approvals }),
      ]),
  });
  return (
    <button type="button" className="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
      Cancel
    </button>
  );
}
