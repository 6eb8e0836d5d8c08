import { expect, it } from 'vitest';
import type { ProviderEvent } from '../providers/chat-model.ts';
import { Answer } from './answer.ts';
import { type Completion, type StartedCompletion, toCompletion } from './complete.ts';

const started: StartedCompletion = {
  id: 'resp_x',
  ref: { provider: 'openai', model: 'gpt-4o' },
  warnings: [],
  attempts: [],
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

it('an answer gives its parts as soon as text and calls are not all of it', async () => {
  const message = async (...events: ProviderEvent[]): Promise<Completion['message']> => {
    const answer = new Answer(started.ref);
    for (const event of events) answer.add(event);
    return (await toCompletion(started, answer)).message;
  };
  const text: ProviderEvent = { type: 'text', text: 'a' };
  const call: ProviderEvent = { type: 'tool-call', call: { id: 'c', name: 'f', arguments: {} } };
  expect(await message(text, call)).not.toHaveProperty('parts');
  expect((await message(call, text)).parts?.map((part) => part.type)).toEqual(['tool-call', 'text']);
  expect((await message({ ...text, data: { n: 1 } })).parts).toHaveLength(1);
  expect((await message({ type: 'reasoning', text: 'r' }, text)).parts).toHaveLength(2);
});
