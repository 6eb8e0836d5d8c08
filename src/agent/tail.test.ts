import { describe, expect, it, vi } from 'vitest';
import type { StoredEvent } from '../storage/run-events.ts';
import { Tail } from './tail.ts';

const NEVER = new AbortController().signal;
/** Longer than any test: whoever waits so long hangs. */
const LONG_MS = 1e6;

function events(from: number, to: number): StoredEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    return { seq, firstSeq: seq, type: 'content', data: '{}', timestamp: 0 };
  });
}

function numbers(some: readonly StoredEvent[] | undefined): number[] | undefined {
  return some?.map(({ seq }) => seq);
}

function tail(): Tail {
  return new Tail(() => {});
}

describe('what a tail keeps', () => {
  it('gives what comes after an event', () => {
    const log = tail();
    log.add(events(1, 3));
    log.add(events(4, 5));
    expect(numbers(log.after(0))).toEqual([1, 2, 3, 4, 5]);
    expect(numbers(log.after(3))).toEqual([4, 5]);
    expect(numbers(log.after(4))).toEqual([5]);
  });

  it('does not know what it has never seen: before its first, after its last, of none', () => {
    const log = tail();
    expect(log.after(0)).toBeUndefined();
    log.add(events(10, 12));
    expect(log.after(8)).toBeUndefined();
    expect(numbers(log.after(9))).toEqual([10, 11, 12]);
    expect(log.after(12)).toBeUndefined();
    expect(log.after(99)).toBeUndefined();
  });

  it('has no gap: what was stored elsewhere in between is read from the table', () => {
    const log = tail();
    log.add(events(1, 3));
    log.add(events(6, 7));
    expect(log.after(3)).toBeUndefined();
    expect(numbers(log.after(5))).toEqual([6, 7]);
  });

  it('does not go on from events that came late', () => {
    const log = tail();
    log.add(events(4, 5));
    log.add(events(1, 3));
    log.add(events(6, 6));
    // 4 and 5 are gone, so nothing may pretend that 6 comes after 3.
    expect(numbers(log.after(0)) ?? []).not.toContain(6);
    expect(log.after(3)).toBeUndefined();
    expect(numbers(log.after(5))).toEqual([6]);
  });

  it('keeps as much as somebody who is a little behind needs, and no more', () => {
    const log = tail();
    for (let seq = 1; seq <= 1000; seq++) log.add(events(seq, seq));
    expect(numbers(log.after(950))).toEqual(numbers(events(951, 1000)));
    expect(log.after(500)).toBeUndefined();
    log.add(events(1001, 2000));
    expect(numbers(log.after(1950))).toEqual(numbers(events(1951, 2000)));
    expect(log.after(1500)).toBeUndefined();
  });

  it('does not mind nothing', () => {
    const log = tail();
    log.add(events(1, 2));
    const { version } = log;
    log.add([]);
    expect(log.version).toBe(version);
    expect(numbers(log.after(0))).toEqual([1, 2]);
  });
});

describe('whoever waits', () => {
  it('is woken by events', async () => {
    const log = tail();
    const waiting = [1, 2].map(() => log.changed(log.version, LONG_MS, NEVER));
    log.add(events(1, 1));
    expect(await Promise.all(waiting)).toEqual([true, true]);
  });

  it('does not wait for what came since it looked', async () => {
    const log = tail();
    const { version } = log;
    log.add(events(1, 1));
    expect(await log.changed(version, LONG_MS, NEVER)).toBe(true);
  });

  it('is woken by a poke', async () => {
    const log = tail();
    const waiting = log.changed(log.version, LONG_MS, NEVER);
    log.poke();
    expect(await waiting).toBe(true);
  });

  it('is told when the time is over', async () => {
    vi.useFakeTimers();
    try {
      const log = tail();
      const waiting = log.changed(log.version, 15_000, NEVER);
      await vi.advanceTimersByTimeAsync(15_000);
      expect(await waiting).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    try {
      const log = tail();
      const leaving = new AbortController();
      const waiting = [NEVER, leaving.signal].map((signal) => log.changed(log.version, LONG_MS, signal));
      expect(vi.getTimerCount()).toBe(2);
      leaving.abort();
      log.poke();
      expect(await Promise.all(waiting)).toEqual([true, false]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('stops when it is told to, also before it begins', async () => {
    const log = tail();
    const leaving = new AbortController();
    const waiting = log.changed(log.version, LONG_MS, leaving.signal);
    leaving.abort();
    expect(await waiting).toBe(false);
    expect(await log.changed(log.version, LONG_MS, leaving.signal)).toBe(false);
  });

  it('hears of a log that has grown elsewhere, and of nothing that is known', async () => {
    const log = tail();
    log.add(events(1, 5));
    const { version } = log;
    log.hear(5);
    log.hear(4);
    expect(log.version).toBe(version);
    const waiting = log.changed(version, LONG_MS, NEVER);
    log.hear(6);
    expect(await waiting).toBe(true);
    expect(log.isGone).toBe(false);
  });

  it('hears that the run is gone', async () => {
    const log = tail();
    const waiting = log.changed(log.version, LONG_MS, NEVER);
    log.hear(undefined);
    expect(await waiting).toBe(true);
    expect(log.isGone).toBe(true);
  });
});

it('says when the last watcher has left', () => {
  let left = 0;
  const log = new Tail(() => left++);
  log.enter();
  log.enter();
  log.leave();
  expect(left).toBe(0);
  log.leave();
  expect(left).toBe(1);
});
