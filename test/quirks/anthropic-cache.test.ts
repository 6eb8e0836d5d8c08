import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import { type Scripted, startScripted, WEATHER } from './script.ts';

// Prompt caching against a stand-in that keeps prefixes as Anthropic says it does, and counts accordingly.

const MODEL = 'anthropic/claude-sonnet-5';
const MINIMUM_TOKENS = 1024;
const LOOKBACK = 20;

let anthropic: Scripted;
let kept = new Set<string>();
let isCaching = true;
beforeAll(async () => {
  anthropic = await startScripted((url) => ({ ANTHROPIC_API_KEY: 'sk-ant-0123456789', ANTHROPIC_BASE_URL: url }));
  anthropic.answer(({ body }) => answer(body));
});
afterEach(() => {
  kept = new Set();
  isCaching = true;
  anthropic.sent.length = 0;
});
afterAll(() => anthropic.stop());

/** Every block of a request in the order of the cache: the bytes up to its end, and whether it is marked. */
function prefixes(body: Json): { bytes: string; marked: boolean }[] {
  const system = typeof body.system === 'string' ? [{ type: 'text', text: body.system }] : (body.system ?? []);
  const messages = body.messages.flatMap(({ role, content }: Json) => content.map((each: Json) => ({ role, ...each })));
  let bytes = body.model;
  return [...(body.tools ?? []), ...system, ...messages].map(({ cache_control: mark, ...block }) => {
    bytes += JSON.stringify(block);
    return { bytes, marked: mark !== undefined };
  });
}

const tokensIn = (text: string): number => Math.ceil(text.length / 4);

function answer(body: Json): { json: object } {
  const all = prefixes(body);
  const marks = all.flatMap(({ marked }, index) => (marked && isCaching ? [index] : []));
  if (marks.length > 4) return { json: { type: 'error', error: { message: 'at most 4 cache breakpoints' } } };
  const hits = marks.flatMap((mark) =>
    all
      .slice(Math.max(0, mark - LOOKBACK), mark + 1)
      .flatMap(({ bytes }) => (kept.has(bytes) ? [tokensIn(bytes)] : [])),
  );
  const read = Math.max(0, ...hits);
  const worth = marks.flatMap((mark) => all[mark]?.bytes ?? []).filter((bytes) => tokensIn(bytes) >= MINIMUM_TOKENS);
  for (const bytes of worth) kept.add(bytes);
  const written = Math.max(read, ...worth.map(tokensIn)) - read;
  const usage = {
    input_tokens: tokensIn(all.at(-1)?.bytes ?? '') - read - written,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    output_tokens: 5,
  };
  return { json: { content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn', usage } };
}

const LONG = 'The archive holds letters, maps and ledgers of the harbour. '.repeat(150);

/** Goes through a conversation question by question; gives the usage of each answer. */
async function converse(system: string | undefined, questions: string[], tools?: object[]): Promise<Json[]> {
  const messages: Json[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const usages: Json[] = [];
  for (const content of questions) {
    messages.push({ role: 'user', content });
    const { status, body, message } = await anthropic.ask({ model: MODEL, messages, ...(tools ? { tools } : {}) });
    expect(status).toBe(200);
    messages.push(message);
    usages.push(body.usage);
  }
  return usages;
}

const total = (usages: Json[]): number => usages.reduce((sum, { cost }) => sum + cost, 0);

async function costs(...dialogue: Parameters<typeof converse>): Promise<{ with: number; without: number }> {
  const cached = total(await converse(...dialogue));
  isCaching = false;
  return { with: cached, without: total(await converse(...dialogue)) };
}

describe('Anthropic prompt caching', () => {
  it('the second turn of a conversation reads the long system prompt, and is cheaper for it', async () => {
    const [first, second] = await converse(LONG, ['Who kept the ledgers?', 'And the maps?']);
    expect(first).toMatchObject({ cachedTokens: 0 });
    expect(first.cacheWriteTokens).toBeGreaterThan(MINIMUM_TOKENS);
    expect(second.cachedTokens).toBeGreaterThanOrEqual(first.cacheWriteTokens);
    expect(second.cost).toBeLessThan(first.cost / 5);
    kept = new Set();
    const paid = await costs(LONG, ['Who kept the ledgers?', 'And the maps?', 'Since when?']);
    expect(paid.with).toBeLessThan(paid.without);
  });

  it('a conversation that is long by itself is read from its third turn on', async () => {
    const questions = [LONG, 'Who?', 'When?', 'Where?', 'Why?'];
    const usages = await converse(undefined, questions);
    expect(usages.map(({ cachedTokens }) => cachedTokens > MINIMUM_TOKENS)).toEqual([false, false, true, true, true]);
    kept = new Set();
    const paid = await costs(undefined, questions);
    expect(paid.with).toBeLessThan(paid.without * 0.7);
  });

  it('a tool loop is read from its second call on, however many calls a round has', async () => {
    const made = Array.from({ length: 30 }, (_, i) => ({
      id: `toolu_${i}`,
      name: 'weather',
      arguments: { city: `C${i}` },
    }));
    const question = { role: 'user', content: LONG };
    await anthropic.ask({ model: MODEL, tools: [WEATHER], messages: [question] });
    const results = made.map(({ id }) => ({ role: 'tool', toolCallId: id, content: '4 °C' }));
    const messages = [question, { role: 'assistant', toolCalls: made }, ...results];
    const { body } = await anthropic.ask({ model: MODEL, tools: [WEATHER], messages });
    expect(body.usage.cachedTokens).toBeGreaterThan(MINIMUM_TOKENS);
  });

  it('a single call is not marked: its question is not sent again', async () => {
    for (const content of ['Hi', LONG]) {
      anthropic.sent.length = 0;
      await anthropic.ask({
        model: MODEL,
        messages: [
          { role: 'system', content: 'Be brief' },
          { role: 'user', content },
        ],
      });
      expect(JSON.stringify(anthropic.sentBody())).not.toContain('cache_control');
      expect(anthropic.sentBody().system).toBe('Be brief');
    }
  });

  it('nothing is marked that is too short to be kept, which depends on the model', async () => {
    const messages = [
      { role: 'system', content: LONG },
      { role: 'user', content: 'Hi' },
    ];
    const marksFor = async (model: string, content: string): Promise<number> => {
      anthropic.sent.length = 0;
      await anthropic.ask({ model, messages: [{ ...messages[0], content }, messages[1]] });
      return JSON.stringify(anthropic.sentBody()).split('cache_control').length - 1;
    };
    expect(await marksFor('anthropic/claude-haiku-4-5', LONG)).toBe(0);
    expect(await marksFor('anthropic/claude-haiku-4-5', LONG + LONG)).toBe(1);
    expect(await marksFor('anthropic/claude-opus-5', LONG.slice(0, 2000))).toBe(1);
    expect(await marksFor('anthropic/claude-opus-4-8', LONG.slice(0, 2000))).toBe(0);
  });

  it('tools without a system prompt are marked at the last of them', async () => {
    const tools = [
      { ...WEATHER, description: LONG },
      { ...WEATHER, name: 'tides' },
    ];
    const [, second] = await converse(undefined, ['Hi', 'And now?'], tools);
    expect(second.cachedTokens).toBeGreaterThan(MINIMUM_TOKENS);
    expect(anthropic.sentBody().tools.map((tool: Json) => tool.cache_control)).toEqual([
      undefined,
      { type: 'ephemeral' },
    ]);
  });

  it('the same history has the same bytes, with marks or without', async () => {
    await converse(LONG, ['One', 'Two', 'Three'], [WEATHER]);
    const bodies = anthropic.sent.map(({ body }) => prefixes(body).map(({ bytes }) => bytes));
    expect(bodies[1]?.slice(0, bodies[0]?.length)).toEqual(bodies[0]);
    expect(bodies[2]?.slice(0, bodies[1]?.length)).toEqual(bodies[1]);
    const marks = anthropic.sent.map(({ body }) => prefixes(body).filter(({ marked }) => marked).length);
    expect(Math.max(...marks)).toBeLessThanOrEqual(4);
    expect(marks).toEqual([2, 3, 3]);
  });
});
