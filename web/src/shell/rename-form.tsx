import { type ReactNode, useEffect, useRef, useState } from 'react';

/** A conversation's title being changed in place: Enter and going elsewhere keep it, Escape does not. */
export function RenameForm({
  title,
  onRename,
  onClose,
}: {
  title: string;
  onRename: (title: string) => void;
  /** @param isByKey the focus should go back to where it was. */
  onClose: (isByKey: boolean) => void;
}): ReactNode {
  const [value, setValue] = useState(title);
  const input = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useEffect(() => input.current?.select(), []);
  const end = (isKept: boolean, isByKey: boolean): void => {
    // Taking the field away takes the focus away as well, which would be a second end.
    if (isOver.current) return;
    isOver.current = true;
    const next = value.trim();
    if (isKept && next !== '' && next !== title) onRename(next);
    onClose(isByKey);
  };
  return (
    <form
      className="grow"
      onSubmit={(event) => {
        event.preventDefault();
        end(true, true);
      }}
    >
      <input
        ref={input}
        aria-label="Title"
        maxLength={500}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        onBlur={() => end(true, false)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Escape') end(false, true);
        }}
      />
    </form>
  );
}
