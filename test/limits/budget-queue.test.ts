import { expect, it, vi } from 'vitest';
import { BudgetQueue, type Outcome } from '../../src/limits/budget-queue.ts';
import type { BudgetRow } from '../../src/storage/budgets.ts';

const full: BudgetRow = {
  subject: 'key_1',
  owner: 'local',
  period: 'total',
  tokens: 100,
  cost: null,
  period_start: '',
  used_tokens: 0,
  used_cost: 0,
  reserved_tokens: 100,
  reserved_cost: 0,
  holds: 1,
  now: 0,
};

it('what is got for somebody who has just left is given back', async () => {
  const queue = new BudgetQueue(60_000);
  const tries: PromiseWithResolvers<Outcome<string>>[] = [];
  const attempt = (): Promise<Outcome<string>> => {
    const next = Promise.withResolvers<Outcome<string>>();
    tries.push(next);
    return next.promise;
  };
  const leaving = new AbortController();
  const undo = vi.fn(() => Promise.resolve());
  const entering = queue.enter(['key_1'], attempt, leaving.signal, undo);
  tries[0]!.resolve({ full });
  // It waits now, and looks by itself.
  await expect.poll(() => tries.length).toBe(2);
  leaving.abort();
  await expect(entering).rejects.toThrow('gone');
  expect(undo).not.toHaveBeenCalled();
  tries[1]!.resolve({ value: 'a hold' });
  await expect.poll(() => undo.mock.calls).toEqual([['a hold']]);
});

it('a try that fails is its caller’s affair, and the next one tries', async () => {
  const queue = new BudgetQueue(60_000);
  const { signal } = new AbortController();
  const enter = (...outcomes: (Outcome<string> | Error)[]): Promise<string> => {
    const attempt = async (): Promise<Outcome<string>> => {
      const next = await Promise.resolve(outcomes.shift()!);
      if (next instanceof Error) throw next;
      return next;
    };
    return queue.enter(['key_1'], attempt, signal, () => Promise.resolve());
  };
  const failing = enter({ full }, new Error('out of order'));
  const next = enter({ full }, { value: 'a hold' });
  await expect(failing).rejects.toThrow('out of order');
  await expect(next).resolves.toBe('a hold');
});
