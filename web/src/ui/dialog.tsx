import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import './dialog.css';

/**
 * A dialog in front of everything; Escape, the cross and a click beside it close it, and the focus comes back to where
 * it was. The first thing in it that can take the focus gets it. Once something was typed in it, a click beside it does
 * nothing.
 * @param isKept a click beside it never closes it. @param onClose called when it is to be closed; without it, it stays until it is taken away.
 */
export function Dialog({
  title,
  isKept = false,
  onClose,
  children,
}: {
  title: string;
  isKept?: boolean;
  onClose?: (() => void) | undefined;
  children: ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const pressedBeside = useRef(false);
  const isTouched = useRef(false);
  const titleId = useId();
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        // Also of a file input within it.
        if (event.target !== dialog.current) return;
        event.preventDefault();
        onClose?.();
      }}
      onInput={() => {
        isTouched.current = true;
      }}
      // A selection that begins within it and ends beside it must not close it.
      onPointerDown={(event) => {
        pressedBeside.current = event.target === dialog.current && !isKept && !isTouched.current;
      }}
      onClick={(event) => event.target === dialog.current && pressedBeside.current && onClose?.()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        // The browser itself closes a dialog at the second Escape, whatever is said to the first.
        event.preventDefault();
        onClose?.();
      }}
    >
      <div className="dialog-inside">
        <h2 id={titleId}>{title}</h2>
        {children}
        {onClose && (
          <button type="button" className="quiet icon dialog-close" aria-label="Close" onClick={onClose}>
            <X size={18} aria-hidden="true" />
          </button>
        )}
      </div>
    </dialog>
  );
}
