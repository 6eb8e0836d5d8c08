import { useSyncExternalStore } from 'react';
import './toast.css';

interface Toast {
  id: number;
  text: string;
  action: { label: string; run: () => void } | undefined;
}

/** How long one stays, in milliseconds; long enough for who reads slowly. */
const LIFE_MS = 8000;

let toasts: readonly Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function show(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says something in passing, with at most one thing to do about it. @returns how to take it away early. */
export function toast(text: string, action?: Toast['action']): () => void {
  count += 1;
  const id = count;
  const close = (): void => show(toasts.filter((one) => one.id !== id));
  show([...toasts, { id, text, action }]);
  setTimeout(close, LIFE_MS);
  return close;
}

/** Where they appear. */
export function Toasts(): React.ReactNode {
  const all = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(({ id, text, action }) => (
        <div key={id} className="toast">
          <span className="grow">{text}</span>
          {action && (
            <button
              type="button"
              onClick={() => {
                show(toasts.filter((one) => one.id !== id));
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
