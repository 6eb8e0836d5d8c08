import { useSyncExternalStore } from 'react';

/** Whether the page is light or dark; `system`: as everything else on the reader's screen. */
export type Theme = 'system' | 'light' | 'dark';

/** Where it is kept; web/public/assets/theme-1.js reads it before anything is painted. */
const PLACE = 'profclaw.theme';

const listeners = new Set<() => void>();

/** The theme that is chosen, and how to choose another one; all windows of this browser follow. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(subscribe, chosen), choose];
}

function chosen(): Theme {
  const kept = read();
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

function choose(theme: Theme): void {
  try {
    if (theme === 'system') localStorage.removeItem(PLACE);
    else localStorage.setItem(PLACE, theme);
  } catch {
    // A browser that keeps nothing: it holds until the page is closed.
  }
  apply(theme);
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function read(): string | null | undefined {
  try {
    return localStorage.getItem(PLACE) ?? document.documentElement.dataset.theme;
  } catch {
    return document.documentElement.dataset.theme;
  }
}

function subscribe(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent): void => {
    if (key === PLACE) apply(chosen());
  };
  listeners.add(listener);
  window.addEventListener('storage', onStorage);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', onStorage);
  };
}
