import type { Page } from 'playwright-core';

/** How a page moved for some time. */
export interface Frames {
  seconds: number;
  /** Share of the frames of 60 a second that did not come. */
  dropped: number;
  /** Milliseconds between two frames. */
  p50: number;
  p99: number;
  longest: number;
  /** Tasks of more than 50 ms, and how long they were altogether, in milliseconds. */
  longTasks: number;
  longTaskMs: number;
}

const FRAME_MS = 1000 / 60;

/** Counts the frames that a page shows while something is done with it. */
export async function countFrames(page: Page, seconds: number, during: () => Promise<void>): Promise<Frames> {
  const counted = page.evaluate<{ gaps: number[]; tasks: number[] }>(`new Promise((resolve) => {
    const gaps = [], tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)));
    observer.observe({ entryTypes: ['longtask'] });
    const begun = performance.now();
    let last;
    const frame = (now) => {
      if (last !== undefined) gaps.push(now - last);
      last = now;
      if (now - begun < ${seconds * 1000}) requestAnimationFrame(frame);
      else { observer.disconnect(); resolve({ gaps, tasks }); }
    };
    requestAnimationFrame(frame);
  })`);
  await during();
  const { gaps, tasks } = await counted;
  const sorted = gaps.toSorted((a, b) => a - b);
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  const missing = gaps.reduce((sum, gap) => sum + Math.max(0, Math.round(gap / FRAME_MS) - 1), 0);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    seconds,
    dropped: missing / (total / FRAME_MS),
    p50: at(0.5),
    p99: at(0.99),
    longest: at(1),
    longTasks: tasks.length,
    longTaskMs: tasks.reduce((sum, one) => sum + one, 0),
  };
}
