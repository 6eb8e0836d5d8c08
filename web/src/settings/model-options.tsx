import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { Problem } from '../ui/problem.tsx';
import type { ModelOption, ModelRows } from './model-rows.ts';

/** How much of the page's height the list takes at most, in pixels, and how far from the edge it stays. */
const MOST_PX = 420;
const EDGE_PX = 8;

/** The list under a model picker's input, or above it where there is more room; in front of everything. */
export function ModelOptions({
  id,
  label,
  input,
  rows,
  value,
  active,
  isLoading,
  error,
  onChoose,
}: {
  id: string;
  label: string;
  input: RefObject<HTMLInputElement | null>;
  rows: ModelRows;
  value: string | null;
  /** Counted over all groups. */
  active: number;
  isLoading: boolean;
  error: unknown;
  onChoose: (option: ModelOption) => void;
}): ReactNode {
  const popup = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = (): void => placeAt(popup.current, input.current);
    popup.current?.showPopover();
    place();
    const screen = window.visualViewport;
    window.addEventListener('scroll', place, true);
    screen?.addEventListener('resize', place);
    return () => {
      window.removeEventListener('scroll', place, true);
      screen?.removeEventListener('resize', place);
    };
  }, [input]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: also when other options are shown
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, active, rows]);
  let count = 0;
  return (
    // The focus stays in the input.
    <div ref={popup} popover="manual" className="model-picker-popup" onPointerDown={keepFocus}>
      <div id={`${id}-list`} role="listbox" aria-label={label} className="model-picker-list" tabIndex={-1}>
        {rows.groups.map(({ heading, options }) => {
          const first = count;
          count += options.length;
          return (
            // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be in a listbox
            <div key={`${heading}${first}`} role="group" aria-label={heading || undefined}>
              {heading !== '' && (
                <div className="model-picker-heading" aria-hidden="true">
                  {heading}
                </div>
              )}
              {options.map((option, index) => (
                // biome-ignore lint/a11y/useFocusableInteractive: the input has the focus, and says which is active
                // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys
                <div
                  key={option.value}
                  id={`${id}-${first + index}`}
                  role="option"
                  aria-selected={option.value === value}
                  data-active={first + index === active || undefined}
                  className="model-picker-option"
                  onClick={() => onChoose(option)}
                >
                  <span>{option.text}</span>
                  {option.about !== '' && <span className="small muted">{option.about}</span>}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      <div className="model-picker-foot small muted">
        {isLoading && <span role="status">The models are being listed…</span>}
        <Problem error={error} />
        {rows.left > 0 && <span>{rows.left} more: type to narrow</span>}
        <a href="#/settings/providers">Set up providers</a>
      </div>
    </div>
  );
}

function keepFocus(event: React.PointerEvent): void {
  if (!(event.target instanceof HTMLAnchorElement)) event.preventDefault();
}

function placeAt(popup: HTMLElement | null, input: HTMLElement | null): void {
  if (!popup || !input) return;
  const { left, top, bottom, width } = input.getBoundingClientRect();
  const { clientWidth } = document.documentElement;
  const height = window.visualViewport?.height ?? window.innerHeight;
  const below = height - bottom - 2 * EDGE_PX;
  const above = top - 2 * EDGE_PX;
  const isBelow = below >= Math.min(MOST_PX, above);
  const wide = Math.min(Math.max(width, 352), clientWidth - 2 * EDGE_PX);
  popup.style.width = `${wide}px`;
  popup.style.left = `${Math.min(Math.max(left, EDGE_PX), clientWidth - wide - EDGE_PX)}px`;
  popup.style.maxHeight = `${Math.min(MOST_PX, isBelow ? below : above)}px`;
  popup.style.top = isBelow ? `${bottom + 4}px` : 'auto';
  popup.style.bottom = isBelow ? 'auto' : `${window.innerHeight - top + 4}px`;
}
