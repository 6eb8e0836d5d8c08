import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fakes, type Kept, keyOf, type Plan, startFakes, TOOLS, type Vendor } from '../matrix/fake.ts';
import { VENDORS } from '../matrix/vendors.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { TALKS, type Talk } from './talks.ts';

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

let fakes: Fakes;
let server: TestServer;
let key: string;
let number = 0;

function environmentOf(url: string): Record<string, string> {
  const entries = OUT.flatMap(({ type }) => [
    [`${type.toUpperCase()}_BASE_URL`, `${url}/${type}${type === 'cohere' ? '/v2' : ''}`],
    [type === 'google' ? 'GEMINI_API_KEY' : `${type.toUpperCase()}_API_KEY`, keyOf(type)],
  ]);
  return Object.fromEntries(entries);
}

async function makeKey({ call }: TestServer): Promise<string> {
  const { status, body } = await call('/api/keys', { name: 'cross', scopes: ['chat'] });
  expect(status).toBe(201);
  return body.secret;
}

beforeAll(async () => {
  fakes = await startFakes(OUT);
  server = await startTestServer(environmentOf(fakes.url));
  key = await makeKey(server);
});

afterAll(async () => {
  await server.stop();
  await fakes.stop();
});

function talk(wire: string, vendor: Vendor, system: string, url = server.url): Talk {
  const start = TALKS[wire];
  if (!start) throw new Error(`there is no wire ${wire}`);
  return start({ url, key, system, tools: TOOLS, model: `${vendor.type}/${vendor.fake.model}` });
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

const MANNERS = [
  { stream: false, manner: 'whole' },
  { stream: true, manner: 'streamed' },
];

describe.each(PAIRS)('$wire in, $name out', ({ wire, vendor }) => {
  it.for(MANNERS)('text and reasoning, $manner', async ({ stream }) => {
    const system = `System-${++number}`;
    const plan = planOf(vendor, 0);
    fakes.expect(plan, { ...NOTHING, anywhere: [system], inOrder: ['Question?'] });
    const seen = await talk(wire, vendor, system).step({ say: 'Question?', stream });
    expect(seen).toEqual({ text: plan.text, reasoning: plan.reasoning, calls: [] });
  });

  it.for(MANNERS)('two tools, their results, and what their provider wants back, $manner', async ({ stream }) => {
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

  it.for(MANNERS)('a refusal, in the vendor’s words and the client’s own class, $manner', async ({ stream }) => {
    fakes.expect(planOf(vendor, 0), { ...NOTHING, anywhere: ['what nobody has said'] });
    const refused = talk(wire, vendor, 'Be brief.').step({ say: 'Hello', stream });
    const error = await refused.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(wire === 'messages' ? Anthropic.BadRequestError : OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining('LOST: what nobody has said') });
  });
});

describe('a caller that leaves', () => {
  it.for(PAIRS)('$wire in, $name out: ends the call of the provider', async ({ wire, vendor }) => {
    const left = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const [first = ''] = vendor.fake.pieces(fakes.make(vendor, planOf(vendor, 0)));
    const stalling = createServer((request, response) => {
      request.resume();
      if (request.method === 'GET') response.end('{"data":[],"models":[]}');
      else if (request.url?.endsWith('/api/show')) response.end('{"capabilities":["completion"]}');
      else {
        const type = vendor.type === 'ollama' ? 'application/x-ndjson' : 'text/event-stream';
        response.writeHead(200, { 'content-type': type });
        response.write(first);
        response.on('close', () => left.resolve());
        begun.resolve();
      }
    });
    await new Promise<void>((resolve) => stalling.listen(0, '127.0.0.1', resolve));
    const own = await startTestServer(environmentOf(`http://127.0.0.1:${(stalling.address() as AddressInfo).port}`));
    try {
      const leaving = new AbortController();
      const conversation = TALKS[wire]!({
        ...{ url: own.url, key: await makeKey(own), system: 'Wait.', tools: [] },
        model: `${vendor.type}/${vendor.fake.model}`,
      });
      const asked = conversation.step({ say: 'Hello', stream: true, signal: leaving.signal });
      const failed = expect(asked).rejects.toThrow();
      await begun.promise;
      leaving.abort();
      await failed;
      await left.promise;
    } finally {
      await own.stop();
      stalling.closeAllConnections();
      stalling.close();
    }
  });
});
