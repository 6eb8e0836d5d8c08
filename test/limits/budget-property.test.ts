import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Budgets, type Hold } from '../../src/limits/budget.ts';
import { log, NEVER, OWNER, openStore, type Store } from './budget-rig.ts';

// Any sequence of calls on several budgets: the counters are the sums of the holds, what is used is what was settled,
// who is admitted follows the rule, and no budget is overdrawn by more than one call.

let store: Store;
let budgets: Budgets;
beforeAll(async () => {
  store = await openStore({ file: ':memory:' });
  budgets = new Budgets(store.db, log, { waitMs: 0 });
});
afterAll(async () => {
  await budgets.stop();
  await store.close();
});

const BOUND = { tokens: 100, cost: 1000 };
const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** A budget as it has to be. */
interface Model {
  subject: string;
  tokens: number | undefined;
  cost: number | undefined;
  used: { tokens: number; cost: number };
}

/** A call under way, as it has to be. */
interface Running {
  hold: Hold;
  models: Model[];
  tokens: number;
  cost: number;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('reserve' as const),
      on: fc.subarray([0, 1, 2], { minLength: 1 }),
      tokens: fc.integer({ min: 1, max: 60 }),
      cost: fc.integer({ min: 0, max: 600 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('settle' as const),
      which: fc.nat(),
      part: fc.integer({ min: 0, max: 10 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('begin anew' as const), on: fc.integer({ min: 0, max: 2 }) }) },
);

function verdict(models: readonly Model[], running: readonly Running[], tokens: number, cost: number): string {
  const isUsedUp = models.some(
    ({ used, ...bound }) =>
      (bound.tokens !== undefined && used.tokens >= bound.tokens) ||
      (bound.cost !== undefined && cost > 0 && used.cost >= bound.cost),
  );
  if (isUsedUp) return 'used up';
  const isFull = models.some((model) => {
    const others = running.filter((call) => call.models.includes(model));
    const left = (kind: 'tokens' | 'cost') =>
      (model[kind] ?? Number.POSITIVE_INFINITY) - model.used[kind] - others.reduce((sum, call) => sum + call[kind], 0);
    return others.length > 0 && (tokens > left('tokens') || (cost > 0 && cost > left('cost')));
  });
  return isFull ? 'calls under way' : 'admitted';
}

it('holds for any sequence of calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const bounds = [{ tokens: BOUND.tokens }, { cost: BOUND.cost }, BOUND];
      const models: Model[] = [];
      for (const { tokens, cost } of bounds as { tokens?: number; cost?: number }[]) {
        const usd = cost === undefined ? null : cost / 1e9;
        const subject = await store.subject({ tokens: tokens ?? null, usd, period: 'day' });
        models.push({ subject, tokens, cost, used: { tokens: 0, cost: 0 } });
      }
      const running: Running[] = [];
      const end = async (which: number, part: number, how: 'settle' | 'release'): Promise<void> => {
        const [call] = running.splice(which % Math.max(1, running.length), 1);
        if (!call) return;
        const used = { tokens: Math.round(call.tokens * part), cost: Math.round(call.cost * part) };
        for (const model of call.models) {
          const before = { ...model.used };
          model.used = { tokens: before.tokens + used.tokens, cost: before.cost + used.cost };
          for (const kind of ['tokens', 'cost'] as const) {
            const bound = model[kind] ?? Number.POSITIVE_INFINITY;
            if (model.used[kind] > bound) expect(before[kind]).toBeLessThan(bound);
          }
        }
        await (how === 'release' ? call.hold.release() : call.hold.settle(used));
      };
      for (const action of steps) {
        if (action.does === 'reserve') {
          const { tokens, cost } = action;
          const mine = models.filter((_, index) => action.on.includes(index));
          const expected = verdict(mine, running, tokens, cost);
          const subjects = mine.map(({ subject }) => subject);
          const estimate = { model: 'm', tokens, cost };
          const hold = await budgets.reserve(subjects, OWNER, estimate, NEVER).catch((error: Error) => error.message);
          if (typeof hold === 'string') expect(hold).toContain(expected);
          else {
            expect(expected).toBe('admitted');
            running.push({ hold: hold!, models: mine, tokens, cost });
          }
        } else if (action.does === 'begin anew') {
          const model = models[action.on]!;
          await store.setStart(model.subject, LONG_AGO);
          model.used = { tokens: 0, cost: 0 };
        } else if (action.does === 'settle') await end(action.which, action.part / 10, 'settle');
        else await end(action.which, 0, 'release');
        for (const { subject, used } of models) {
          const { reserved, held } = await store.counters(subject);
          expect(reserved).toEqual(held);
          const mine = running.filter((call) => call.models.some((model) => model.subject === subject));
          const sum = (kind: 'tokens' | 'cost') => mine.reduce((all, call) => all + call[kind], 0);
          expect(held).toEqual([sum('tokens'), sum('cost'), mine.length]);
          expect(await store.view(subject)).toMatchObject({ usedTokens: used.tokens, usedUsd: used.cost / 1e9 });
        }
      }
      while (running.length > 0) await end(0, 0, 'release');
    }),
    { numRuns: 150 },
  );
});
