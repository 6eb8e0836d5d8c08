import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { asItIs, type Highlight, NOTHING_READ, type Reading, readOn } from './segments.ts';

/** Beyond this many characters code is shown as it is. */
const LONGEST = 200_000;
const LONGEST_LINE = 20_000;
/** Up to this many characters it is read before it is shown for the first time. */
const SHORT = 4000;
/** For each millisecond that reading took it rests so many. */
const REST = 9;
const SHORTEST_REST_MS = 30;

let loaded: Highlight | undefined;
let loading: Promise<Highlight> | undefined;

async function load(): Promise<Highlight> {
  loading ??= import('./highlight.ts').then(({ highlight }) => highlight);
  loaded = await loading;
  return loaded;
}

/**
 * Code with its colours, which come piece by piece, so that neither long nor growing code holds the page up.
 * @param isOpen more of it is to come.
 * @param longest beyond how many characters it has no colours.
 * @returns how far it has been read; what is behind that is to be shown as it is.
 */
export function useReading(text: string, language: string, isOpen: boolean, longest = LONGEST): Reading {
  const isPlain = language === '' || text.length > longest || hasLongLine(text);
  const [reading, setReading] = useState(() => readAtOnce(text, language, isPlain));
  const latest = useRef({ text, language, isOpen, isPlain });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const startedAt = useRef(0);
  const restMs = useRef(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: how long it takes until another reading is shown
  useLayoutEffect(() => {
    if (startedAt.current > 0) restMs.current = (performance.now() - startedAt.current) * REST;
    startedAt.current = 0;
  }, [reading]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: after each reading comes the next
  useEffect(() => {
    latest.current = { text, language, isOpen, isPlain };
    const read = async (): Promise<void> => {
      const highlight = latest.current.isPlain ? asItIs : (loaded ?? (await load().catch(() => asItIs)));
      timer.current = undefined;
      startedAt.current = performance.now();
      const now = latest.current;
      const end = now.isOpen ? now.text.lastIndexOf('\n') + 1 : now.text.length;
      setReading((before) => readOn(before, now.text, end, now.language, highlight));
    };
    timer.current ??= setTimeout(() => void read(), Math.max(restMs.current, isOpen ? SHORTEST_REST_MS : 0));
  }, [text, language, isOpen, isPlain, reading]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return text.startsWith(reading.text) ? reading : NOTHING_READ;
}

function readAtOnce(text: string, language: string, isPlain: boolean): Reading {
  if (text.length > SHORT) return NOTHING_READ;
  if (isPlain) return readOn(NOTHING_READ, text, text.length, language, asItIs);
  return loaded ? readOn(NOTHING_READ, text, text.length, language, loaded) : NOTHING_READ;
}

function hasLongLine(text: string): boolean {
  if (text.length <= LONGEST_LINE) return false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    if ((end < 0 ? text.length : end) - at > LONGEST_LINE) return true;
    if (end < 0) return false;
    at = end + 1;
  }
  return false;
}
