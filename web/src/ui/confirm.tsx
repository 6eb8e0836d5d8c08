import { type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';

/**
 * Asks before something is done that cannot be taken back. It closes itself when `onConfirm` has succeeded; when that
 * fails it stays and says why.
 * @param action what the button says that does it, such as “Delete the key”.
 */
export function Confirm({
  title,
  action,
  isDanger = true,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  action: string;
  isDanger?: boolean;
  onConfirm: () => unknown;
  onClose: () => void;
  children?: ReactNode;
}): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack">
        <div>{children}</div>
        <Problem error={error} />
        <div className="row dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" className={isDanger ? 'danger filled' : 'primary'} disabled={isBusy} onClick={confirm}>
            {action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
