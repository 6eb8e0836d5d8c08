import { Check, Copy, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { copyText } from './copy-text.ts';

/** How long it shows that it has copied, in milliseconds. */
const SHOWN_MS = 2000;

/**
 * Copies a text, and says so.
 * @param text what is copied, or how to get it at the click.
 * @param label what is copied, such as “Copy the key”.
 * @param children shown beside the icon; without them there is only the icon.
 */
export function CopyButton({
  text,
  label,
  children,
  className,
}: {
  text: string | (() => string | Promise<string>);
  label: string;
  children?: ReactNode;
  className?: string;
}): ReactNode {
  const [outcome, setOutcome] = useState<'copied' | 'failed'>();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (): Promise<void> => {
    try {
      await copyText(typeof text === 'string' ? text : await text());
      setOutcome('copied');
    } catch {
      setOutcome('failed');
    }
  };
  const Icon = outcome === undefined ? Copy : outcome === 'copied' ? Check : X;
  return (
    <button
      type="button"
      className={className ?? (children === undefined ? 'quiet icon' : undefined)}
      aria-label={children === undefined ? label : undefined}
      title={label}
      onClick={copy}
    >
      <Icon size={16} aria-hidden="true" />
      {children}
      <span role="status" className="visually-hidden">
        {outcome === 'copied' ? 'Copied' : outcome === 'failed' ? 'Could not be copied' : ''}
      </span>
    </button>
  );
}
