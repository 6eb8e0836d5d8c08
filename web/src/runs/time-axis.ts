import type { Span } from './timeline.ts';

/** Where times are between 0 and 1. */
export interface TimeAxis {
  place(time: number): number;
  /** Stretches in which nothing was worked on are drawn shorter than they were. */
  isShortened: boolean;
}

/** A stretch in which nothing is worked on gets at most this part of what all the work takes. */
const MOST_IDLE = 0.2;

/**
 * An axis on which work stays visible beside waits: a person may take hours to answer a question about a call that
 * takes a second.
 * @param now in place of the end of what goes on, in milliseconds since 1970.
 */
export function axisOf(spans: readonly Span[], now: number): TimeAxis {
  const ends = spans.map((span) => ({ ...span, to: span.to ?? Math.max(now, span.from) }));
  const times = [...new Set(ends.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  const stretches = times.slice(1).map((to, index) => {
    const from = times[index] ?? to;
    const isWork = ends.some((span) => span.kind !== 'wait' && span.from <= from && span.to >= to);
    return { from, to, length: to - from, isWork };
  });
  const worked = stretches.reduce((sum, { isWork, length }) => sum + (isWork ? length : 0), 0);
  const mostIdle = worked > 0 ? worked * MOST_IDLE : Number.POSITIVE_INFINITY;
  const drawn = stretches.map((one) => ({ ...one, drawn: one.isWork ? one.length : Math.min(one.length, mostIdle) }));
  const total = drawn.reduce((sum, one) => sum + one.drawn, 0);
  const place = (time: number): number => {
    let before = 0;
    for (const { from, to, length, drawn: width } of drawn) {
      if (time <= from) break;
      before += time >= to ? width : (width * (time - from)) / length;
    }
    return total > 0 ? before / total : 0;
  };
  return { place, isShortened: drawn.some((one) => one.drawn < one.length) };
}
