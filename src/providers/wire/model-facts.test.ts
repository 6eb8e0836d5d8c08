import { expect, it } from 'vitest';
import { ModelFactsCache } from './model-facts.ts';

it('what a server tells of a model is kept, and that it told nothing is not', async () => {
  const facts = new ModelFactsCache();
  const answers = [{}, { contextWindow: undefined }, { contextWindow: 4096 }, { contextWindow: 1 }];
  const ask = () => Promise.resolve(answers.shift() ?? {});
  const windows = [];
  for (let n = 0; n < 4; n++) windows.push((await facts.of('m', ask)).contextWindow);
  expect(windows).toEqual([undefined, undefined, 4096, 4096]);
});
