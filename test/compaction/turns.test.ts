import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { KyselyPlugin } from 'kysely';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTurn, type TurnInput } from '../../src/agent/turn.ts';
import { loadConfig } from '../../src/config.ts';
import { undoCompaction } from '../../src/conversations/compaction.ts';
import type { ConversationContext } from '../../src/conversations/context.ts';
import { type ImportedMessage, importConversation } from '../../src/conversations/import.ts';
import { Turns } from '../../src/conversations/turns.ts';
import { newId } from '../../src/core/ids.ts';
import { AppError } from '../../src/errors.ts';
import { ProviderRegistry } from '../../src/providers/registry.ts';
import { HttpClient } from '../../src/providers/transport/client.ts';
import { getConversation } from '../../src/storage/conversations.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { loadSecretKey } from '../../src/storage/secret-key.ts';
import { brokenPairs, history, TEN_MB, type TurnPlan, toImported, turnWithResult } from './histories.ts';
import { pairsOf, type Reply, startVendor, type Vendor } from './rig.ts';

const RUNS = 300;

/** The listed windows, and models that really have half of it. */
const WINDOWS = [600, 1000, 2000, 8192, 32_000, 128_000];

/** Sees every conversation whole. */
const HUGE = 'openai/huge';

const folder = mkdtempSync(join(tmpdir(), 'profclaw-'));
let database: Database;
let client: HttpClient;
let vendor: Vendor;
let context: ConversationContext;

beforeAll(async () => {
  vendor = await startVendor({
    huge: { listed: 10 ** 9, window: 10 ** 9 },
    ...Object.fromEntries(
      WINDOWS.flatMap((listed) => [
        [`true-${listed}`, { listed, window: listed }],
        [`half-${listed}`, { listed, window: listed / 2 }],
      ]),
    ),
  });
  const config = loadConfig({ PROFCLAW_HOME: folder, OLLAMA_BASE_URL: 'http://127.0.0.1:9', ...vendor.environment });
  const log = pino({ level: 'silent' });
  client = new HttpClient(config.timeouts);
  database = await openDatabase({ databaseUrl: undefined, file: join(folder, 'profclaw.db') });
  const { db } = database;
  const secretKey = loadSecretKey(folder, undefined);
  const providers = await ProviderRegistry.load({ db, secretKey, environment: config.providers, client });
  await providers.live.models('openai', true);
  const turns = new Turns(db, log, { waitMs: 10_000 });
  context = { db, providers, owner: 'local', budget: undefined, turns, log, titleModel: undefined, newId };
});
afterAll(async () => {
  await context.turns.stop(1000);
  await client.close();
  await database.close();
  await vendor.stop();
  rmSync(folder, { recursive: true, force: true });
});

const SUMMARISERS: Record<string, (transcript: string) => Reply> = {
  good: () => 'They agreed on tea.',
  failing: () => 'REFUSED',
  'finding it too long': () => 'TOO_LONG',
  empty: () => '',
  blank: () => ' \n ',
  echoing: (transcript) => transcript,
  growing: (transcript) => transcript.repeat(3),
};

/** What a turn begins with: a message, a whole exchange with a tool and then a message, the result of a stored call. */
type Beginning = 'message' | 'exchange' | 'result';

interface Scenario {
  turns: TurnPlan[];
  begins: Beginning;
  /** Bytes of the message or result. */
  said: number;
  window: number;
  /** Has the model the window that is listed? */
  isTrue: boolean;
  rate: number;
  /** Has the vendor's way of counting been learnt before? */
  isLearnt: boolean;
  summariser: string;
  /** How often the vendor finds the message too long whatever its length. */
  tooLong: number;
  /** What it says then. */
  isAnswered: boolean;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  turns: history,
  begins: fc.constantFrom('message', 'exchange', 'result'),
  said: fc.constantFrom(1, 100, 1000, 10_000),
  window: fc.constantFrom(...WINDOWS),
  isTrue: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  rate: fc.oneof(fc.constant(1), fc.double({ min: 0.2, max: 5, noNaN: true })),
  isLearnt: fc.boolean(),
  summariser: fc.constantFrom(...Object.keys(SUMMARISERS)),
  tooLong: fc.constantFrom(0, 0, 0, 1, 2, 10),
  isAnswered: fc.boolean(),
});

const CALL = { id: 'call_0', name: 'read_file', arguments: {} };

function beginning({ begins, said }: Scenario): TurnInput['begin'] {
  const text = 'x'.repeat(said);
  const asks = { role: 'user', content: 'Read it' } as const;
  const calls = { role: 'assistant', body: { content: '' }, calls: [{ call: CALL, result: text }] } as const;
  switch (begins) {
    case 'message':
      return { messages: [{ role: 'user', content: text }], results: [] };
    case 'exchange':
      return { messages: [asks, { ...calls, calls: [...calls.calls] }, asks], results: [] };
    case 'result':
      return {
        messages: [],
        results: [{ callId: CALL.id, result: JSON.stringify(text), tokens: Math.ceil(said / 4), path: '' }],
      };
  }
}

/** The conversation before the turn. */
function importedOf({ begins, turns }: Scenario): ImportedMessage[] {
  const messages = toImported(turns);
  if (begins !== 'result') return messages;
  return [
    ...messages,
    { role: 'user', content: 'Read it' },
    { role: 'assistant', content: '', toolCalls: [{ ...CALL, result: undefined }] },
  ];
}

function asTurn(begin: TurnInput['begin'] | { say: string }, model: string): TurnInput {
  if (begin === 'retry' || !('say' in begin)) return { begin, model, stream: false };
  return { begin: { messages: [{ role: 'user', content: begin.say }], results: [] }, model, stream: false };
}

async function send(id: string, begin: TurnInput['begin'] | { say: string }, model: string) {
  try {
    const turn = await startTurn(context, id, asTurn(begin, model), new AbortController().signal);
    return 'relay' in turn ? await turn.finished : turn;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** Everything that is stored of a conversation's messages up to one. */
async function stored(conversation: number, upTo: number): Promise<unknown> {
  const { db } = database;
  const of = (table: 'messages' | 'tool_calls') =>
    db.selectFrom(table).selectAll().where('conversation', '=', conversation).where('seq', '<=', upTo);
  return [await of('messages').orderBy('seq').execute(), await of('tool_calls').orderBy('seq').execute()];
}

/** The tokens of what is not covered, added up one by one. */
async function liveTokens(conversation: number, after: number): Promise<number> {
  const { db } = database;
  const messages = await db
    .selectFrom('messages')
    .select(['seq', 'tokens'])
    .where('conversation', '=', conversation)
    .where('seq', '>', after)
    .where('status', '=', 'complete')
    .execute();
  const complete = new Set(messages.map(({ seq }) => seq));
  const calls = await db.selectFrom('tool_calls').selectAll().where('conversation', '=', conversation).execute();
  return [...messages, ...calls.filter(({ seq }) => complete.has(seq))].reduce((sum, { tokens }) => sum + tokens, 0);
}

async function undoAll(id: string): Promise<number> {
  for (let undone = 0; ; undone++) {
    try {
      await undoCompaction(context, id, new AbortController().signal);
    } catch (error) {
      expect(error).toMatchObject({ code: 'conflict' });
      return undone;
    }
  }
}

const row = async (id: string) => (await getConversation(database.db, 'local', id))!;

async function judge(one: Scenario): Promise<number> {
  vendor.reset();
  vendor.rate = one.rate;
  const { id } = await importConversation(context, { systemPrompt: 'Be brief.' }, importedOf(one));
  if (one.isLearnt && one.begins !== 'result')
    expect(await send(id, { say: 'Hello' }, HUGE)).not.toBeInstanceOf(AppError);
  const { number, last_seq } = await row(id);

  vendor.replies.push('REFUSED');
  expect(await send(id, beginning(one), HUGE)).toMatchObject({ code: 'provider_rejected' });
  const whole = vendor.calls.at(-1)!;
  const before = await stored(number, last_seq);

  vendor.calls.length = 0;
  vendor.replies = Array.from({ length: one.tooLong }, () => 'TOO_LONG' as const);
  vendor.replies.push(one.isAnswered ? 'Yes' : 'REFUSED');
  vendor.summarise = SUMMARISERS[one.summariser]!;
  const outcome = await send(id, 'retry', `openai/${one.isTrue ? 'true' : 'half'}-${one.window}`);
  const chats = vendor.calls.filter(({ kind }) => kind === 'chat');
  const summaries = vendor.calls.filter(({ kind }) => kind === 'summary');
  expect(chats.length).toBeLessThanOrEqual(2);
  expect(summaries.length).toBeLessThanOrEqual(2);
  if (outcome instanceof AppError) {
    expect(['context_length_exceeded', 'provider_rejected']).toContain(outcome.code);
    // An answer to what the client sends next must not be one to this.
    expect(vendor.calls.at(-1)?.isRefused ?? true).toBe(true);
  } else expect(chats.at(-1)?.isRefused).toBe(false);
  for (const { body, tokens } of chats) {
    expect(brokenPairs(pairsOf(body))).toEqual([]);
    if (one.begins === 'result') expect(body.messages.at(-1).role).toBe('tool');
    if (one.rate === 1) expect(tokens).toBeLessThanOrEqual(one.window + 13 * missing(body));
  }
  for (const { body, tokens } of summaries) {
    if (one.rate === 1) expect(tokens + body.max_tokens).toBeLessThanOrEqual(one.window);
  }

  const after = await row(id);
  expect(await stored(number, last_seq)).toEqual(before);
  expect(after.live_tokens).toBe(await liveTokens(number, after.covered_seq));
  const made = after.compaction;
  expect(await undoAll(id)).toBe(made);
  expect(await stored(number, last_seq)).toEqual(before);
  expect((await row(id)).live_tokens).toBe(await liveTokens(number, 0));

  vendor.replies = ['REFUSED'];
  if (outcome instanceof AppError) {
    await send(id, 'retry', HUGE);
    expect(vendor.calls.at(-1)!.text).toBe(whole.text);
  } else {
    await send(id, { say: 'And then?' }, HUGE);
    const { messages } = vendor.calls.at(-1)!.body;
    expect(JSON.stringify(messages.slice(0, whole.body.messages.length))).toBe(JSON.stringify(whole.body.messages));
  }
  return made;
}

function missing(body: { messages: { role: string; content: unknown }[] }): number {
  return body.messages.filter(({ role, content }) => role === 'tool' && `${content}`.startsWith('There is no result'))
    .length;
}

const longOnes: Scenario[] = ['good', 'failing', 'echoing'].map((summariser) => ({
  turns: [turnWithResult(1000), turnWithResult(TEN_MB)],
  begins: 'message',
  said: 100,
  window: 8192,
  isTrue: true,
  rate: 1,
  isLearnt: false,
  summariser,
  tooLong: 1,
  isAnswered: true,
}));

it('takes at most four calls, keeps the originals, and undone sends byte for byte what it sent before', async () => {
  const seen = [0, 0, 0];
  const property = fc.asyncProperty(scenario, async (one) => {
    seen[await judge(one)]!++;
  });
  await fc.assert(property, { numRuns: RUNS, examples: longOnes.map((one) => [one] as [Scenario]), seed: 20_261_103 });
  for (const count of seen) expect(count).toBeGreaterThan(5);
}, 120_000);

it('reads no more of a conversation of 20,000 messages than could matter', async () => {
  vendor.reset();
  const messages = Array.from({ length: 20_000 }, (_, index): ImportedMessage => {
    const content = `${index} `.padEnd(200, 'x');
    return index % 2 === 0 ? { role: 'user', content } : { role: 'assistant', content, toolCalls: [] };
  });
  const { id } = await importConversation(context, {}, messages);
  let read = 0;
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) => {
      read += result.rows.filter((one) => 'body' in one).length;
      return Promise.resolve(result);
    },
  };
  const watched = { ...context, db: database.db.withPlugin(counting) };
  const turn = await startTurn(watched, id, asTurn({ say: 'Hello' }, 'openai/true-2000'), new AbortController().signal);
  const { compaction } = 'relay' in turn ? await turn.finished : turn;
  expect(compaction).toMatchObject({ originalCount: 20_000 });
  expect(read).toBeGreaterThan(0);
  expect(read).toBeLessThan(200);
});
