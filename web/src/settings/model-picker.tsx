import { ChevronDown } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import { ModelOptions } from './model-options.tsx';
import type { ModelOption } from './model-rows.ts';
import { useModelRows } from './model-use-rows.ts';
import './model-picker.css';

/**
 * Chooses a model: type to filter, or type the name of one that is not listed.
 * @param value what a request has as its model (`provider/model` or a short name); null for the default.
 */
export function ModelPicker({
  value,
  onChange,
  label,
}: {
  value: string | null;
  onChange: (model: string | null) => void;
  label: string;
}): ReactNode {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState<string>();
  // By its value, since the list grows while it is open; undefined: the first.
  const [chosen, setChosen] = useState<string | null>();
  const { rows, defaultText, isPending, error } = useModelRows(isOpen, typed ?? '');
  const options = rows.groups.flatMap((group) => group.options);
  const active = Math.max(
    0,
    options.findIndex((option) => option.value === chosen),
  );
  const shown = typed ?? value ?? `Default (${defaultText})`;

  const open = (): void => {
    if (isOpen) return;
    setOpen(true);
    setChosen(value);
    input.current?.select();
  };
  const close = (): void => {
    setOpen(false);
    setTyped(undefined);
  };
  const choose = (option: ModelOption | undefined): void => {
    close();
    if (option && option.value !== value) onChange(option.value);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (isOpen) setChosen(options[stepped(active, step, options.length)]?.value);
      else open();
    } else if (event.key === 'Enter') {
      // A form around it is not meant.
      event.preventDefault();
      if (isOpen) choose(options[active]);
      else open();
    } else if (event.key === 'Escape' && isOpen) {
      // Of the page nothing else is meant.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing can be done with it; the focus leaves what is in it
    <div className="model-picker" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && close()}>
      <label htmlFor={id}>{label}</label>
      <input
        ref={input}
        id={id}
        role="combobox"
        type="text"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && options.length > 0 ? `${id}-${active}` : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={shown}
        onClick={open}
        onChange={(event) => {
          setOpen(true);
          setTyped(event.target.value);
          setChosen(undefined);
        }}
        onKeyDown={onKeyDown}
      />
      <ChevronDown className="model-picker-mark" size={16} aria-hidden />
      {isOpen && (
        <ModelOptions
          id={id}
          label={label}
          input={input}
          rows={rows}
          value={value}
          active={active}
          isLoading={isPending}
          error={error}
          onChoose={choose}
        />
      )}
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

/** One step goes round; a page stops at the ends. */
function stepped(at: number, step: number, count: number): number {
  if (count === 0) return 0;
  return Math.abs(step) === 1 ? (at + step + count) % count : Math.min(count - 1, Math.max(0, at + step));
}
