import { ArrowDown } from 'lucide-react';
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { VList, type VListHandle } from 'virtua';
import type { Entry } from './entries.ts';
import { useStayAtEnd } from './use-stay-at-end.ts';
import './message-list.css';

/** How near to the beginning older messages are asked for, in pixels. */
const EARLY = 1500;

/** What is said in a conversation, however much: only what is in sight is in the page. */
export function MessageList({
  entries,
  loadOlder,
  isLoadingOlder,
  children,
}: {
  entries: readonly Entry[];
  loadOlder: () => void;
  isLoadingOlder: boolean;
  children: (entry: Entry) => ReactNode;
}): ReactNode {
  const list = useRef<VListHandle>(null);
  const isPrepended = useIsPrepended(entries);
  // What somebody is writing in them must not be lost when they are scrolled away.
  const asked = useMemo(() => entries.flatMap((entry, index) => (isAsking(entry) ? [index] : [])), [entries]);
  const { isAtEnd, toEnd, onScroll, onResize, onInput } = useStayAtEnd(list, entries.length, entries.at(-1));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only looks whether somebody scrolls
    <div className="messages" onWheel={onInput} onTouchMove={onInput} onKeyDown={onInput} onPointerDown={onInput}>
      {isLoadingOlder && (
        <p className="messages-older small muted" role="status">
          Loading earlier messages…
        </p>
      )}
      <VList
        ref={list}
        className="messages-list"
        role="log"
        aria-label="Messages"
        aria-live="off"
        tabIndex={0}
        data={entries}
        shift={isPrepended}
        keepMounted={asked}
        bufferSize={600}
        onScroll={(offset) => {
          onScroll(offset);
          if (offset < EARLY) loadOlder();
        }}
        onResize={onResize}
      >
        {(entry) => (
          <div key={entry.key} className="messages-entry">
            {children(entry)}
          </div>
        )}
      </VList>
      {!isAtEnd && (
        <button type="button" className="messages-to-end" onClick={toEnd}>
          <ArrowDown size={16} aria-hidden /> To the end
        </button>
      )}
    </div>
  );
}

/** Does a call in it wait for an answer? */
function isAsking(entry: Entry): boolean {
  if (entry.type !== 'step' || !entry.isLive) return false;
  const open = entry.approvals.filter(({ status }) => status === 'pending');
  return open.some(({ toolCallId }) => entry.step.items.some((item) => item.type === 'call' && item.id === toolCallId));
}

/** Has something been put before what was there? True only in the render in which it was. */
function useIsPrepended(entries: readonly Entry[]): boolean {
  const [first, setFirst] = useState<string>();
  const now = entries[0]?.key;
  const known = useRef<string>(undefined);
  const isPrepended =
    known.current !== undefined && now !== known.current && entries.some(({ key }) => key === known.current);
  useLayoutEffect(() => {
    known.current = now;
    // Another render, without it.
    if (now !== first) setFirst(now);
  }, [now, first]);
  return isPrepended;
}
