import { isObject, type JsonObject, tryParseJson } from '../core/json.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import { type AppError, InvalidRequestError } from '../errors.ts';
import type { ChatRequest, Message } from './chat-model.ts';

/** The demo's grammar, as `GET /providers/demo/models` gives it. */
export const DEMO_DESCRIPTION = `A scripted model: no key, no network. Plain text gets a plain answer. Lines of a user message that begin with a slash are orders, obeyed in this order:
/fail STATUS [MESSAGE]    fail as a provider with that HTTP status (400-599) would
/reason TEXT              reason first
/say TEXT                 answer this text
/stream N [DELAY_MS]      answer in N chunks, with a delay before each (at most 10000 chunks, 60000 ms)
/length N                 stop after N words with finishReason "length" (maxTokens does the same)
/tool NAME [JSON]         call this tool with these arguments; may stand several times
/stall                    after what was said, never go on
/cut STATUS [MESSAGE]     after what was said, fail in the middle of the answer
/next                     what stands below is for the next step of the same turn, when the tools have answered
The last message with orders counts until an answer without tool calls. What is said after it without orders is named in the answer that closes the turn. From the second step on nothing is called if no tools are offered.`;

const MAX_CHUNKS = 10_000;
const MAX_DELAY_MS = 60_000;
const MAX_NESTING = 100;

/** What is ordered for one step. */
interface Section {
  /** What was written beside the orders. */
  prompt: string;
  fail: { status: number; message: string } | undefined;
  cut: { status: number; message: string } | undefined;
  reasoning: string[];
  say: string | undefined;
  /** In how many pieces; undefined: word by word. */
  chunks: number | undefined;
  delayMs: number;
  /** Words. */
  length: number | undefined;
  calls: { name: string; arguments: JsonObject }[];
  stall: boolean;
}

/** What a request has the demo do. */
export interface Script extends Section {
  /** The last tool's answer, for a plain answer to tell of. */
  result: Extract<Message, { role: 'tool' }> | undefined;
  /** What the user has said since the orders were given. */
  said: string[];
}

/** Takes what stands behind its name. Reasons and calls add up; of the others the last one counts. */
type Order = (rest: string, section: Section) => void;

const ORDERS: Readonly<Record<string, Order>> = {
  fail(rest, section) {
    section.fail = readFailure(rest);
  },
  cut(rest, section) {
    section.cut = readFailure(rest);
  },
  reason(rest, section) {
    section.reasoning.push(rest);
  },
  say(rest, section) {
    section.say = rest;
  },
  stream(rest, section) {
    const [chunks, delay] = rest.split(/\s+/);
    section.chunks = readNumber('/stream N', chunks, 1, MAX_CHUNKS);
    section.delayMs = delay === undefined ? 0 : readNumber('/stream N DELAY_MS', delay, 0, MAX_DELAY_MS);
  },
  length(rest, section) {
    section.length = readNumber('/length N', rest, 1, MAX_CHUNKS);
  },
  tool(rest, section) {
    section.calls.push(readCall(rest));
  },
  stall(_rest, section) {
    section.stall = true;
  },
};

/**
 * Reads what a request orders for its step: as many steps are done as there are messages with tool calls since the
 * orders.
 * @throws AppError `invalid_request` for an order that does not make sense, be it one for a later step.
 */
export function readScript({ messages, tools, toolChoice }: ChatRequest): Script {
  const turn = messages.slice(messages.findLastIndex(isClosing) + 1);
  const at = turn.findLastIndex((message) => message.role === 'user' && linesOf(message).some(isOrder));
  const since = turn.slice(at + 1);
  if (at < 0) {
    const last = messages.at(-1);
    const section = readSection(last?.role === 'user' ? linesOf(last) : []);
    return { ...section, result: last?.role === 'tool' ? last : undefined, said: [] };
  }
  const step = since.filter(({ role }) => role === 'assistant').length;
  const section = sectionsOf(turn[at]).map(readSection)[step] ?? readSection([]);
  if (step > 0 && (tools.length === 0 || toolChoice === 'none')) section.calls = [];
  return {
    ...section,
    result: since.findLast((message) => message.role === 'tool'),
    said: since.flatMap((message) => {
      const text = message.role === 'user' ? messageText(message).trim() : '';
      return text === '' ? [] : [text];
    }),
  };
}

/** All text of a message. */
export function messageText(message: Message): string {
  if (message.role === 'system' || message.role === 'tool') return message.text;
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

/** An answer without tool calls ends its turn. */
function isClosing(message: Message): boolean {
  return message.role === 'assistant' && message.parts.every(({ type }) => type !== 'tool-call');
}

function linesOf(message: Message): string[] {
  return messageText(message).split('\n');
}

function sectionsOf(message: Message | undefined): string[][] {
  const sections: string[][] = [[]];
  for (const line of message ? linesOf(message) : []) {
    if (isNext(line)) sections.push([]);
    else sections.at(-1)?.push(line);
  }
  return sections;
}

function isNext(line: string): boolean {
  return line.trimEnd() === '/next';
}

function isOrder(line: string): boolean {
  return isNext(line) || orderOf(line) !== undefined;
}

/** The order that a line is, and what stands behind its name; undefined if it is none (a path, say). */
function orderOf(line: string): [obey: Order, rest: string] | undefined {
  const [start = '', name = ''] = /^\/(\w+)\s*/.exec(line) ?? [];
  const obey = Object.hasOwn(ORDERS, name) ? ORDERS[name] : undefined;
  return obey && [obey, line.slice(start.length).trimEnd()];
}

function readSection(lines: readonly string[]): Section {
  const section: Section = {
    prompt: '',
    fail: undefined,
    cut: undefined,
    reasoning: [],
    say: undefined,
    chunks: undefined,
    delayMs: 0,
    length: undefined,
    calls: [],
    stall: false,
  };
  const plain: string[] = [];
  for (const line of lines) {
    const [obey, rest = ''] = orderOf(line) ?? [];
    if (obey) obey(rest, section);
    else plain.push(line);
  }
  section.prompt = plain.join('\n').trim();
  return section;
}

function readFailure(rest: string): { status: number; message: string } {
  const [status = '', ...words] = rest.split(/\s+/);
  return { status: readNumber('/fail STATUS', status, 400, 599), message: words.join(' ') || 'Failed as ordered' };
}

function readCall(rest: string): { name: string; arguments: JsonObject } {
  const [name = ''] = rest.split(/\s+/);
  const json = rest.slice(name.length).trim();
  const args = json === '' ? {} : tryParseJson(json);
  if (name === '' || !isObject(args) || !isNestedAtMost(args, MAX_NESTING))
    throw badOrder('/tool NAME [JSON]', rest.slice(0, 200));
  return { name, arguments: args };
}

function readNumber(order: string, text: string | undefined, min: number, max: number): number {
  const value = Number(text);
  if (text === undefined || text === '' || !Number.isInteger(value) || value < min || value > max) {
    throw badOrder(`${order} (${min} to ${max})`, text ?? '');
  }
  return value;
}

function badOrder(order: string, given: string): AppError {
  return new InvalidRequestError([
    { path: 'messages', message: `the demo model does not understand ${JSON.stringify(given)} in ${order}` },
  ]);
}
