import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ask } from '../api/server.ts';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { randomId } from './random-id.ts';

/** Says something to a run that goes on; its model sees it before its next step. */
export function SteerRun({ id }: { id: string }): React.ReactNode {
  const [text, setText] = useState('');
  // Sent again after an answer that got lost, the same words are said once.
  const key = useRef('');
  const steer = useMutation({
    mutationFn: () =>
      ask(`/api/chat/runs/${id}/messages`, {
        method: 'POST',
        body: { content: text },
        headers: { 'idempotency-key': key.current },
      }),
    onSuccess: () => {
      setText('');
      key.current = '';
      toast('Said. The model sees it before its next step.');
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === '' || steer.isPending) return;
        key.current ||= randomId();
        steer.mutate();
      }}
    >
      <div className="row">
        <input
          className="grow runs-why"
          aria-label="Say something to this run"
          placeholder="Say something to this run"
          value={text}
          onChange={(event) => {
            key.current = '';
            setText(event.target.value);
          }}
        />
        <button type="submit" disabled={text.trim() === '' || steer.isPending}>
          Say
        </button>
      </div>
      <Problem error={steer.error} />
    </form>
  );
}
