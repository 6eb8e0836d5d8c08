import { ListChecks, PanelLeftClose, Plus, Settings, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { AccountMenu } from './account-menu.tsx';
import { Conversations } from './conversations.tsx';
import { MoreMenu } from './more-menu.tsx';
import { ThemeMenu } from './theme-menu.tsx';
import type { Activity } from './use-activity.ts';

/**
 * What is beside every page: the conversations, and ways to everything else.
 * @param onClose puts it away. @param onSearch it must be seen. @param onShortcuts shows the list of keys.
 */
export function Sidebar({
  activity,
  isDrawer,
  onClose,
  onSearch,
  onShortcuts,
}: {
  activity: Activity;
  isDrawer: boolean;
  onClose: () => void;
  onSearch: () => void;
  onShortcuts: () => void;
}): ReactNode {
  const [location] = useLocation();
  const current = (path: string): 'page' | undefined => (location.startsWith(path) ? 'page' : undefined);
  return (
    <>
      <div className="frame-brand">
        <img src="./icon.svg" alt="" width={24} height={24} />
        <strong className="grow">profclaw</strong>
        <MoreMenu onShortcuts={onShortcuts} />
        <button type="button" className="quiet icon" aria-label="Hide the sidebar" onClick={onClose}>
          {isDrawer ? <X size={18} aria-hidden="true" /> : <PanelLeftClose size={18} aria-hidden="true" />}
        </button>
      </div>
      <a className="button frame-new" href="#/" aria-current={location === '/' ? 'page' : undefined}>
        <Plus size={18} aria-hidden="true" />
        New chat
      </a>
      <Conversations activity={activity} onSearch={onSearch} />
      <div className="frame-links">
        <a href="#/runs" aria-current={current('/runs')}>
          <ListChecks size={18} aria-hidden="true" />
          <span className="grow">Runs</span>
          <WaitingBadge waiting={activity.waiting} />
        </a>
        <div className="frame-foot">
          <a href="#/settings" aria-current={current('/settings')}>
            <Settings size={18} aria-hidden="true" />
            <span className="grow">Settings</span>
          </a>
          <ThemeMenu />
        </div>
        <AccountMenu />
      </div>
    </>
  );
}

/** How many questions wait for an answer; nothing if none does. */
export function WaitingBadge({ waiting }: { waiting: number }): ReactNode {
  if (waiting === 0) return null;
  return (
    <span className="badge frame-waiting">
      {waiting > 99 ? '99+' : waiting}
      <span className="visually-hidden"> {waiting === 1 ? 'approval waits' : 'approvals wait'}</span>
    </span>
  );
}
