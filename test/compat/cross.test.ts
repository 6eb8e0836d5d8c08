import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Fakes,
  halves,
  type Kept,
  keyOf,
  type Plan,
  Refusal,
  startFakes,
  TOOLS,
  type Vendor,
} from '../matrix/fake.ts';
import { VENDORS } from '../matrix/vendors.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { type PlayedVendor, startPlayedVendor } from './played-vendor.ts';
import { TALKS, type Talk, type TalkOptions } from './talks.ts';
import { SERVER_TOOLS, shown, uiChat } from './ui-talk.ts';

/** One vendor of each wire out. */
const OUT = ['groq', 'openai', 'anthropic', 'google', 'ollama', 'cohere'].map((type): Vendor => {
  const vendor = VENDORS.find((one) => one.type === type);
  if (!vendor) throw new Error(`there is no ${type}`);
  return vendor;
});
const NOTHING: Kept = { inOrder: [], anywhere: [], calls: [] };
/** A picture of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const PAIRS = Object.keys(TALKS).flatMap((wire) => OUT.map((vendor) => ({ wire, vendor, name: vendor.name })));

/** What a client throws when the provider refuses; the UI stream knows no classes. */
const REFUSED = {
  chat: OpenAI.BadRequestError,
  responses: OpenAI.BadRequestError,
  messages: Anthropic.BadRequestError,
};

let fakes: Fakes;
let played: PlayedVendor;
/** Asks the fakes, and the vendors that are played. */
let server: TestServer;
let stage: TestServer;
let key: string;
let stageKey: string;
let number = 0;

function environmentOf(url: string): Record<string, string> {
  const entries = OUT.flatMap(({ type }) => [
    [`${type.toUpperCase()}_BASE_URL`, `${url}/${type}${type === 'cohere' ? '/v2' : ''}`],
    [type === 'google' ? 'GEMINI_API_KEY' : `${type.toUpperCase()}_API_KEY`, keyOf(type)],
  ]);
  return Object.fromEntries(entries);
}

async function makeKey({ call }: TestServer): Promise<string> {
  const { status, body } = await call('/api/keys', { name: 'cross', scopes: ['chat', 'tools'] });
  expect(status).toBe(201);
  return body.secret;
}

beforeAll(async () => {
  [fakes, played] = await Promise.all([startFakes(OUT), startPlayedVendor()]);
  server = await startTestServer(environmentOf(fakes.url), undefined, undefined, SERVER_TOOLS);
  stage = await startTestServer(environmentOf(played.url));
  [key, stageKey] = await Promise.all([makeKey(server), makeKey(stage)]);
});

afterAll(async () => {
  await Promise.all([server.stop(), stage.stop()]);
  played.stop();
  await fakes.stop();
});

function talk(wire: string, vendor: Vendor, system: string): Talk {
  const options = { url: server.url, key, system, tools: TOOLS, model: `${vendor.type}/${vendor.fake.model}` };
  return start(wire, options);
}

function start(wire: string, options: TalkOptions): Talk {
  const begin = TALKS[wire];
  if (!begin) throw new Error(`there is no wire ${wire}`);
  return begin(options);
}

function onStage(vendor: Vendor): TalkOptions {
  return {
    ...{ url: stage.url, key: stageKey, system: 'Wait.', tools: [] },
    model: `${vendor.type}/${vendor.fake.model}`,
  };
}

/** An answer with everything that its vendor can say. */
function planOf({ name, fake }: Vendor, calls: number): Plan {
  const id = `${name}-${++number}`;
  return {
    reasoning: `I think thought-${id}, "naïvely" 😀.`,
    text: calls > 0 && fake.calls === 'alone' ? '' : `Said-${id}, für "alle".`,
    calls: TOOLS.slice(0, calls).map(({ name: tool }, i) => ({
      name: tool,
      args: { place: `Ort-${id}-${i}`, n: 2.5 },
    })),
  };
}

const STREAMED = { stream: true, manner: 'streamed' };
const WHOLE = { stream: false, manner: 'whole' };
/** The UI stream is always one. */
const manners = (wire: string): (typeof WHOLE)[] => (wire === 'ui' ? [STREAMED] : [WHOLE, STREAMED]);

describe.each(PAIRS)('$wire in, $name out', ({ wire, vendor }) => {
  it.for(manners(wire))('text and reasoning, $manner', async ({ stream }) => {
    const system = `System-${++number}`;
    const plan = planOf(vendor, 0);
    fakes.expect(plan, { ...NOTHING, anywhere: [system], inOrder: ['Question?'] });
    const seen = await talk(wire, vendor, system).step({ say: 'Question?', stream });
    expect(seen).toEqual({ text: plan.text, reasoning: plan.reasoning, calls: [] });
  });

  it.for(manners(wire))('two tools, their results, and what their provider wants back, $manner', async ({ stream }) => {
    const system = `System-${++number}`;
    const conversation = talk(wire, vendor, system);
    const first = planOf(vendor, 2);
    fakes.expect(first, NOTHING);
    const seen = await conversation.step({ say: 'Which labels?', stream });
    expect(seen.calls.map(({ name, args }) => ({ name, args }))).toEqual(first.calls);
    expect(seen.text).toBe(first.text);
    const second = planOf(vendor, 0);
    const kept = {
      anywhere: [system],
      inOrder: ['Which labels?', ...(first.text === '' ? [] : [first.text]), 'Result-1 é', 'Result-2'],
      calls: first.calls.map(({ name }) => name),
    };
    // The fake refuses if reasoning that it has signed does not come back as it was.
    fakes.expect(second, kept);
    const answer = await conversation.step({ say: ['Result-1 é', 'Result-2'], stream });
    expect(answer).toEqual({ text: second.text, reasoning: second.reasoning, calls: [] });
  });

  it('a picture', async () => {
    const plan = planOf(vendor, 0);
    fakes.expect(plan, { ...NOTHING, anywhere: [PIXEL], inOrder: ['What is this?'] });
    const seen = await talk(wire, vendor, 'Look.').step({ say: 'What is this?', image: PIXEL, stream: false });
    expect(seen.text).toBe(plan.text);
  });

  it.for(manners(wire))('a refusal, in the vendor’s words and the client’s own class, $manner', async ({ stream }) => {
    fakes.expect(planOf(vendor, 0), { ...NOTHING, anywhere: ['what nobody has said'] });
    const refused = talk(wire, vendor, 'Be brief.').step({ say: 'Hello', stream });
    const error = await refused.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(REFUSED[wire as keyof typeof REFUSED] ?? Error);
    if (wire !== 'ui') expect(error).toMatchObject({ status: 400 });
    expect(error).toMatchObject({ message: expect.stringContaining('LOST: what nobody has said') });
  });
});

/** The pieces of an answer, and how many of them bring the first half of its text. */
function halfSaid(vendor: Vendor): { plan: Plan; pieces: string[]; count: number; half: string } {
  const plan = planOf(vendor, 0);
  const pieces = vendor.fake.pieces(fakes.make(vendor, plan));
  return {
    plan,
    pieces,
    count: pieces.findIndex((piece) => piece.includes('Said-')) + 1,
    half: halves(plan.text)[0] ?? '',
  };
}

describe('a caller that leaves', () => {
  it.for(PAIRS.filter(({ wire }) => wire !== 'ui'))(
    '$wire in, $name out: ends the call of the provider',
    async ({ wire, vendor }) => {
      const { pieces } = halfSaid(vendor);
      const held = played.hold(vendor, pieces, 1);
      const leaving = new AbortController();
      const asked = start(wire, onStage(vendor)).step({ say: 'Hello', stream: true, signal: leaving.signal });
      const failed = expect(asked).rejects.toThrow();
      await held.begun;
      leaving.abort();
      await failed;
      await held.left;
    },
  );
});

describe.each(OUT)('the UI stream in, $name out', (vendor) => {
  it('shows what has been said before the provider has said the rest', async () => {
    const { plan, pieces, count, half } = halfSaid(vendor);
    const held = played.hold(vendor, pieces, count);
    const chat = uiChat(onStage(vendor));
    const sent = chat.sendMessage({ text: 'Hello' });
    await expect.poll(() => shown(chat, 'text')).toBe(half);
    expect(shown(chat, 'reasoning')).toBe(plan.reasoning);
    expect(chat.status).toBe('streaming');
    held.goOn();
    await sent;
    expect(chat.error).toBeUndefined();
    expect(shown(chat, 'text')).toBe(plan.text);
  });

  it('goes on when its caller leaves, and ends the call of the provider when it is cancelled', async () => {
    const { pieces, count, half } = halfSaid(vendor);
    const held = played.hold(vendor, pieces, count);
    const chat = uiChat(onStage(vendor));
    const sent = chat.sendMessage({ text: 'Hello' });
    await expect.poll(() => shown(chat, 'text')).toBe(half);
    await chat.stop();
    await sent;
    const other = uiChat(onStage(vendor), chat.id);
    const resumed = other.resumeStream();
    await expect.poll(() => shown(other, 'text')).toBe(half);
    const last: Json = other.lastMessage;
    const headers = { authorization: `Bearer ${stageKey}`, 'content-type': 'application/json' };
    await stage.call(`/api/chat/runs/${last.metadata.runId}/cancel`, {}, { headers });
    await held.left;
    await resumed;
    expect(other.lastMessage?.metadata).toMatchObject({ status: 'cancelled' });
  });

  it.each([
    [429, 'provider_rate_limited'],
    [500, 'provider_unavailable'],
  ])('tells in the provider’s words why it has failed with %i, but never the key', async (status, code) => {
    const refusal = vendor.fake.refusal(new Refusal(`Not now for ${keyOf(vendor.type)}, says the vendor`, status));
    played.play((response) => {
      response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' });
      response.end(JSON.stringify(refusal));
    });
    const chat = uiChat(onStage(vendor));
    await chat.sendMessage({ text: 'Hello' });
    expect(chat.status).toBe('error');
    expect(chat.error?.message).toMatch(/Not now for .*, says the vendor/);
    expect(chat.lastMessage?.metadata).toMatchObject({ status: 'failed', error: { code } });
    expect(JSON.stringify([chat.messages, chat.error?.message])).not.toContain(keyOf(vendor.type));
  });
});
