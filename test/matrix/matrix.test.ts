import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { BROKEN } from './broken.ts';
import { environmentOf, type Fakes, type Kept, keyOf, type Plan, startFakes, TOOLS, type Vendor } from './fake.ts';
import { SIBLINGS, VENDORS } from './vendors.ts';

let fakes: Fakes;
let server: TestServer;
const failures = new Map<string, string>();

beforeAll(async () => {
  fakes = await startFakes([...VENDORS, ...SIBLINGS]);
  server = await startTestServer(environmentOf(fakes.url, VENDORS));
});

afterAll(async () => {
  if (failures.size > 0) process.stdout.write(summary());
  await server.stop();
  await fakes.stop();
});

/** Who (rows) hands over to whom (columns), and what was said where it failed. */
function summary(): string {
  const columns = VENDORS.map(({ name }) => name.slice(0, 2)).join(' ');
  const grid = VENDORS.map((a) => {
    const cells = VENDORS.map((b) => (failures.has(pairOf(a, b)) ? 'X ' : '· '));
    return `${a.name.padEnd(10)} ${cells.join(' ')}`;
  });
  const words = [...failures].map(([pair, said]) => `${pair}: ${said}`);
  return `\n${[`${' '.repeat(10)} ${columns}`, ...grid, ...words].join('\n')}\n`;
}

function pairOf(a: Vendor, b: Vendor): string {
  return `${a.name} → ${b.name}`;
}

let number = 0;

/** How an answer comes: in one piece or streamed, with reasoning or without, and whether it says something beside calls. */
interface Manner {
  stream: boolean;
  reasons: boolean;
  talks: boolean;
}

const CHATTY: Manner = { stream: false, reasons: true, talks: true };

/** What a vendor is to answer: marked with its name, so that it can be told where it turns up. */
function plan({ name, fake: { calls } }: Vendor, names: string[], { reasons, talks }: Manner = CHATTY): Plan {
  const id = `${name}-${++number}`;
  return {
    reasoning: reasons ? `I think thought-${id}, "naïvely" 😀.` : '',
    text: names.length > 0 && calls !== 'never' && (calls === 'alone' || !talks) ? '' : `Said-${id}, für "alle".`,
    calls:
      calls === 'never' ? [] : names.map((name, i) => ({ name, args: { place: `Zürich-${id}-${i}`, depth: 2.5 } })),
  };
}

/** A conversation as a client of the server leads it. */
class Conversation {
  readonly #messages: Json[] = [];
  readonly #kept: Kept = { inOrder: [], anywhere: [], calls: [] };
  readonly #system = `System-${++number}: be brief.`;

  constructor() {
    this.#kept.anywhere.push(this.#system);
  }

  says(): void {
    const content = `Question-${++number}?`;
    this.#messages.push({ role: 'user', content });
    this.#kept.inOrder.push(content);
  }

  /** Asks, keeps the answer as it came, and answers its calls; without calls the person goes on. */
  async ask(vendor: Vendor, names: string[], manner: Manner): Promise<void> {
    const planned = plan(vendor, names, manner);
    fakes.expect(planned, this.#kept);
    const { message, reasoning, warnings } = await this.#complete(vendor, manner.stream);
    expect({ role: message.role, content: message.content }).toEqual({ role: 'assistant', content: planned.text });
    const called = (message.toolCalls ?? []).map((call: Json) => ({ name: call.name, args: call.arguments }));
    expect(called).toEqual(planned.calls);
    expect(reasoning ?? '').toContain(planned.reasoning);
    expect(warnings).toEqual(vendor.fake.calls === 'never' ? [expect.stringMatching(/^tools/)] : undefined);
    this.#keep(planned);
    this.#messages.push(message);
    for (const call of message.toolCalls ?? []) {
      const content = `Result-${++number} of ${call.arguments.place}`.replace(/Zürich-/, 'town ');
      this.#messages.push({ role: 'tool', toolCallId: call.id, content });
      this.#kept.inOrder.push(content);
    }
    if (called.length === 0) this.says();
  }

  #keep({ text, calls }: Plan): void {
    if (text !== '') this.#kept.inOrder.push(text);
    for (const { name, args } of calls) {
      this.#kept.calls.push(name);
      this.#kept.anywhere.push(String(args.place));
    }
  }

  async #complete({ type, fake }: Vendor, stream: boolean): Promise<Json> {
    const model = `${type}/${fake.model}`;
    const body = { model, messages: this.#messages, systemPrompt: this.#system, tools: TOOLS, stream };
    if (stream) return assemble((await server.stream('/api/chat/completions', body)).events);
    const answer = await server.call('/api/chat/completions', body);
    if (answer.status !== 200) throw new Error(answer.body.error);
    return answer.body;
  }
}

/** The message that a client puts together from a stream. */
function assemble(events: Json[]): Json {
  const last = events.at(-1);
  if (last.error) throw new Error(last.error);
  const all = (key: string): Json[] => events.flatMap((event) => (event[key] === undefined ? [] : [event[key]]));
  const toolCalls = all('toolCall');
  const message = {
    role: 'assistant',
    content: all('content').join(''),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(last.parts ? { parts: last.parts } : {}),
  };
  return { message, reasoning: all('reasoning').join(''), warnings: last.warnings };
}

/** Everybody with everybody; then with another model of the same vendor. Half of the answers are streamed. */
const PAIRS = [
  ...VENDORS.flatMap((a, i) => VENDORS.map((b, j) => ({ a, b, i, j }))),
  ...VENDORS.flatMap((a, i) => SIBLINGS.slice(i, i + 1).map((b) => ({ a, b, i, j: i + 1 }))),
].map(({ a, b, i, j }) => ({
  name: pairOf(a, b),
  a,
  b,
  first: { stream: j % 2 === 1, reasons: (i + 2 * j) % 5 !== 0, talks: j % 3 !== 0 },
  second: { stream: (i + j) % 2 === 1, reasons: (i + 2 * j) % 5 !== 1, talks: (i + j) % 3 !== 1 },
}));

test.for(PAIRS)('$name and back', async ({ name, a, b, first, second }) => {
  const conversation = new Conversation();
  const steps: [Vendor, string[], Manner][] = [
    [a, ['harbor_label', 'orchard_label'], first],
    [b, ['orchard_label'], second],
    [a, [], second],
    [a, [], first],
  ];
  conversation.says();
  for (const [i, step] of steps.entries()) {
    try {
      await conversation.ask(...step);
    } catch (error) {
      failures.set(name, `step ${i + 1} (${step[0].name}): ${String(error).slice(0, 300)}`);
      throw error;
    }
  }
});

test.for(VENDORS)('the words of a refusal by $name reach the client', async (vendor) => {
  const { type, fake } = vendor;
  fakes.expect(plan(vendor, []), { inOrder: [], anywhere: ['Missing-words'], calls: [] });
  const body = { model: `${type}/${fake.model}`, messages: [{ role: 'user', content: 'Hello' }] };
  expect(await server.call('/api/chat/completions', body)).toMatchObject({
    status: 400,
    body: { code: 'provider_rejected', error: expect.stringMatching(/: LOST: Missing-words$/) },
  });
});

interface Answered {
  status: number;
  text: string;
}

/** Sends to a fake what a client of the vendor would send, right but for what `change` breaks. */
async function direct(vendor: Vendor, change: (body: Json) => void, key = keyOf(vendor.type)): Promise<Answered> {
  const { fake, type } = vendor;
  const question = `Question-${++number}?`;
  const turn = fakes.make(vendor, plan(vendor, ['harbor_label', 'orchard_label']));
  const { path, body } = structuredClone(
    fake.ideal({ question, turn, results: turn.plan.calls.map((_, i) => `R${i}`) }),
  );
  change(body);
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', [fake.keyHeader]: key };
  const base = `${fakes.url}/${type}`;
  const response = await fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, text: (await response.text()).replaceAll('\\"', '"') };
}

const nothing = (): void => {};

test.for(VENDORS)('$name takes a right request, and needs its key', async (vendor) => {
  expect(await direct(vendor, nothing)).toMatchObject({ status: 200 });
  expect(await direct(vendor, nothing, 'sk-other')).toMatchObject({ status: 401 });
});

const RULES = BROKEN.flatMap(({ vendors, ...broken }) =>
  VENDORS.filter(({ type }) => vendors.includes(type)).map((vendor) => ({ name: vendor.name, vendor, ...broken })),
);

test.for(RULES)('$name refuses: $rule', async ({ vendor, break: change, says }) => {
  const { status, text } = await direct(vendor, (body) => void change(body));
  expect(text).toMatch(says);
  expect(status === 400 || status === 404 || status === 422).toBe(true);
});

test.for(VENDORS)('$name sees what of others leaks, what is lost, and what comes twice or late', async (vendor) => {
  const other = `${vendor.name}2`;
  const ask = (words: string, kept: Partial<Kept>): Promise<Answered> => {
    fakes.expect(plan(vendor, []), { inOrder: [], anywhere: [], calls: [], ...kept });
    return direct(vendor, (body) => {
      const [first] = body.messages ?? body.input ?? body.contents;
      if (first.parts) first.parts[0].text = words;
      else first.content = words;
    });
  };
  expect((await ask('one, two', { inOrder: ['one', 'two'], anywhere: ['two', 'one'] })).status).toBe(200);
  expect((await ask(`thought-${other}-1`, {})).text).toMatch(`LEAK: thought-${other}-1`);
  expect((await ask(`sealed-${other}-1`, {})).text).toMatch(`LEAK: sealed-${other}-1`);
  expect((await ask('one', { inOrder: ['one', 'two'] })).text).toMatch('LOST: two');
  expect((await ask('one', { anywhere: ['two'] })).text).toMatch('LOST: two');
  expect((await ask('one', { calls: Array(5).fill('harbor_label') })).text).toMatch(/LOST: \d of the calls/);
  expect((await ask('one, one', { inOrder: ['one'] })).text).toMatch('TWICE: one');
  expect((await ask('two, one', { inOrder: ['one', 'two'] })).text).toMatch('OUT OF ORDER: two');
});
