import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { VendorType } from '../../src/providers/profiles.ts';
import type { Json } from '../server.ts';

/** What a fake is told to answer. Reasoning can be '', and text beside calls. */
export interface Plan {
  reasoning: string;
  text: string;
  calls: { name: string; args: Record<string, unknown> }[];
}

/** An answer that a fake has given: the plan, the ids of its calls, and the form that it had on the wire. */
export interface Turn {
  plan: Plan;
  ids: string[];
  form: Json;
}

/** A request as a fake gets it; `path` begins behind the vendor's name. */
export interface Sent {
  path: string;
  headers: IncomingHttpHeaders;
  body: Json;
}

/** What of a conversation must be in a request, whoever said it. */
export interface Kept {
  /** Once each, in this order. */
  inOrder: string[];
  /** Anywhere. */
  anywhere: string[];
  /** The names of all tool calls made so far. */
  calls: string[];
}

/** A question to a fake, and what was said up to it: the fake's own turn with the results of its calls. */
export interface Exchange {
  question: string;
  turn?: Turn;
  results?: string[];
}

/** A vendor's stand-in on its wire. Strict: it refuses whatever the vendor refuses, in the vendor's own form. */
export interface Fake {
  model: string;
  /** Does it call tools, and does it say something beside its calls? */
  calls: 'with text' | 'alone' | 'never';
  /** The header that carries the key. */
  keyHeader: string;
  /** @throws Refusal */
  check(sent: Sent, past: Past): void;
  /** Makes an answer; `sealed` gives a fresh opaque string of this vendor. */
  give(plan: Plan, sealed: () => string): Turn;
  isStream(sent: Sent): boolean;
  whole(turn: Turn): object;
  pieces(turn: Turn): string[];
  refusal(refused: Refusal): object;
  /** The request of a client that does all right. */
  ideal(exchange: Exchange): { path: string; body: Json };
}

/** A model of a vendor; of its other models it is as foreign as of other vendors. */
export interface Vendor {
  /** Marks all that it says: the type, with a number behind it for a second model. */
  name: string;
  type: VendorType;
  fake: Fake;
}

/** Thrown by a fake for a request that the vendor would refuse. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string | undefined;

  constructor(message: string, status = 400, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Refuses with these words if the condition does not hold. */
export function demand(holds: unknown, words: string, status = 400, code?: string): asserts holds {
  if (!holds) throw new Refusal(words, status, code);
}

/** Refuses a value that is no object, or has another key than these; `words` says it of a key. */
export function onlyKeys(value: Json, known: readonly string[], words: (key: string) => string, status = 400): void {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), words('(not an object)'), status);
  for (const key of Object.keys(value)) demand(known.includes(key), words(key), status);
}

/** The answers that one fake has given. */
export class Past {
  readonly turns: Turn[] = [];

  /** The turn that made a call with these arguments: every call of the test has arguments of its own. */
  ofCall(args: unknown): { turn: Turn; index: number } | undefined {
    for (const turn of this.turns) {
      const index = turn.plan.calls.findIndex((call) => isDeepStrictEqual(call.args, args));
      if (index !== -1) return { turn, index };
    }
    return undefined;
  }

  /** The turn that said this and called nothing. */
  ofText(text: unknown): Turn | undefined {
    return this.turns.find((turn) => turn.plan.calls.length === 0 && turn.plan.text === text);
  }
}

/** The tools that every request offers. */
export const TOOLS = ['harbor_label', 'orchard_label'].map((name) => ({
  name,
  description: `Gives the label of the ${name.split('_')[0]}.`,
  parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}));

/** One server-sent event. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** A text in two pieces, as a stream brings it. */
export function halves(text: string): string[] {
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== '');
}

/** All fakes behind one address, each below its vendor's type. */
export interface Fakes {
  url: string;
  /** What the next request gets; until then a plain answer, and nothing is expected of the history. */
  expect(plan: Plan, kept: Kept): void;
  /** Lets a fake answer as if it had been asked. */
  make(vendor: Vendor, plan: Plan): Turn;
  stop(): Promise<void>;
}

const PLAIN: Plan = { reasoning: 'A plain thought.', text: 'A plain answer.', calls: [] };

/** Starts on a free port. */
export async function startFakes(vendors: readonly Vendor[]): Promise<Fakes> {
  const pasts = new Map(vendors.map(({ name }) => [name, new Past()]));
  let next: { plan: Plan; kept: Kept } | undefined;
  let sealed = 0;
  const pastOf = ({ name }: Vendor): Past => pasts.get(name) ?? new Past();
  const make = (vendor: Vendor, plan: Plan): Turn => {
    const turn = vendor.fake.give(plan, () => `sealed-${vendor.name}-${++sealed}-${'Q2xvc2Vk'.repeat(6)}`);
    pastOf(vendor).turns.push(turn);
    return turn;
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [, type = '', path = ''] = /^\/(\w+)(.*)$/.exec(request.url ?? '') ?? [];
    // What is asked beside the chat: lists of models, and what a model can do.
    if (request.method === 'GET') return json(response, 200, { data: [], models: [] });
    if (path === '/api/show') return json(response, 200, { capabilities: ['completion', 'tools', 'thinking'] });
    const body: Json = JSON.parse(text);
    const named = body.model ?? /^\/models\/([^:]+)/.exec(path)?.[1];
    const vendor = vendors.find((one) => one.type === type && one.fake.model === named);
    if (!vendor) return json(response, 404, { error: { message: `no model ${named} at ${request.url}` } });
    const { fake, name } = vendor;
    const expected = next;
    next = undefined;
    try {
      demand(request.headers[fake.keyHeader]?.includes(keyOf(type)), 'no valid key', 401);
      const sent: Sent = { path, headers: request.headers, body };
      fake.check(sent, pastOf(vendor));
      checkLeaks(name, text);
      if (expected) checkKept(body, expected.kept);
      const turn = make(vendor, expected?.plan ?? PLAIN);
      if (!fake.isStream(sent)) return json(response, 200, fake.whole(turn));
      response.writeHead(200, { 'content-type': type === 'ollama' ? 'application/x-ndjson' : 'text/event-stream' });
      for (const piece of fake.pieces(turn)) response.write(piece);
      response.end();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      json(response, error.status, fake.refusal(error));
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => json(response, 400, { error: { message: String(error) } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expect: (plan, kept) => {
      next = { plan, kept };
    },
    make,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The key that a fake takes. */
export function keyOf(type: string): string {
  return `key-of-${type}`;
}

const KEYS_OF_SERVER: Readonly<Record<string, string>> = { azure: 'AZURE_OPENAI_API_KEY', google: 'GEMINI_API_KEY' };

/** What points a server at the fakes of these vendors. @param url of `startFakes`. */
export function environmentOf(url: string, vendors: readonly Pick<Vendor, 'type'>[]): Record<string, string> {
  return Object.fromEntries(
    vendors.flatMap(({ type }) => [
      [`${type.toUpperCase()}_BASE_URL`, `${url}/${type}${type === 'cohere' ? '/v2' : ''}`],
      [KEYS_OF_SERVER[type] ?? `${type.toUpperCase()}_API_KEY`, keyOf(type)],
    ]),
  );
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

/** Reasoning is marked `thought-…`, what is opaque `sealed-…`, each with the name of its vendor. */
function checkLeaks(name: string, text: string): void {
  for (const [mark, owner] of text.matchAll(/\b(?:thought|sealed)-([a-z]+\d?)-\d+/g)) {
    demand(owner === name, `LEAK: ${mark} belongs to ${owner}`);
  }
}

function checkKept({ tools: _, ...body }: Json, { inOrder, anywhere, calls }: Kept): void {
  const strings = stringsOf(body);
  const text = strings.join('\n');
  for (const words of anywhere) demand(text.includes(words), `LOST: ${words}`);
  let at = 0;
  for (const words of inOrder) {
    const found = text.indexOf(words);
    demand(found !== -1, `LOST: ${words}`);
    demand(found === text.lastIndexOf(words), `TWICE: ${words}`);
    demand(found >= at, `OUT OF ORDER: ${words}`);
    at = found;
  }
  for (const { name } of TOOLS) {
    const wanted = calls.filter((call) => call === name).length;
    const found = text.match(new RegExp(`(?<![\\w.])${name}(?![\\w:])`, 'g'))?.length ?? 0;
    demand(found >= wanted, `LOST: ${wanted - found} of the calls of ${name}`);
  }
}

/** All strings in a value, those in JSON inside a string too. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(stringsOf);
  if (typeof value !== 'string') return [];
  if (!value.startsWith('{')) return [value];
  try {
    return stringsOf(JSON.parse(value));
  } catch {
    return [value];
  }
}
