import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILES, type VendorType } from '../../src/providers/profiles.ts';
import type { Json, TestServer } from '../server.ts';
import { type Expectation, FOLDER, loadRecordings, type Recording } from './recordings.ts';
import { readMessages } from './session-anthropic.ts';
import { readChat } from './session-chat.ts';
import { callsOf, type Dialogue, isSameTurn, type Part, type Said, type Turn, textOf } from './session-dialogue.ts';
import { readGemini } from './session-gemini.ts';
import { readResponses } from './session-responses.ts';

/** A recorded conversation; `expected` is undefined where the provider refused. */
export interface Session {
  name: string;
  turns: { recording: Recording; expected: Expectation | undefined }[];
}

/** What one request brought: our message as a client has it, and what is to be compared with the expectation. */
export interface Answered {
  message: Json | undefined;
  code: string | undefined;
  warnings: string[];
  answer: object;
}

const READERS: Readonly<Record<string, (body: Json) => Dialogue>> = {
  'chat-completions': readChat,
  'cohere-v2-chat': readChat,
  'ollama-chat': readChat,
  messages: readMessages,
  generateContent: readGemini,
  responses: readResponses,
};

/** Every recorded session; none if the folder is absent. @throws Error if a turn of one is missing. */
export function loadSessions(): Session[] {
  const list = join(FOLDER, 'sessions.tsv');
  if (!existsSync(list)) return [];
  const recordings = new Map(loadRecordings().map((entry) => [entry.recording.file, entry]));
  const rows = readFileSync(list, 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => {
    const [, , count, , , name = ''] = row.split('\t');
    const turns = Array.from({ length: Number(count) }, (_, n) => recordings.get(`${name}.${n}.json`) ?? []).flat();
    if (turns.length !== Number(count)) throw new Error(`${name} has ${turns.length} of its ${count} turns`);
    return { name, turns };
  });
}

/** What the body of a request on a recording's wire says, be it the recorded one or ours. */
export function readRequest({ api }: Recording, body: Json): Dialogue {
  const reader = READERS[api];
  if (!reader) throw new Error(`no reader for the wire ${api}`);
  return reader(body);
}

/**
 * A type and a model of it that speak a session's wire: some vendors were recorded on another wire than the one they
 * are spoken to on here.
 */
export function targetFor({ name, turns }: Session): [VendorType, string] {
  const [first] = turns;
  if (!first) throw new Error(`no turns in ${name}`);
  const { provider, api, request } = first.recording as Recording & { request: Json };
  const model: string = request.body?.model ?? /models\/([^/:]+):/.exec(request.path)?.[1] ?? 'recorded';
  const isOpenAi = api === 'chat-completions' || api === 'responses';
  // `cerebras` names reasoning as Ollama's OpenAI-like wire does.
  const type = isOpenAi && PROFILES[provider].wire !== 'openai-chat' ? 'cerebras' : provider;
  for (const vendor of [type, 'openai'] as const) {
    for (const name of [model, 'gpt-5.5', 'grok-4.6', 'recorded'])
      if (isSpokenTo(vendor, name, api)) return [vendor, name];
  }
  throw new Error(`no provider speaks ${api}, which ${name} needs`);
}

function isSpokenTo(type: VendorType, model: string, api: string): boolean {
  const { wire, otherWire } = PROFILES[type];
  const spoken: string = otherWire?.models.test(model) ? otherWire.wire : wire;
  return (spoken === 'openai-responses') === (api === 'responses');
}

/** Our form of a recorded request, and the recorded assistant turns that are none of ours. */
export interface Translated {
  request: { messages: object[] };
  foreign: Part[][];
}

/**
 * Brings a recorded request into the form of our API. Where it repeats an answer that our server gave, our own
 * message goes back as it came; `answers` are those, as `[parts, message]`.
 */
export function translate(dialogue: Dialogue, answers: [Part[], Json][]): Translated {
  const ids = new Map<string, string>();
  const foreign: Part[][] = [];
  const toMessage = (turn: Turn): object[] => {
    if (turn.role === 'system') return [{ role: turn.role, content: turn.text }];
    if (turn.role === 'user') return [{ role: turn.role, content: turn.parts.map(toPart) }];
    if (turn.role === 'tool') return [{ role: turn.role, toolCallId: ids.get(turn.id) ?? turn.id, content: turn.text }];
    const ours = answers.findLast(([parts]) => isSameTurn(parts, turn.parts))?.[1];
    const calls = callsOf(turn.parts);
    if (ours) {
      for (const [place, call] of calls.entries()) ids.set(call.id, ours.toolCalls[place].id);
      return [ours];
    }
    foreign.push(turn.parts);
    const content = textOf(turn.parts);
    const toolCalls = calls.map(({ id, name, args }) => ({ id, name, arguments: args }));
    return content === '' && calls.length === 0 ? [] : [{ role: turn.role, content, toolCalls }];
  };
  const { tools, toolChoice, temperature, maxTokens } = dialogue;
  const request = {
    messages: dialogue.turns.flatMap(toMessage),
    ...(tools.length > 0 ? { tools } : {}),
    ...(tools.length > 0 ? { toolChoice } : {}),
    temperature,
    maxTokens,
  };
  return { request, foreign };
}

function toPart(part: Said): object {
  if (part.type === 'text') return part;
  return part.type === 'image'
    ? { type: 'image', image: part.url }
    : { type: 'file', file: part.url, filename: part.filename };
}

/** What our message says, to find it again in the next recorded request. */
export function partsOf(message: Json): Part[] {
  const calls = (message.toolCalls ?? []).map(
    (call: Json): Part => ({ type: 'call', id: call.id, name: call.name, args: call.arguments }),
  );
  return [{ type: 'text', text: message.content }, ...calls];
}

/** Sends a request and puts together what a client gets. */
export async function ask(server: TestServer, request: object, stream: boolean): Promise<Answered> {
  if (!stream) {
    const { body } = await server.call('/api/chat/completions', request);
    return answered(body, body.message, body.reasoning ?? '');
  }
  const { events } = await server.stream('/api/chat/completions', { ...request, stream: true });
  const join = (key: string): string => events.map((event) => event[key] ?? '').join('');
  const toolCalls = events.flatMap((event) => event.toolCall ?? []);
  const { parts } = events.at(-1);
  const message = {
    role: 'assistant',
    content: join('content'),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(parts ? { parts } : {}),
  };
  return answered(events.at(-1), message, join('reasoning'));
}

function answered(last: Json, message: Json, reasoning: string): Answered {
  const tools = (message?.toolCalls ?? []).map((call: Json) => ({
    id: call.id,
    name: call.name,
    args: call.invalidArguments ?? call.arguments,
  }));
  const common = { text: message?.content ?? '', reasoning, tools };
  const { code, error, warnings = [] } = last;
  if (error !== undefined)
    return { message: undefined, code, warnings, answer: { ...common, error: error.replace(/^[^:]+: /, '') } };
  const { finishReason: finish, usage } = last;
  return {
    message,
    code,
    warnings,
    answer: { ...common, finish, usage: [usage.promptTokens, usage.completionTokens] },
  };
}
