import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { randomId } from '../runs/random-id.ts';
import { toast } from '../ui/toast.tsx';
import { contentOf } from './attachments.ts';
import { takeSent, type Written } from './drafts.ts';
import { patiently } from './patiently.ts';

/** What can be said to a run that goes on; the run tells of it itself. */
export interface Steering {
  say: (runId: string, written: Written) => void;
  stop: (runId: string) => void;
  isBusy: boolean;
}

/** @param id of the conversation whose draft is said */
export function useSteer(id: string): Steering {
  const client = useQueryClient();
  const [isBusy, setIsBusy] = useState(false);
  const say = (runId: string, written: Written): void => {
    if (isBusy) return;
    setIsBusy(true);
    const body = { content: contentOf(written.text, written.attachments) };
    const headers = { 'idempotency-key': randomId() };
    const { signal } = new AbortController();
    patiently(() => ask(`/api/chat/runs/${runId}/messages`, { method: 'POST', body, headers }), { signal })
      .then(() => takeSent(id, written), complain)
      .finally(() => setIsBusy(false));
  };
  const stop = (runId: string): void => {
    ask(`/api/chat/runs/${runId}/cancel`, { method: 'POST', body: {} })
      // It has ended meanwhile.
      .catch((problem: unknown) => problem instanceof RequestError && problem.status !== 409 && complain(problem))
      .finally(() => void client.invalidateQueries({ queryKey: KEYS.runs }));
  };
  return { say, stop, isBusy };
}

function complain(problem: unknown): void {
  toast(problem instanceof Error ? problem.message : String(problem));
}
