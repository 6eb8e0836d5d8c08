import { type RefObject, useEffect, useRef } from 'react';

/** A key, or several together, that do something. */
export interface Shortcut {
  /** Such as `mod+k`, `mod+shift+o`, `ctrl+enter`, `?`, `f2`; `mod` is Ctrl, on a Mac also Command. */
  keys: string;
  /** What it does, for the list of all of them. */
  label: string;
}

interface Registered extends Shortcut {
  run: (event: KeyboardEvent) => void;
  within: RefObject<HTMLElement | null> | undefined;
}

let registered: readonly Registered[] = [];
const listeners = new Set<() => void>();

/** All that hold at the moment; those of components that are there. */
export function shortcuts(): readonly Shortcut[] {
  return registered;
}

/** Calls back whenever `shortcuts()` has changed. @returns how to end that. */
export function onShortcutsChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Has keys do something as long as the component is there. A single character does not count where one types, and
 * nothing does while a dialog is open. The last that was registered for the same keys wins.
 * @param within only while the focus is in it.
 * @param isOff it does not hold at the moment.
 */
export function useShortcut(
  keys: string,
  label: string,
  run: (event: KeyboardEvent) => void,
  { within, isOff = false }: { within?: RefObject<HTMLElement | null>; isOff?: boolean } = {},
): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (isOff) return;
    const one: Registered = { keys, label, within, run: (event) => latest.current(event) };
    change([...registered, one]);
    return () => change(registered.filter((other) => other !== one));
  }, [keys, label, within, isOff]);
}

function change(next: readonly Registered[]): void {
  if (registered.length === 0) document.addEventListener('keydown', onKeyDown);
  registered = next;
  if (next.length === 0) document.removeEventListener('keydown', onKeyDown);
  for (const listener of listeners) listener();
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog:modal')) return;
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]');
  const match = registered.findLast(
    ({ keys, within }) =>
      isPressed(keys, event) &&
      !(isTyping && keys.length === 1) &&
      (within === undefined || within.current?.contains(document.activeElement)),
  );
  if (!match) return;
  event.preventDefault();
  match.run(event);
}

/** Are exactly these keys pressed? For a character Shift does not matter: where it is on the keyboard differs. */
function isPressed(keys: string, event: KeyboardEvent): boolean {
  const names = keys.toLowerCase().split('+');
  const key = names.pop();
  const { ctrlKey, metaKey, altKey, shiftKey } = event;
  if (event.key.toLowerCase() !== key || altKey !== names.includes('alt')) return false;
  const wantsControl = names.includes('mod') || names.includes('ctrl');
  if ((ctrlKey || (metaKey && names.includes('mod'))) !== wantsControl) return false;
  if (metaKey && !names.includes('mod')) return false;
  const isSymbol = key.length === 1 && key.toLowerCase() === key.toUpperCase();
  return isSymbol || shiftKey === names.includes('shift');
}
