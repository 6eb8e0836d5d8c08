import { CopyButton } from '../ui/copy-button.tsx';
import './access.css';

/**
 * A secret that the server does not keep, to be copied now or never.
 * @param label what it is, such as “API key”.
 */
export function ShownOnce({ label, secret }: { label: string; secret: string }): React.ReactNode {
  return (
    <div className="stack">
      <p className="warn access-text">
        This is shown only now: the server keeps no copy of it. Put it where you keep passwords.
      </p>
      <section className="stack" aria-label={label}>
        <code className="access-secret">{secret}</code>
      </section>
      <div>
        <CopyButton text={secret} label={`Copy the ${label}`}>
          Copy
        </CopyButton>
      </div>
    </div>
  );
}
