import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Compacted,
  type CompactionInput,
  compact,
  isTooLong,
  type Memory,
  memoryTokens,
} from '../../src/conversations/compact.ts';
import { summaryMessage, toModelMessages } from '../../src/conversations/history.ts';
import { textOfMessage } from '../../src/conversations/stored.ts';
import { AppError } from '../../src/errors.ts';
import type { MessageRow } from '../../src/storage/messages.ts';
import { brokenPairsOf, history, sentTokens, TEN_MB, type TurnPlan, toRows, turnWithResult } from './histories.ts';

const RUNS = 10_000;

/** Estimated tokens of the words that stand for what is left out. */
const STAND_IN = 30;

/** What a model makes of being asked for a summary of at most so many tokens. */
const SUMMARISERS = {
  good: (_: string, most: number) => 'They agreed on tea. '.repeat(20).slice(0, 2 * most),
  failing: () => undefined,
  empty: () => '',
  blank: () => ' \n\t ',
  echoing: (transcript: string) => transcript,
  growing: (transcript: string) => `${transcript}\n`.repeat(3),
  'as long as it may be': (_: string, most: number) => 'ä'.repeat(2 * most),
  'one token longer': (_: string, most: number) => `${'ä'.repeat(2 * most)}x`,
} as const;

interface Scenario {
  turns: TurnPlan[];
  /** What has been covered and shortened before, in parts of the history; null: nothing yet. */
  before: { covered: number; shortened: number; summary: number | null } | null;
  unread: { count: number; tokens: number } | null;
  failedEvery: number;
  window: number;
  ratio: number;
  /** Of the window. */
  overhead: number;
  answersCall: boolean;
  summariser: keyof typeof SUMMARISERS;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  turns: history,
  before: fc.option(
    fc.record({
      covered: fc.integer({ min: 1, max: 500 }),
      shortened: fc.double({ min: 0, max: 1, noNaN: true }),
      summary: fc.option(fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constant(8000))),
    }),
  ),
  unread: fc.option(
    fc.record({ count: fc.integer({ min: 1, max: 20_000 }), tokens: fc.integer({ min: 0, max: 5_000_000 }) }),
    { freq: 1 },
  ),
  failedEvery: fc.integer({ min: 2, max: 20 }),
  window: fc.oneof(
    fc.constantFrom(200, 500, 1000, 2000, 4096, 8192, 32_000, 128_000, 1_000_000),
    fc.integer({ min: 200, max: 20_000 }),
    fc.integer({ min: 200, max: 1_000_000 }),
  ),
  ratio: fc.oneof(fc.constant(1), fc.double({ min: 0.25, max: 4, noNaN: true })),
  overhead: fc.oneof(
    { weight: 4, arbitrary: fc.double({ min: 0, max: 0.4, noNaN: true }) },
    { weight: 2, arbitrary: fc.double({ min: 0.4, max: 1, noNaN: true }) },
    // Around the length from which there is a compaction, and around the window.
    { weight: 1, arbitrary: fc.double({ min: 0.75, max: 0.85, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: 0.95, max: 1.1, noNaN: true }) },
  ),
  answersCall: fc.boolean(),
  summariser: fc.constantFrom(...(Object.keys(SUMMARISERS) as (keyof typeof SUMMARISERS)[])),
});

/** A conversation as it is read before a call, and the calls of its summariser. */
function read(one: Scenario): { input: CompactionInput<MessageRow>; asked: string[][] } {
  const first = (one.before?.covered ?? 0) + (one.unread?.count ?? 0);
  const all = toRows(one.turns, first, one.failedEvery);
  // Results that came for the last calls: the model is to go on from there.
  const lastCall = all.findLastIndex(({ calls }) => calls > 0);
  const live = one.answersCall ? all.slice(0, lastCall + 1) : all;
  const at = Math.floor((one.before?.shortened ?? 0) * live.length);
  const memory: Memory = one.before
    ? {
        coveredSeq: one.before.covered,
        shortenedSeq: live[at - 1]?.seq ?? Math.floor(one.before.shortened * one.before.covered),
        summary: one.before.summary === null ? null : 's'.repeat(4 * one.before.summary),
      }
    : { coveredSeq: 0, shortenedSeq: 0, summary: null };
  const asked: string[][] = [];
  const input: CompactionInput<MessageRow> = {
    memory,
    live,
    unread: (live.length > 0 && one.unread) || { count: 0, tokens: 0 },
    overhead: Math.floor((one.overhead * one.window) / one.ratio),
    ratio: one.ratio,
    window: one.window,
    pinned: one.answersCall && live.length > 0 ? 1 : 0,
    summarise: (rows, before, most) => {
      asked.push(rows.map(({ id }) => id));
      const transcript = [before ?? '', ...rows.map(textOfMessage)].join('\n');
      return Promise.resolve(SUMMARISERS[one.summariser](transcript, most));
    },
  };
  return { input, asked };
}

/** Corrected tokens of all that a call with this memory sends, as they are estimated. */
function believed({ overhead, ratio, live }: CompactionInput<MessageRow>, memory: Memory): number {
  const rest = live.filter(({ seq }) => seq > memory.coveredSeq);
  return (overhead + memoryTokens(memory, rest)) * ratio;
}

/** The least that can be sent: what the call brings, a word on what is missing, and the message that must stay. */
function least({ live, overhead, ratio, pinned }: CompactionInput<MessageRow>): number {
  const last = live.at(-1)?.seq ?? 0;
  const stay = live.slice(live.length - pinned);
  return (overhead + memoryTokens({ coveredSeq: Math.max(last, 1), shortenedSeq: last, summary: null }, stay)) * ratio;
}

async function outcome(input: CompactionInput<MessageRow>): Promise<Compacted | AppError> {
  return await compact(input).catch((error: unknown) => {
    if (error instanceof AppError) return error;
    throw error;
  });
}

/** The messages that are sent of a conversation. */
function sent({ live }: CompactionInput<MessageRow>, memory: Memory) {
  const rest = live.filter(({ seq }) => seq > memory.coveredSeq);
  return [
    ...(memory.coveredSeq > 0 ? [summaryMessage(memory.summary)] : []),
    ...toModelMessages(rest, memory.shortenedSeq),
  ];
}

function judge({ input, asked }: ReturnType<typeof read>, result: Compacted | AppError): void {
  const { live, memory: before, unread, window, ratio, overhead, pinned } = input;
  expect(asked.length, 'summaries').toBeLessThanOrEqual(1);
  const whole = believed(input, before) + unread.tokens * ratio;
  if (result instanceof AppError) {
    expect(result.code).toBe('context_length_exceeded');
    expect(Math.min(least(input), whole), 'a refusal is true').toBeGreaterThan(window);
    expect(asked.length, 'nothing is paid for in vain').toBe(0);
    return;
  }
  const { memory, originalCount, compactedCount, tokensBefore, tokensAfter } = result;
  const rest = live.filter(({ seq }) => seq > memory.coveredSeq);

  expect(tokensAfter, 'fits').toBeLessThanOrEqual(Math.ceil(window));
  expect(tokensAfter).toBe(Math.ceil(believed(input, memory)));
  expect(tokensBefore).toBe(Math.ceil(whole));
  expect(tokensAfter, 'never longer').toBeLessThanOrEqual(tokensBefore);
  // What is shorter than the words that would stand for it is left as it is.
  const left = memoryTokens({ ...memory, coveredSeq: 0 }, rest.slice(0, rest.length - pinned));
  if (left > STAND_IN) expect(isTooLong(believed(input, memory), window), 'at rest').toBe(false);

  expect(memory.coveredSeq, 'covers on').toBeGreaterThanOrEqual(before.coveredSeq);
  expect(memory.shortenedSeq, 'shortens on').toBeGreaterThanOrEqual(before.shortenedSeq);
  if (unread.count > 0 && isTooLong(whole, window)) {
    expect(memory.coveredSeq, 'unread is covered').toBeGreaterThanOrEqual((live[0]?.seq ?? 0) - 1);
  }
  expect(rest[0], 'an end is kept').toBe(live[live.length - rest.length]);
  expect(rest.length, 'what must stay stays').toBeGreaterThanOrEqual(pinned);
  expect(originalCount).toBe(live.length + unread.count + (before.summary === null ? 0 : 1));
  expect(compactedCount).toBe(rest.length + (memory.summary === null ? 0 : 1));

  const messages = sent(input, memory);
  expect(brokenPairsOf(messages), 'pairs').toEqual([]);
  // The words for a result that is missing are not in the estimate of its call, whose result may still come.
  const missing = rest.reduce((sum, row) => sum + row.toolCalls.filter((call) => call.result === null).length, 0);
  expect(overhead + sentTokens(messages), 'as estimated').toBeLessThanOrEqual(
    believed(input, memory) / ratio + 13 * missing + 0.001,
  );
}

const longOnes: Scenario[] = [1, 2].flatMap((many) =>
  (['good', 'failing', 'echoing'] as const).map(
    (summariser): Scenario => ({
      turns: Array.from({ length: many }, () => turnWithResult(TEN_MB)),
      before: null,
      unread: null,
      failedEvery: 20,
      window: 128_000,
      ratio: 1,
      overhead: 0.1,
      answersCall: many === 1,
      summariser,
    }),
  ),
);

it('ends, fits, keeps calls and results together and never makes things worse, whatever the history', async () => {
  const seen = { summary: 0, shortened: 0, dropped: 0, refused: 0, untouched: 0 };
  const property = fc.asyncProperty(scenario, async (one) => {
    const conversation = read(one);
    const result = await outcome(conversation.input);
    judge(conversation, result);
    if (result instanceof AppError) return void seen.refused++;
    const { memory } = result;
    const { memory: before } = conversation.input;
    if (memory.summary !== before.summary) seen.summary++;
    else if (memory.coveredSeq !== before.coveredSeq) seen.dropped++;
    else if (memory.shortenedSeq !== before.shortenedSeq) seen.shortened++;
    else seen.untouched++;
  });
  await fc.assert(property, { numRuns: RUNS, examples: longOnes.map((one) => [one] as [Scenario]), seed: 20_261_103 });
  // Each way out was taken often.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
}, 120_000);
