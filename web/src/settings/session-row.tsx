import { timeWords } from '../runs/run-words.ts';

/** A session, as the API shows it. */
export interface Session {
  id: string;
  /** The one that asks. */
  current: boolean;
  address: string;
  userAgent: string;
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
}

/** A session; this one cannot be ended here, logging out does that. */
export function SessionRow({
  session,
  isBusy,
  onEnd,
}: {
  session: Session;
  isBusy: boolean;
  onEnd: () => void;
}): React.ReactNode {
  const { current, address, userAgent, createdAt, lastSeenAt, expiresAt } = session;
  const name = browserWords(userAgent);
  return (
    <li className="card">
      <div className="row">
        <span className="access-name grow" title={userAgent}>
          {name}
        </span>
        {current ? (
          <span className="badge good">this one</span>
        ) : (
          <button type="button" className="danger" aria-label={`End ${name}`} disabled={isBusy} onClick={onEnd}>
            End
          </button>
        )}
      </div>
      <div className="access-facts small muted">
        <span>from {address}</span>
        <span>last seen {timeWords(lastSeenAt)}</span>
        <span>begun {timeWords(createdAt)}</span>
        <span>ends {timeWords(expiresAt)}</span>
      </div>
    </li>
  );
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** What a browser calls itself, shorter; as it is if it is none that is known. */
function browserWords(userAgent: string): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (browser === undefined) return userAgent === '' ? 'A program without a name' : userAgent;
  return system === undefined ? browser : `${browser} on ${system}`;
}
