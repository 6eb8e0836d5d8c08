import { expect, it } from 'vitest';
import { Answer } from './answer.ts';
import { type StartedCompletion, toCompletion } from './complete.ts';

const started: StartedCompletion = {
  id: 'resp_x',
  ref: { provider: 'openai', model: 'gpt-4o' },
  warnings: [],
  events: (async function* () {})(),
  startedAt: performance.now(),
};

it('an answer without counts is of unknown cost, not free', async () => {
  const { usage } = await toCompletion(started, new Answer(started.ref));
  expect(usage).toEqual({ promptTokens: 0, completionTokens: 0, totalTokens: 0, cost: null });
});

it('an answer with counts has the price of its model', async () => {
  const answer = new Answer(started.ref);
  answer.add({ type: 'usage', usage: { promptTokens: 1_000_000, completionTokens: 0, totalTokens: 1_000_000 } });
  const { cost } = (await toCompletion(started, answer)).usage;
  expect(cost).toBeGreaterThan(0);
});
