import { useSyncExternalStore } from 'react';
import { RequestError } from '../../../src/client/client.ts';
import { ask } from '../api/server.ts';
import { toast } from '../ui/toast.tsx';

/** For how long a deletion can be taken back, in milliseconds; as long as its toast stays. */
const UNDO_MS = 8000;

/** Conversations that are gone to the reader, and not yet to the server. */
interface Deletion {
  title: string;
  timer: ReturnType<typeof setTimeout>;
  closeToast: () => void;
  /** Called when the server has deleted it, or has not. */
  onDone: () => void;
}

const waiting = new Map<string, Deletion>();
let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();

/** The ids of conversations that must not be shown: they are deleted, unless somebody takes it back. */
export function useDeleted(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => hidden);
}

/**
 * Deletes a conversation in eight seconds, unless it is taken back; at once if the page is left.
 * @param onUndo it was taken back. @param onDone the list of conversations is another one at the server.
 */
export function deleteSoon(
  { id, title }: { id: string; title: string },
  { onUndo, onDone }: { onUndo: () => void; onDone: () => void },
): void {
  if (waiting.has(id)) return;
  const undo = (): void => {
    clearTimeout(waiting.get(id)?.timer);
    waiting.delete(id);
    show(id);
    onUndo();
  };
  const closeToast = toast(`“${shortened(title)}” deleted`, { label: 'Undo', run: undo });
  waiting.set(id, { title, closeToast, onDone, timer: setTimeout(() => void send(id), UNDO_MS) });
  hide(id);
}

/** Sends all that waits now. @param keepalive the page is about to go. */
export async function deleteNow(keepalive = false): Promise<void> {
  await Promise.all([...waiting.keys()].map((id) => send(id, keepalive)));
}

async function send(id: string, keepalive = false): Promise<void> {
  const deletion = waiting.get(id);
  if (!deletion) return;
  clearTimeout(deletion.timer);
  deletion.closeToast();
  waiting.delete(id);
  try {
    await ask(`/api/chat/conversations/${id}`, { method: 'DELETE', keepalive });
  } catch (error) {
    // Whoever else has deleted it did what was wanted.
    if (!(error instanceof RequestError && error.status === 404)) {
      show(id);
      const why = error instanceof Error ? error.message : String(error);
      toast(`“${shortened(deletion.title)}” could not be deleted: ${why}`);
    }
  }
  deletion.onDone();
}

function shortened(title: string): string {
  return title.length > 60 ? `${title.slice(0, 59)}…` : title;
}

function hide(id: string): void {
  hidden = new Set([...hidden, id]);
  for (const listener of listeners) listener();
}

function show(id: string): void {
  hidden = new Set([...hidden].filter((other) => other !== id));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('pagehide', onPageHide);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('pagehide', onPageHide);
  };
}

function onPageHide(): void {
  void deleteNow(true);
}
