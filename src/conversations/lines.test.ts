import { afterEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../errors.ts';
import { Lines } from './lines.ts';

const NEVER = 1_000_000;
const late = (): AppError => new AppError('conflict', 'late');
const stays = new AbortController().signal;

afterEach(() => vi.useRealTimers());

/** Lets everybody go on who can. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** Enters, and notes in `log` who is in. */
function enter(lines: Lines, log: string[], name: string, signal = stays): Promise<() => void> {
  const entered = lines.enter('key', NEVER, signal, late);
  entered.then(
    () => log.push(name),
    (error: Error) => log.push(`${name}: ${error.message}`),
  );
  return entered;
}

describe('a line', () => {
  it('lets one in at a time, in the order in which they came', async () => {
    const lines = new Lines();
    const log: string[] = [];
    const all = ['a', 'b', 'c'].map((name) => enter(lines, log, name));
    for (const [i, entered] of all.entries()) {
      await settle();
      expect(log).toEqual(['a', 'b', 'c'].slice(0, i + 1));
      (await entered)();
    }
    await enter(lines, log, 'd');
    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of one key is none of another’s', async () => {
    const lines = new Lines();
    await lines.enter('one', NEVER, stays, late);
    await expect(lines.enter('two', NEVER, stays, late)).resolves.toBeTypeOf('function');
  });

  it('is left by who goes away while waiting, and the others move up', async () => {
    const lines = new Lines();
    const log: string[] = [];
    const callers = ['b', 'c'].map(() => new AbortController());
    const first = enter(lines, log, 'a');
    enter(lines, log, 'b', callers[0]!.signal).catch(() => {});
    enter(lines, log, 'c', callers[1]!.signal).catch(() => {});
    const last = enter(lines, log, 'd');
    callers[0]!.abort();
    callers[1]!.abort(new AppError('shutting_down', 'stopping'));
    await settle();
    expect(log).toEqual(['a', 'b: The caller has gone', 'c: stopping']);
    (await first)();
    (await last)();
    expect(log.at(-1)).toBe('d');
  });

  it('is not entered by who has gone already, and not held up by it', async () => {
    const lines = new Lines();
    await expect(lines.enter('key', NEVER, AbortSignal.abort(), late)).rejects.toThrow('The caller has gone');
    await expect(lines.enter('key', NEVER, stays, late)).resolves.toBeTypeOf('function');
  });

  it('does not mind who goes away after the turn has come', async () => {
    const lines = new Lines();
    const log: string[] = [];
    const caller = new AbortController();
    const first = enter(lines, log, 'a');
    const second = enter(lines, log, 'b', caller.signal);
    const third = enter(lines, log, 'c');
    (await first)();
    await second;
    caller.abort();
    await settle();
    expect(log).toEqual(['a', 'b']);
    (await second)();
    await third;
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('is left after the longest wait, which does not go on once the turn has come', async () => {
    vi.useFakeTimers();
    const lines = new Lines();
    const leave = await lines.enter('key', NEVER, stays, late);
    const short = lines.enter('key', 100, stays, late);
    const long = lines.enter('key', 200, stays, late);
    const outcome = expect(short).rejects.toThrow('late');
    await vi.advanceTimersByTimeAsync(100);
    await outcome;
    leave();
    await expect(long).resolves.toBeTypeOf('function');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves nothing listening to a caller who stays', async () => {
    const lines = new Lines();
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    const leave = await lines.enter('key', NEVER, stays, late);
    const second = lines.enter('key', NEVER, signal, late);
    leave();
    (await second)();
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));
  });
});
