import { type ComponentType, lazy, type ReactNode, Suspense } from 'react';
import { type Scope, useMe } from '../login/use-me.ts';
import { Spinner } from '../ui/spinner.tsx';
import './settings-page.css';

interface Section {
  path: string;
  title: string;
  /** What it asks the server for; without one, everybody may. */
  scope?: Scope;
  Content: ComponentType;
}

const SECTIONS: readonly Section[] = [
  {
    path: 'providers',
    title: 'Providers',
    Content: lazy(async () => ({ default: (await import('./providers.tsx')).ProvidersSection })),
  },
  {
    path: 'rules',
    title: 'Rules',
    scope: 'conversations:read',
    Content: lazy(async () => ({ default: (await import('./rules-section.tsx')).RulesSection })),
  },
  {
    path: 'mcp',
    title: 'Tool servers',
    scope: 'providers:write',
    Content: lazy(async () => ({ default: (await import('./mcp-section.tsx')).McpSection })),
  },
  {
    path: 'keys',
    title: 'API keys',
    Content: lazy(async () => ({ default: (await import('./keys-section.tsx')).KeysSection })),
  },
  {
    path: 'sessions',
    title: 'Sessions',
    Content: lazy(async () => ({ default: (await import('./sessions-section.tsx')).SessionsSection })),
  },
  {
    path: 'account',
    title: 'Account',
    Content: lazy(async () => ({ default: (await import('./account-section.tsx')).AccountSection })),
  },
  {
    path: 'users',
    title: 'Users',
    scope: 'admin',
    Content: lazy(async () => ({ default: (await import('./users-section.tsx')).UsersSection })),
  },
];

/** All that can be set, in sections, of which the address names one; those that the caller may not see are left out. */
export function SettingsPage({ section = 'providers' }: { section: string | undefined }): ReactNode {
  const { scopes } = useMe();
  const open = SECTIONS.filter(({ scope }) => scope === undefined || scopes.includes(scope));
  const current = open.find(({ path }) => path === section);
  return (
    <div className="settings-page">
      <h1>Settings</h1>
      <nav aria-label="Settings" className="settings-page-nav">
        {open.map(({ path, title }) => (
          <a key={path} href={`#/settings/${path}`} aria-current={path === section ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div className="settings-page-content">
        {current && (
          <Suspense fallback={<Spinner label="Loading…" />}>
            <current.Content />
          </Suspense>
        )}
        {!current && <p>There is no such section, or it is not yours to see.</p>}
      </div>
    </div>
  );
}
