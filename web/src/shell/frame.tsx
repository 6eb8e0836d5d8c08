import { Menu as MenuIcon, Plus } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { useMedia } from '../ui/use-media.ts';
import { useShortcut } from '../ui/use-shortcut.ts';
import { useDocumentTitle, usePageName } from './page-title.ts';
import { Rail } from './rail.tsx';
import { Sidebar, WaitingBadge } from './sidebar.tsx';
import { useActivity } from './use-activity.ts';
import { useKept } from './use-kept.ts';
import './frame.css';

const ShortcutsDialog = lazy(async () => ({
  default: (await import('./shortcuts-dialog.tsx')).ShortcutsDialog,
}));

/** Where the sidebar covers the page in place of standing beside it. */
const NARROW = '(max-width: 48rem)';

/** What stands around every page: the sidebar, on a phone a drawer; the window's title; the keys that work everywhere. */
export function Frame({ children }: { children: ReactNode }): ReactNode {
  const [, go] = useLocation();
  const activity = useActivity();
  const name = usePageName();
  useDocumentTitle(name, activity.waiting);
  const main = useRef<HTMLElement>(null);
  const side = useSide(main);
  const [isHelping, setHelping] = useState(false);
  useShortcut('mod+shift+o', 'New chat', () => go('/'));
  useShortcut('?', 'Keyboard shortcuts', () => setHelping(true));
  return (
    <div className="frame">
      <button type="button" className="frame-skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      {side.isDrawer && (
        <header className="frame-top" inert={side.isOpen}>
          <button type="button" className="quiet icon frame-menu" onClick={side.open}>
            <MenuIcon size={20} aria-hidden="true" />
            <span className="visually-hidden">Show the sidebar</span>
            <WaitingBadge waiting={activity.waiting} />
          </button>
          <bdi className="grow">{name || 'New chat'}</bdi>
          <a className="button quiet icon" href="#/" aria-label="New chat">
            <Plus size={20} aria-hidden="true" />
          </a>
        </header>
      )}
      {!side.isOpen && !side.isDrawer && (
        <nav className="frame-rail" aria-label="Main">
          <Rail waiting={activity.waiting} onOpen={side.open} onSearch={side.openSearch} />
        </nav>
      )}
      {side.isOpen && side.isDrawer && <div className="frame-shade" aria-hidden="true" onClick={side.close} />}
      <nav className="frame-side" aria-label="Main" ref={side.nav} hidden={!side.isOpen}>
        <Sidebar
          activity={activity}
          isDrawer={side.isDrawer}
          onClose={side.close}
          onSearch={side.open}
          onShortcuts={() => setHelping(true)}
        />
      </nav>
      <main className="frame-main" id="main" tabIndex={-1} ref={main} inert={side.isDrawer && side.isOpen}>
        {activity.isLost && (
          <p role="status" className="frame-lost small">
            The server cannot be reached. Trying again…
          </p>
        )}
        {children}
      </main>
      {isHelping && (
        <Suspense>
          <ShortcutsDialog onClose={() => setHelping(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Whether the sidebar is there: kept where there is room for it, on a phone until something was chosen. */
function useSide(main: React.RefObject<HTMLElement | null>) {
  const [location] = useLocation();
  const isDrawer = useMedia(NARROW);
  const [isAway, setAway] = useKept('profclaw.sidebar-hidden');
  const [isDrawn, setDrawn] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const isOpen = isDrawer ? isDrawn : !isAway;
  const set = (next: boolean): void => (isDrawer ? setDrawn(next) : setAway(!next));

  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever it leads to, going somewhere closes the drawer
  useEffect(() => setDrawn(false), [location]);
  const wasDrawn = useRef(false);
  useEffect(() => {
    if (isDrawn) nav.current?.querySelector<HTMLElement>('a')?.focus();
    else if (wasDrawn.current) main.current?.focus();
    wasDrawn.current = isDrawn;
  }, [isDrawn, main]);
  useShortcut('escape', 'Close the sidebar', () => setDrawn(false), { isOff: !isDrawn });
  const openSearch = (): void => {
    set(true);
    requestAnimationFrame(() => nav.current?.querySelector('input')?.focus());
  };
  return { isDrawer, isOpen, nav, open: () => set(true), close: () => set(false), openSearch };
}
