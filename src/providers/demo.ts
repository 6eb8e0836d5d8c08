import { newId } from '../core/ids.ts';
import { isObject, tryParseJson } from '../core/json.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import { pause } from '../core/pause.ts';
import { type AppError, abortError, InvalidRequestError } from '../errors.ts';
import type { ChatAnswer, ChatModel, ChatRequest, FinishReason, Message, ProviderEvent } from './chat-model.ts';
import { refusalError } from './transport/failure.ts';

/** The demo's only model. */
export const DEMO_MODEL = 'demo';

/** The demo's grammar, as `GET /providers/demo/models` gives it. */
export const DEMO_DESCRIPTION = `A scripted model: no key, no network. Plain text gets a plain answer. Lines of the last user message that begin with a slash are orders, obeyed in this order:
/fail STATUS [MESSAGE]    fail as a provider with that HTTP status (400-599) would
/reason TEXT              reason first
/say TEXT                 answer this text
/stream N [DELAY_MS]      answer in N chunks, with a delay before each (at most 10000 chunks, 60000 ms)
/length N                 stop after N words with finishReason "length" (maxTokens does the same)
/tool NAME [JSON]         call this tool with these arguments; may stand several times
/stall                    after what was said, never go on
/cut STATUS [MESSAGE]     after what was said, fail in the middle of the answer`;

interface Script {
  prompt: string;
  fail: { status: number; message: string } | undefined;
  cut: { status: number; message: string } | undefined;
  reasoning: string[];
  say: string | undefined;
  chunks: number | undefined;
  delayMs: number;
  length: number | undefined;
  calls: { name: string; arguments: Record<string, unknown> }[];
  stall: boolean;
}

const MAX_CHUNKS = 10_000;
const MAX_DELAY_MS = 60_000;
const MAX_EXCERPT = 200;
const MAX_NESTING = 100;

/** The model that works without a key or a network: for a first try, and for testing clients of this server. */
export function demoModel(): ChatModel {
  return {
    chat: (request, signal) =>
      Promise.try(() => {
        const script = readScript(request);
        if (script.fail) throw failure(script.fail);
        return { warnings: warningsFor(request), events: play(script, request, signal) };
      }),
  };
}

async function* play(script: Script, request: ChatRequest, signal: AbortSignal): ChatAnswer['events'] {
  const batches = request.stream ? streamed(script, request) : [streamed(script, request).flat()];
  const delayMs = request.stream ? script.delayMs : script.delayMs * (script.chunks ?? 0);
  const held = !request.stream && (script.stall || script.cut !== undefined);
  const gone = (): ProviderEvent[] => [{ type: 'error', error: abortError(signal) }];
  for (const batch of held ? [] : batches) {
    if (delayMs > 0 && !(await pause(delayMs, signal))) return yield gone();
    yield batch;
  }
  if (script.stall && !(await pause(undefined, signal))) return yield gone();
  if (script.cut) yield [{ type: 'error', error: failure(script.cut) }];
}

/** The whole answer as batches of events. A script that stalls or breaks off has no ending. */
function streamed(script: Script, request: ChatRequest): ProviderEvent[][] {
  const { text, finish } = answerText(script, request);
  const batches: ProviderEvent[][] = script.reasoning.map((line) => [{ type: 'reasoning', text: line }]);
  for (const piece of pieces(text, script.chunks)) batches.push([{ type: 'text', text: piece }]);
  if (script.stall || script.cut) return batches;
  const last: ProviderEvent[] = script.calls.map((call) => ({
    type: 'tool-call',
    call: { id: newId('call'), ...call },
  }));
  const promptTokens = countWords(request.messages.map(messageText).join(' '));
  const reasoningTokens = countWords(script.reasoning.join(' '));
  const completionTokens = countWords(text) + reasoningTokens;
  const usage = { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, reasoningTokens };
  last.push({ type: 'usage', usage }, { type: 'finish', reason: finish });
  batches.push(last);
  return batches;
}

function answerText(script: Script, request: ChatRequest): { text: string; finish: FinishReason } {
  const text = script.say ?? (script.calls.length > 0 ? '' : plainAnswer(script.prompt, request.messages));
  const limit = Math.min(script.length ?? Number.POSITIVE_INFINITY, request.maxTokens ?? Number.POSITIVE_INFINITY);
  const words = text.split(/(?<=\s)(?=\S)/);
  if (words.length > limit) return { text: words.slice(0, limit).join('').trimEnd(), finish: 'length' };
  return { text, finish: script.calls.length > 0 ? 'tool-calls' : 'stop' };
}

function plainAnswer(prompt: string, messages: Message[]): string {
  const last = messages.at(-1);
  if (last?.role === 'tool') return `Demo model: the tool ${last.toolName} answered: ${last.text}`;
  const heard = prompt === '' ? 'You sent no text' : `You wrote: “${excerpt(prompt)}”`;
  return `This is profclaw's built-in demo model, so this is a scripted answer and not a model's. ${heard}. The server works; give it a provider's key (for example ANTHROPIC_API_KEY) for real answers.`;
}

/** An answer is no longer than its question: that would be no use as a summary, say. */
function excerpt(prompt: string): string {
  return prompt.length <= MAX_EXCERPT ? prompt : `${prompt.slice(0, MAX_EXCERPT).toWellFormed()}…`;
}

function pieces(text: string, chunks: number | undefined): string[] {
  if (text === '') return [];
  if (chunks === undefined) return text.split(/(?<=\s)(?=\S)/);
  const points = Array.from(text);
  return Array.from({ length: chunks }, (_, i) =>
    points.slice(Math.floor((i * points.length) / chunks), Math.floor(((i + 1) * points.length) / chunks)).join(''),
  ).map((piece) => piece || '.');
}

function readScript(request: ChatRequest): Script {
  const script: Script = {
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
  // After a tool's result the orders have been carried out: what is left is to answer.
  const last = request.messages.at(-1);
  if (last?.role !== 'user') return script;
  const plain = messageText(last)
    .split('\n')
    .filter((line) => !line.startsWith('/') || !obey(line, script));
  script.prompt = plain.join('\n').trim();
  return script;
}

/** Takes one order into the script; false if the line is none (a path, say). */
function obey(line: string, script: Script): boolean {
  const [, order = '', rest = ''] = /^\/(\w+)\s*(.*)$/.exec(line.trimEnd()) ?? [];
  switch (order) {
    case 'fail':
      script.fail = readFailure(rest);
      return true;
    case 'cut':
      script.cut = readFailure(rest);
      return true;
    case 'reason':
      script.reasoning.push(rest);
      return true;
    case 'say':
      script.say = rest;
      return true;
    case 'stream': {
      const [chunks, delay] = rest.split(/\s+/);
      script.chunks = readNumber('/stream N', chunks, 1, MAX_CHUNKS);
      script.delayMs = delay === undefined ? 0 : readNumber('/stream N DELAY_MS', delay, 0, MAX_DELAY_MS);
      return true;
    }
    case 'length':
      script.length = readNumber('/length N', rest, 1, MAX_CHUNKS);
      return true;
    case 'tool':
      script.calls.push(readCall(rest));
      return true;
    case 'stall':
      script.stall = true;
      return true;
    default:
      return false;
  }
}

function readFailure(rest: string): { status: number; message: string } {
  const [status = '', ...words] = rest.split(/\s+/);
  return { status: readNumber('/fail STATUS', status, 400, 599), message: words.join(' ') || 'Failed as ordered' };
}

function readCall(rest: string): { name: string; arguments: Record<string, unknown> } {
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

function failure({ status, message }: { status: number; message: string }): AppError {
  return refusalError({ provider: 'Demo', status, reading: { message, kinds: [] } });
}

function warningsFor(request: ChatRequest): string[] {
  return request.temperature === undefined ? [] : ['temperature: the demo model does not take it; left out'];
}

function messageText(message: Message): string {
  if (message.role === 'system' || message.role === 'tool') return message.text;
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
