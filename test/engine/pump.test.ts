import pino from 'pino';
import { expect, it } from 'vitest';
import { Pump } from '../../src/agent/engine/pump.ts';

const HOUR_MS = 3_600_000;
const log = pino({ level: 'silent' });

it('looks once more for whoever wakes it while it looks, however often', async () => {
  let looks = 0;
  const first = Promise.withResolvers<void>();
  const pump = new Pump(() => (++looks === 1 ? first.promise : Promise.resolve()), HOUR_MS, log);
  expect(looks).toBe(1);
  for (let i = 0; i < 10; i++) pump.wake();
  expect(looks).toBe(1);
  first.resolve();
  await expect.poll(() => looks).toBe(2);
  await pump.stop();
  expect(looks).toBe(2);
});

it('loses no wake, whenever it comes', async () => {
  let looks = 0;
  const pump = new Pump(() => Promise.resolve(++looks), HOUR_MS, log);
  // At every turn that promises take after a look, of which one is when it has just ended.
  for (let turns = 0; turns < 20; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    pump.wake();
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const before = looks;
    pump.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).toBe(before + 1);
  }
  await pump.stop();
});

it('waits at its stop for the look under way, and looks no more', async () => {
  let looks = 0;
  let isStopped = false;
  const look = Promise.withResolvers<void>();
  const pump = new Pump(
    () => {
      looks++;
      return look.promise;
    },
    1,
    log,
  );
  pump.wake();
  const stopping = pump.stop().then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isStopped).toBe(false);
  look.resolve();
  await stopping;
  pump.wake();
  expect(looks).toBe(1);
});
