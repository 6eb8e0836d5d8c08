import { expect, it } from 'vitest';
import { Mutex } from './mutex.ts';

/** Keeps the event loop busy, as SQLite does. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Asks for the lock so many times at once; gives the numbers in the order in which they got it. */
async function hold(mutex: Mutex, count: number, held: (index: number) => void): Promise<number[]> {
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await mutex.lock();
      order.push(index);
      held(index);
      mutex.unlock();
    }),
  );
  return order;
}

it('has one holder at a time, in the order of asking', async () => {
  const mutex = new Mutex();
  let inside = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      await mutex.lock();
      expect(++inside).toBe(1);
      order.push(index);
      await Promise.resolve();
      if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      inside--;
      mutex.unlock();
    }),
  );
  expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

it('lets the event loop come round while holders follow one another', async () => {
  let done = 0;
  let doneAtFirstTurn = Number.POSITIVE_INFINITY;
  setImmediate(() => {
    doneAtFirstTurn = done;
  });
  const order = await hold(new Mutex(), 40, () => {
    work(1);
    done++;
  });
  expect(doneAtFirstTurn).toBeLessThan(40);
  expect(order).toEqual(Array.from({ length: 40 }, (_, index) => index));
});

it('makes one who asks when the lock is free wait for the event loop, too, if it was kept busy', async () => {
  const mutex = new Mutex();
  const steps: string[] = [];
  await hold(mutex, 1, () => work(20));
  setImmediate(() => steps.push('turn'));
  const late = hold(mutex, 1, () => steps.push('late'));
  const later = hold(mutex, 1, () => steps.push('later'));
  await Promise.all([late, later]);
  expect(steps).toEqual(['turn', 'late', 'later']);
});
