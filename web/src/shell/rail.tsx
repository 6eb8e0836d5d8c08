import { ListChecks, PanelLeftOpen, Plus, Search, Settings } from 'lucide-react';
import type { ReactNode } from 'react';
import { WaitingBadge } from './sidebar.tsx';

/** What is left of the sidebar when it is put away. */
export function Rail({
  waiting,
  onOpen,
  onSearch,
}: {
  waiting: number;
  onOpen: () => void;
  onSearch: () => void;
}): ReactNode {
  return (
    <>
      <button type="button" className="quiet icon" aria-label="Show the sidebar" onClick={onOpen}>
        <PanelLeftOpen size={18} aria-hidden="true" />
      </button>
      <a className="button quiet icon" href="#/" aria-label="New chat" title="New chat">
        <Plus size={18} aria-hidden="true" />
      </a>
      <button type="button" className="quiet icon" aria-label="Search" title="Search" onClick={onSearch}>
        <Search size={18} aria-hidden="true" />
      </button>
      <span className="grow" />
      <a className="button quiet icon frame-rail-runs" href="#/runs" title="Runs">
        <ListChecks size={18} aria-hidden="true" />
        <span className="visually-hidden">Runs</span>
        <WaitingBadge waiting={waiting} />
      </a>
      <a className="button quiet icon" href="#/settings" aria-label="Settings" title="Settings">
        <Settings size={18} aria-hidden="true" />
      </a>
    </>
  );
}
