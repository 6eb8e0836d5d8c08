import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import './menu.css';

/** One thing that a menu offers. */
export interface MenuItem {
  label: string;
  run: () => void;
  icon?: ReactNode;
  /** It destroys something. */
  isDanger?: boolean;
  isDisabled?: boolean;
  /** One of several, and this is the one that holds: the item is a radio button then. */
  isChecked?: boolean;
}

/**
 * A button that opens a menu. Arrow keys, Home, End and first letters move within it, Escape closes it, and the focus
 * comes back to the button before an item's `run` is called.
 * @param label of the button, for who does not see its icon.
 * @param children what the button shows.
 */
export function Menu({
  label,
  items,
  children,
  className = 'quiet icon',
  tabIndex,
}: {
  label: string;
  items: readonly MenuItem[];
  children: ReactNode;
  className?: string;
  tabIndex?: number;
}): ReactNode {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const close = (): void => {
    list.current?.hidePopover();
    button.current?.focus();
  };
  const open = (end: 'first' | 'last'): void => {
    list.current?.showPopover();
    const buttons = itemsOf(list.current);
    (end === 'first' ? buttons[0] : buttons.at(-1))?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        tabIndex={tabIndex}
        // The browser closes a popover at the press, before the click would open it again.
        onPointerDown={(event) => isOpen && event.preventDefault()}
        onClick={() => (isOpen ? close() : open('first'))}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          event.stopPropagation();
          open(event.key === 'ArrowDown' ? 'first' : 'last');
        }}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        role="menu"
        tabIndex={-1}
        aria-label={label}
        popover="auto"
        className="menu"
        onBeforeToggle={(event) => {
          const isOpening = event.newState === 'open';
          if (isOpening && list.current && button.current) place(list.current, button.current);
        }}
        onToggle={(event) => setOpen(event.newState === 'open')}
        onKeyDown={(event) => onKeyDown(event, close)}
      >
        {items.map((item) => (
          <Item key={item.label} item={item} onChoose={close} />
        ))}
      </div>
    </>
  );
}

function Item({ item, onChoose }: { item: MenuItem; onChoose: () => void }): ReactNode {
  const { label, icon, isDanger, isDisabled, isChecked, run } = item;
  const role = isChecked === undefined ? { role: 'menuitem' } : { role: 'menuitemradio', 'aria-checked': isChecked };
  return (
    <button
      type="button"
      {...role}
      tabIndex={-1}
      disabled={isDisabled}
      className={isDanger ? 'quiet danger' : 'quiet'}
      onClick={(event) => {
        event.stopPropagation();
        onChoose();
        run();
      }}
    >
      {icon}
      <span className="grow">{label}</span>
      {isChecked && <span aria-hidden="true">✓</span>}
    </button>
  );
}

function itemsOf(list: HTMLElement | null): HTMLButtonElement[] {
  return [...(list?.querySelectorAll<HTMLButtonElement>('button:not(:disabled)') ?? [])];
}

function onKeyDown(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  event.stopPropagation();
  if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    close();
    return;
  }
  const items = itemsOf(event.currentTarget);
  const { activeElement } = document;
  const at = activeElement instanceof HTMLButtonElement ? items.indexOf(activeElement) : -1;
  const next = nextOf(event.key, items, at);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function nextOf(key: string, items: readonly HTMLButtonElement[], at: number): HTMLButtonElement | undefined {
  switch (key) {
    case 'ArrowDown':
      return items[(at + 1) % items.length];
    case 'ArrowUp':
      return items.at(at <= 0 ? -1 : at - 1);
    case 'Home':
      return items[0];
    case 'End':
      return items.at(-1);
    default: {
      if (key.length !== 1 || key === ' ') return undefined;
      const later = [...items.slice(at + 1), ...items.slice(0, at + 1)];
      return later.find((item) => item.textContent.trim().toLowerCase().startsWith(key.toLowerCase()));
    }
  }
}

/** Below the button, or above it where there is more room; within the window. */
function place(list: HTMLElement, button: HTMLElement): void {
  const { top, bottom, left, right } = button.getBoundingClientRect();
  const isBelow = window.innerHeight - bottom > top;
  const isRight = window.innerWidth - left > right;
  Object.assign(list.style, {
    top: isBelow ? `${bottom + 4}px` : 'auto',
    bottom: isBelow ? 'auto' : `${window.innerHeight - top + 4}px`,
    left: isRight ? `${left}px` : 'auto',
    right: isRight ? 'auto' : `${window.innerWidth - right}px`,
    maxHeight: `${Math.max(isBelow ? window.innerHeight - bottom : top, 120) - 12}px`,
  });
}
