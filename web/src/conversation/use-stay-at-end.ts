import {
  type KeyboardEvent as Key,
  type PointerEvent as Press,
  type RefObject,
  type TouchEvent as Touch,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type WheelEvent as Wheel,
} from 'react';
import type { VListHandle } from 'virtua';
import type { Entry } from './entries.ts';

/** So near to the end, in pixels, counts as there. */
const NEAR = 48;
/** So long after somebody began to scroll up, what still comes of scrolling to the end does not count; milliseconds. */
const AWAY_MS = 250;
const KEYS_UP = ['ArrowUp', 'PageUp', 'Home'];

/** Keeps a growing list at its end, unless the reader has scrolled up. */
export interface AtEnd {
  isAtEnd: boolean;
  toEnd: () => void;
  onScroll: (offset: number) => void;
  onResize: () => void;
  /** To be told of whatever a person does that may scroll up: what grows would else pull them back before they get away. */
  onInput: (event: Wheel | Touch | Key | Press) => void;
}

/** @param last the last entry: a message that one has just sent is gone to wherever one was. */
export function useStayAtEnd(list: RefObject<VListHandle | null>, count: number, last: Entry | undefined): AtEnd {
  const lastKey = last?.key;
  const isMine = last?.type === 'user' && last.isSending;
  const [isAtEnd, setIsAtEnd] = useState(true);
  const stays = useRef(true);
  const before = useRef({ offset: 0, size: 0, viewport: 0, leftAt: -AWAY_MS });
  const setStays = useCallback((value: boolean) => {
    stays.current = value;
    setIsAtEnd(value);
  }, []);
  const goToEnd = useCallback(() => {
    if (count > 0) list.current?.scrollToIndex(count - 1, { align: 'end' });
  }, [list, count]);
  useLayoutEffect(() => {
    if (isMine) setStays(true);
    if (stays.current && lastKey !== undefined) goToEnd();
  }, [goToEnd, setStays, lastKey, isMine]);
  useEffect(() => {
    // What is measured later moves the end once more.
    const frame = requestAnimationFrame(() => stays.current && goToEnd());
    return () => cancelAnimationFrame(frame);
  }, [goToEnd]);
  return {
    isAtEnd,
    toEnd: () => {
      setStays(true);
      goToEnd();
    },
    onInput: (event) => {
      if (!list.current || list.current.scrollOffset <= 0 || !isUpwards(event)) return;
      before.current.leftAt = performance.now();
      // A scroll to the end that is under way would be gone on with.
      if (stays.current) list.current.scrollBy(0);
      setStays(false);
    },
    onResize: () => {
      const { current } = list;
      if (!current) return;
      const { viewportSize, scrollOffset } = current;
      const isLarger = viewportSize > before.current.viewport;
      before.current.viewport = viewportSize;
      if (stays.current) goToEnd();
      // A window that has become larger shows the end without anybody's doing.
      else if (isLarger && isNear(current, scrollOffset)) setStays(true);
    },
    onScroll: (offset) => {
      const { current } = list;
      if (!current) return;
      const { scrollSize } = current;
      const last = before.current;
      // Entries above that turn out larger or smaller move the offset as well; then the whole is of another size.
      const isUp = offset < last.offset - 1 && scrollSize === last.size;
      const isDown = offset > last.offset && performance.now() - last.leftAt > AWAY_MS;
      before.current = { ...last, offset, size: scrollSize };
      if (isNear(current, offset) && (isDown || stays.current)) setStays(true);
      else if (isUp) setStays(false);
    },
  };
}

function isUpwards({ type, nativeEvent, currentTarget, target }: Parameters<AtEnd['onInput']>[0]): boolean {
  if (nativeEvent instanceof WheelEvent) return nativeEvent.deltaY < 0;
  if (nativeEvent instanceof KeyboardEvent)
    return (
      KEYS_UP.includes(nativeEvent.key) && !(target instanceof Element && target.closest('input, textarea, select'))
    );
  // Of a press, only one on the scroll bar.
  if (nativeEvent instanceof PointerEvent)
    return target instanceof Element && target !== currentTarget && nativeEvent.offsetX >= target.clientWidth;
  return type === 'touchmove';
}

function isNear({ scrollSize, viewportSize }: VListHandle, offset: number): boolean {
  return scrollSize - viewportSize - offset <= NEAR;
}
