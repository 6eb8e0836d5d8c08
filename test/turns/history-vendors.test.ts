import { afterAll, beforeAll, expect, test } from 'vitest';
import { environmentOf, type Fakes, type Kept, type Plan, startFakes, TOOLS, type Vendor } from '../matrix/fake.ts';
import { SIBLINGS, VENDORS } from '../matrix/vendors.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { begin, type Talk } from './rig.ts';

// Stored conversations with every vendor's strict stand-in: it refuses what the vendor would, what is another's, and
// what is lost, doubled or out of order.

let fakes: Fakes;
let server: TestServer;
let number = 0;

beforeAll(async () => {
  fakes = await startFakes([...VENDORS, ...SIBLINGS]);
  server = await startTestServer(environmentOf(fakes.url, VENDORS));
});
afterAll(async () => {
  await server.stop();
  await fakes.stop();
});

/** What a vendor is to answer, marked with its name. */
function plan({ name, fake: { calls } }: Vendor, names: string[]): Plan {
  const id = `${name}-${++number}`;
  const isQuiet = names.length > 0 && calls === 'alone';
  return {
    reasoning: `I think thought-${id}.`,
    text: isQuiet ? '' : `Said-${id}.`,
    calls: calls === 'never' ? [] : names.map((name, i) => ({ name, args: { place: `Zürich-${id}-${i}` } })),
  };
}

/** A conversation whose client sends nothing but what is new. */
class Stored {
  readonly #talk: Talk;
  readonly #kept: Kept;
  #given: object[] = [];

  constructor(talk: Talk, system: string) {
    this.#talk = talk;
    this.#kept = { inOrder: [], anywhere: [system], calls: [] };
  }

  #give(message: { content: string }): void {
    this.#given.push(message);
    this.#kept.inOrder.push(message.content);
  }

  /** Asks a vendor, which makes these calls; a question first, unless calls have just got their results. */
  async ask(vendor: Vendor, names: string[], stream: boolean): Promise<void> {
    if (this.#given.length === 0) this.#give({ role: 'user', content: `Question-${++number}?` } as never);
    const planned = plan(vendor, names);
    fakes.expect(planned, this.#kept);
    const more = { model: `${vendor.type}/${vendor.fake.model}`, tools: TOOLS, stream };
    const { content, toolCalls } = await this.#complete(this.#given.splice(0), more);
    expect([vendor.name, content]).toEqual([vendor.name, planned.text]);
    expect(toolCalls.map((call: Json) => ({ name: call.name, args: call.arguments }))).toEqual(planned.calls);
    if (planned.text !== '') this.#kept.inOrder.push(planned.text);
    for (const { name, args } of planned.calls) {
      this.#kept.calls.push(name);
      this.#kept.anywhere.push(String(args.place));
    }
    for (const { id } of toolCalls)
      this.#give({ role: 'tool', toolCallId: id, content: `Result-${++number}` } as never);
  }

  async #complete(given: object[], more: { stream: boolean }): Promise<{ content: string; toolCalls: Json[] }> {
    if (!more.stream) {
      const { status, body } = await this.#talk.complete(given, more);
      expect([status, body.error]).toEqual([200, undefined]);
      return { content: body.message.content, toolCalls: body.message.toolCalls ?? [] };
    }
    const body = { conversationId: this.#talk.id, messages: given, ...more };
    const { events } = await server.stream('/api/chat/completions', body);
    expect(events.at(-1).error).toBeUndefined();
    return {
      content: events.map(({ content = '' }) => content).join(''),
      toolCalls: events.flatMap(({ toolCall }) => (toolCall ? [toolCall] : [])),
    };
  }
}

async function beginStored(vendor: Vendor): Promise<Stored> {
  const systemPrompt = `System-${++number}: be brief.`;
  return new Stored(await begin(server, `${vendor.type}/${vendor.fake.model}`, { systemPrompt }), systemPrompt);
}

const BOTH = TOOLS.map(({ name }) => name);
const RING = VENDORS.map((vendor, i) => ({
  name: vendor.name,
  vendor,
  sibling: SIBLINGS[i]!,
  next: VENDORS[(i + 1) % VENDORS.length]!,
  stream: i % 2 === 0,
}));

test.for(RING)('$name goes on after another model and after the next vendor', async (row) => {
  const { vendor, sibling, next, stream } = row;
  const conversation = await beginStored(vendor);
  await conversation.ask(vendor, BOTH, stream);
  await conversation.ask(vendor, [], !stream);
  await conversation.ask(sibling, BOTH, !stream);
  await conversation.ask(vendor, [], stream);
  await conversation.ask(next, BOTH, stream);
  await conversation.ask(vendor, BOTH, stream);
  await conversation.ask(vendor, [], !stream);
  await conversation.ask(vendor, [], stream);
});

test('one conversation goes through all of them, and back', async () => {
  const conversation = await beginStored(VENDORS[0]!);
  for (const [i, vendor] of [...VENDORS, ...SIBLINGS, ...VENDORS.toReversed()].entries()) {
    await conversation.ask(vendor, i % 3 === 2 ? [] : BOTH, i % 2 === 0);
  }
});
