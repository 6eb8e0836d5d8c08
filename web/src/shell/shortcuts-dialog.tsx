import { type ReactNode, useSyncExternalStore } from 'react';
import { Dialog } from '../ui/dialog.tsx';
import { onShortcutsChange, type Shortcut, shortcuts } from '../ui/use-shortcut.ts';
import './shortcuts-dialog.css';

/** Keys that belong to what has the focus. */
const ELSEWHERE: readonly Shortcut[] = [
  { keys: 'ArrowDown', label: 'Next in the list of conversations' },
  { keys: 'ArrowUp', label: 'Previous in the list of conversations' },
  { keys: 'F2', label: 'Rename the conversation' },
  { keys: 'Delete', label: 'Delete the conversation' },
  { keys: 'Enter', label: 'Send the message' },
  { keys: 'shift+Enter', label: 'New line in the message' },
  { keys: 'Escape', label: 'Stop what is running (twice)' },
];

/** All keys that do something here. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }): ReactNode {
  const registered = useSyncExternalStore(onShortcutsChange, shortcuts);
  const all = new Map([...registered, ...ELSEWHERE].map((one) => [one.keys + one.label, one]));
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {[...all].map(([id, { keys, label }]) => (
          <div key={id}>
            <dt>{label}</dt>
            <dd>
              {keys.split('+').map((key) => (
                <kbd key={key}>{nameOf(key)}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

const NAMES: Readonly<Record<string, string>> = {
  ctrl: 'Ctrl',
  shift: 'Shift',
  alt: 'Alt',
  enter: 'Enter',
  escape: 'Esc',
  arrowdown: '↓',
  arrowup: '↑',
};

function nameOf(key: string): string {
  if (key === 'mod') return /Mac|iP/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
  return NAMES[key.toLowerCase()] ?? (key.length === 1 ? key.toUpperCase() : key);
}
