import { Search } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { flushSync } from 'react-dom';
import { useShortcut } from '../ui/use-shortcut.ts';

/** Where one types what is searched for. Escape empties it; the arrow down and Enter lead to what was found. */
export function SearchField({
  value,
  onChange,
  onSearch,
}: {
  value: string;
  onChange: (value: string) => void;
  /** The key for it was pressed: it must be there to be seen. */
  onSearch: () => void;
}): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  useShortcut('mod+k', 'Search conversations', () => {
    // It may have to appear first, and what is typed next is for it.
    flushSync(onSearch);
    input.current?.select();
  });
  return (
    <search className="frame-search">
      <Search size={16} aria-hidden="true" />
      <input
        ref={input}
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        maxLength={200}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value !== '') {
            event.preventDefault();
            event.stopPropagation();
            onChange('');
          } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
            event.preventDefault();
            document.querySelector<HTMLElement>('.conversation-list a')?.focus();
          }
        }}
      />
    </search>
  );
}
