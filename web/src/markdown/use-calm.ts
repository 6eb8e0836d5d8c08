import { useEffect, useLayoutEffect, useRef, useState } from 'react';

/** For each millisecond that showing it took the text stays so many as it is. */
const REST = 9;

/**
 * A text that grows, no more often anew than rendering it allows: it takes a tenth of the time at most, however long it
 * is.
 * @param isOpen it grows; else it is returned as it is.
 */
export function useCalm(text: string, isOpen: boolean): string {
  const [shown, setShown] = useState(text);
  const latest = useRef(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const restMs = useRef(0);
  const begun = performance.now();

  // biome-ignore lint/correctness/useExhaustiveDependencies: what it costs to show another text
  useLayoutEffect(() => {
    restMs.current = (performance.now() - begun) * REST;
  }, [shown]);

  useEffect(() => {
    latest.current = text;
    if (!isOpen) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setShown(latest.current);
    }, restMs.current);
  }, [text, isOpen]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return isOpen && text.startsWith(shown) ? shown : text;
}
