import { type ReactNode, type RefObject, useRef } from 'react';
import { useShortcut } from '../ui/use-shortcut.ts';

/** Where what is seldom changed stands, until Escape is pressed in it. @param field gets the focus then */
export function OptionsPanel({
  field,
  setIsShown,
  children,
}: {
  field: RefObject<HTMLElement | null>;
  setIsShown: (isShown: boolean) => void;
  children: ReactNode;
}): ReactNode {
  const panel = useRef<HTMLDivElement>(null);
  const close = (): void => {
    setIsShown(false);
    field.current?.focus();
  };
  useShortcut('escape', 'Close the model and more', close, { within: panel });
  return (
    <div ref={panel} className="composer-options">
      {children}
    </div>
  );
}
