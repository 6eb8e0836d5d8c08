import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type ApprovalAnswer, answerApproval } from '../../../src/client/answer-approval.ts';
import { RequestError } from '../../../src/client/client.ts';
import type { Approval } from '../../../src/client/types.ts';
import { KEYS } from '../api/keys.ts';
import { SERVER } from '../api/server.ts';
import { Problem } from '../ui/problem.tsx';
import { useShortcut } from '../ui/use-shortcut.ts';
import { ApprovalAlways } from './approval-always.tsx';
import { ApprovalDeny } from './approval-deny.tsx';
import { ApprovalEdit } from './approval-edit.tsx';
import { distanceWords } from './words.ts';
import './approval-card.css';

/** How long it is tried to give a new question the focus. */
const MOST_FRAMES = 60;

type Form = 'always' | 'deny' | 'edit';

/** A question about a call, to be answered: Ctrl+Enter allows it once while the focus is in the card. */
export function ApprovalCard({ approval }: { approval: Approval }): React.ReactNode {
  const card = useRef<HTMLDivElement>(null);
  const [form, setForm] = useState<Form>();
  const { answer, state, error } = useAnswer(approval);
  const isBusy = state === 'busy' || state === 'answered';
  useFocusUnlessTyping(card);
  useFocusGivenBack(card);
  useShortcut('mod+enter', 'Allow the call that has the focus', () => void answer({ decision: 'allow-once' }), {
    within: card,
    isOff: form !== undefined || isBusy,
  });
  const give = (given: ApprovalAnswer): Promise<void> => {
    // What is disabled loses the focus.
    if (card.current?.contains(document.activeElement)) card.current.focus({ preventScroll: true });
    return answer(given);
  };
  if (state === 'elsewhere') return <p className="approval small muted">It was answered elsewhere.</p>;
  const close = (): void => {
    setForm(undefined);
    card.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be focused
    <div
      ref={card}
      className="approval"
      role="group"
      aria-label={`May ${approval.toolName} be called?`}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || form === undefined || event.nativeEvent.isComposing) return;
        event.stopPropagation();
        close();
      }}
    >
      <pre className="approval-display">{approval.display}</pre>
      <p className="small">{approval.reason}</p>
      <p className="small muted">
        {isLevelSaid(approval) ? '' : `Level: ${approval.securityLevel}. `}
        Without an answer it is refused{' '}
        <time dateTime={approval.expiresAt} title={new Date(approval.expiresAt).toLocaleString()}>
          {distanceWords(approval.expiresAt, Date.now())}
        </time>
        .
      </p>
      {form === undefined && (
        <div className="row">
          <button
            type="button"
            className="primary"
            disabled={isBusy}
            title="Ctrl+Enter"
            onClick={() => void give({ decision: 'allow-once' })}
          >
            Allow once
          </button>
          <button type="button" disabled={isBusy} onClick={() => setForm('always')}>
            Allow always…
          </button>
          <button type="button" disabled={isBusy} onClick={() => setForm('edit')}>
            Edit…
          </button>
          <button type="button" className="danger" disabled={isBusy} onClick={() => setForm('deny')}>
            Deny…
          </button>
        </div>
      )}
      {form === 'always' && <ApprovalAlways approval={approval} isBusy={isBusy} onAnswer={give} onClose={close} />}
      {form === 'edit' && <ApprovalEdit approval={approval} isBusy={isBusy} onAnswer={give} onClose={close} />}
      {form === 'deny' && <ApprovalDeny isBusy={isBusy} onAnswer={give} onClose={close} />}
      <Problem error={error} />
    </div>
  );
}

/** What the forms of a question are given. */
export interface ApprovalFormProps {
  isBusy: boolean;
  onAnswer: (answer: ApprovalAnswer) => Promise<void>;
  onClose: () => void;
}

function useAnswer(approval: Approval): {
  answer: (answer: ApprovalAnswer) => Promise<void>;
  state: 'open' | 'busy' | 'answered' | 'elsewhere';
  error: unknown;
} {
  const client = useQueryClient();
  const [state, setState] = useState<'open' | 'busy' | 'answered' | 'elsewhere'>('open');
  const [error, setError] = useState<unknown>();
  const answer = async (given: ApprovalAnswer): Promise<void> => {
    setState('busy');
    setError(undefined);
    try {
      await answerApproval(SERVER, approval, given);
      setState('answered');
    } catch (problem) {
      const isClosed = problem instanceof RequestError && (problem.status === 409 || problem.status === 404);
      setState(isClosed ? 'elsewhere' : 'open');
      if (!isClosed) setError(problem);
    }
    for (const queryKey of [KEYS.approvals, KEYS.runs, KEYS.rules]) void client.invalidateQueries({ queryKey });
  };
  return { answer, state, error };
}

/** A new question gets the focus, unless somebody is typing, or has another question before them. */
function useFocusUnlessTyping(card: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    let frame = 0;
    let tries = 0;
    const take = (): void => {
      const { activeElement } = document;
      if (activeElement !== before || isTypingIn(before) || before?.closest('.approval, dialog, [popover]')) return;
      card.current?.focus({ preventScroll: true });
      tries += 1;
      // What has just come into the list cannot be focused until it has been measured.
      if (document.activeElement === before && tries < MOST_FRAMES) frame = requestAnimationFrame(take);
    };
    take();
    return () => cancelAnimationFrame(frame);
  }, [card]);
}

/** Is there none, or does the reason name it? */
function isLevelSaid({ securityLevel, reason }: Approval): boolean {
  return securityLevel === '' || reason.toLowerCase().split(/\W+/).includes(securityLevel.toLowerCase());
}

/** When the question goes, the focus that was in it goes to the head of its call. */
function useFocusGivenBack(card: React.RefObject<HTMLDivElement | null>): void {
  useLayoutEffect(() => {
    const { current } = card;
    return () => {
      if (!current?.contains(document.activeElement)) return;
      current.closest('.call')?.querySelector<HTMLElement>('.call-head')?.focus({ preventScroll: true });
    };
  }, [card]);
}

function isTypingIn(element: Element | null): boolean {
  const isField = element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement;
  return isField && element.value !== '';
}
