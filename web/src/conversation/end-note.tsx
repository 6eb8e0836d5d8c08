import type { EndEntry } from './entries.ts';
import type { TurnActions } from './use-turn-actions.ts';
import './end-note.css';

/** Codes that say that something is wrong with the settings. */
const OF_SETTINGS = ['no_provider', 'provider_auth', 'provider_not_configured', 'model_not_found'];

/** What kind of failure it is, of those that were tried several times. */
const PASSING: Readonly<Record<string, string>> = {
  provider_rate_limited: 'The provider takes no more requests for now.',
  provider_unavailable: 'The provider is not available.',
  provider_timeout: 'The provider did not answer in time.',
  provider_protocol: 'The provider broke its answer off, or it could not be read.',
};

/** Why an answer ended early, and what to do about it. */
export function EndNote({ entry, actions }: { entry: EndEntry; actions: TurnActions }): React.ReactNode {
  const { kind, code, message, isLast } = entry;
  if (kind === 'stopped') return <p className="end-note small muted">Stopped.</p>;
  if (kind === 'limit') return <p className="end-note small warn">{message}</p>;
  return (
    <div className="end-note end-failed" role={isLast ? 'alert' : undefined}>
      <p>{code === 'interrupted' ? 'The server stopped in the middle of the answer.' : message}</p>
      {PASSING[code] && <p className="small muted">{PASSING[code]}</p>}
      <div className="row">
        {isLast && (
          <button type="button" disabled={actions.isRetrying} onClick={actions.retry}>
            {actions.isRetrying ? 'Trying again…' : 'Retry'}
          </button>
        )}
        {OF_SETTINGS.includes(code) && (
          <a className="button" href="#/settings/providers">
            Open the settings
          </a>
        )}
      </div>
    </div>
  );
}
