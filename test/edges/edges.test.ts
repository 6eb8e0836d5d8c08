import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { ENCODERS, type Ending, type Piece } from './encoders.ts';

// Nothing that a model says may be lost, doubled or moved, on any wire, however it is cut.

type Wire = keyof typeof ENCODERS;

const MODELS: Readonly<Record<Wire, string>> = {
  openaiChat: 'groq/some-model',
  openaiResponses: 'openai/gpt-5.5',
  anthropicMessages: 'anthropic/claude-sonnet-5',
  gemini: 'google/gemini-2.5-flash',
  ollamaChat: 'ollama/some-model',
  cohereChat: 'cohere/command-a-03-2025',
};
const WIRES = Object.keys(ENCODERS) as Wire[];
/** These give a call as a whole, so its arguments cannot be cut. */
const WHOLE_CALLS: readonly Wire[] = ['gemini', 'ollamaChat'];

let server: TestServer;
let writes: readonly (string | Buffer)[] = [];
const upstream = createServer((request, response) => {
  request.resume().on('end', async () => {
    const isShow = request.url?.endsWith('/api/show');
    response.writeHead(isShow ? 404 : 200, { 'content-type': 'text/event-stream' });
    for (const piece of isShow ? [] : writes) {
      if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  server = await startTestServer({
    GROQ_API_KEY: 'x',
    GROQ_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: 'x',
    OPENAI_BASE_URL: `${url}/v1`,
    ANTHROPIC_API_KEY: 'x',
    ANTHROPIC_BASE_URL: `${url}/v1`,
    GEMINI_API_KEY: 'x',
    GOOGLE_BASE_URL: `${url}/v1beta`,
    COHERE_API_KEY: 'x',
    COHERE_BASE_URL: `${url}/v2`,
    OLLAMA_BASE_URL: url,
  });
});

afterAll(async () => {
  await server.stop();
  upstream.close();
});

/** What our caller gets; `turns` are text and reasoning as they take turns. */
interface Heard {
  turns: { kind: string; text: string }[];
  calls: { id: string; name: string; arguments: unknown; invalid: unknown }[];
  finish: string | undefined;
  error: string | undefined;
}

async function hear(wire: Wire, all: readonly (string | Buffer)[]): Promise<Heard> {
  writes = all;
  const asked = { model: MODELS[wire], messages: [{ role: 'user', content: 'hi' }], stream: true };
  const { events } = await server.stream('/api/chat/completions', asked);
  const heard: Heard = { turns: [], calls: [], finish: events.at(-1).finishReason, error: events.at(-1).error };
  for (const { content, reasoning, toolCall } of events as Json[]) {
    if (content !== undefined) add(heard.turns, 'text', content);
    if (reasoning !== undefined) add(heard.turns, 'reasoning', reasoning);
    if (toolCall === undefined) continue;
    const { id, name, arguments: args, invalidArguments: invalid } = toolCall;
    heard.calls.push({ id, name, arguments: args, invalid });
  }
  return heard;
}

function add(turns: Heard['turns'], kind: string, text: string): void {
  const last = turns.at(-1);
  if (last?.kind === kind) last.text += text;
  else if (text !== '') turns.push({ kind, text });
}

/** What must be heard of these pieces. */
function said(pieces: readonly Piece[], finish: string): Heard {
  const turns: Heard['turns'] = [];
  for (const piece of pieces)
    if (piece.kind === 'text' || piece.kind === 'reasoning') add(turns, piece.kind, piece.text);
  const calls = pieces.flatMap((piece) => {
    if (piece.kind !== 'call') return [];
    const own = pieces.flatMap((other) =>
      other.kind === 'arguments' && other.call === piece.call ? [other.text] : [],
    );
    const parsed = JSON.parse(own.join('') || '{}');
    return [{ id: `call_${piece.call}`, name: piece.name, arguments: parsed, invalid: undefined }];
  });
  return { turns, calls, finish, error: undefined };
}

const call = (n: number, name = `tool_${n}`): Piece => ({ kind: 'call', call: n, name });
const args = (n: number, text: string): Piece => ({ kind: 'arguments', call: n, text });
const text = (words: string): Piece => ({ kind: 'text', text: words });
const reasoning = (words: string): Piece => ({ kind: 'reasoning', text: words });

describe.each(WIRES)('%s', (wire) => {
  const encode = ENCODERS[wire];
  const plain = async (pieces: Piece[], ending: Ending, finish: string = ending): Promise<void> => {
    expect(await hear(wire, encode(pieces, ending))).toEqual(said(pieces, finish));
  };

  it('two tool calls interleaved', () =>
    plain(
      [
        call(0),
        call(1),
        args(0, '{"a"'),
        args(1, '{"b": "x'),
        args(0, ': 1'),
        args(1, '\\ny"'),
        args(0, '}'),
        args(1, '}'),
      ],
      'tool-calls',
    ));

  it.skipIf(WHOLE_CALLS.includes(wire))(
    '200 KB of arguments in deltas of one byte',
    async () => {
      const words = 'x"\\'.repeat(40_000);
      const json = JSON.stringify({ words });
      expect(json.length).toBeGreaterThan(200_000);
      const heard = await hear(wire, encode([call(0), ...[...json].map((one) => args(0, one))], 'tool-calls'));
      // Not toEqual: its message would be as long.
      expect(heard.error).toBeUndefined();
      expect((heard.calls[0]?.arguments as { words?: string } | undefined)?.words === words).toBe(true);
    },
    30_000,
  );

  it('reasoning, text, reasoning, text', () =>
    plain([reasoning('a'), reasoning('b'), text('c'), reasoning('d'), text('e'), text('f')], 'stop'));

  it('an empty answer', () => plain([], 'stop'));

  it('an answer cut at its length', () => plain([text('so far')], 'length'));

  it.skipIf(wire === 'ollamaChat')('a content filter after some text, and without any', async () => {
    await plain([text('so far')], 'content-filter');
    await plain([], 'content-filter');
  });

  it('a stream that breaks off: what came, then the error', async () => {
    const all = encode([text('so'), text(' far'), call(0)], 'tool-calls');
    const at = all.findIndex((piece) => piece.includes(' far'));
    const heard = await hear(wire, all.slice(0, at + 1));
    expect(heard).toEqual({ ...said([text('so far')], ''), finish: undefined, error: expect.stringMatching(/end/) });
  });

  it('anything, cut anywhere', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((one) => !one.includes('think>'));
    const piece = fc.oneof(word.map(text), word.map(reasoning));
    const toolCall = fc.record({
      at: fc.nat(20),
      value: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 })),
      cuts: fc.nat(9),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.array(toolCall, { maxLength: 3 }),
        fc.nat(1000),
        async (spoken, calls, seed) => {
          const pieces = withCalls(spoken, calls);
          const bytes = Buffer.from(encode(pieces, calls.length > 0 ? 'tool-calls' : 'stop').join(''));
          expect(await hear(wire, cut(bytes, seed))).toEqual(said(pieces, calls.length > 0 ? 'tool-calls' : 'stop'));
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** Puts calls among the words, in order, the arguments of each in a few pieces, side by side with the next one's. */
function withCalls(spoken: Piece[], calls: { at: number; value: object; cuts: number }[]): Piece[] {
  const out = [...spoken];
  const waiting: Piece[][] = calls.map(({ value, cuts }, n) => {
    const json = JSON.stringify(value);
    const size = Math.ceil(json.length / (cuts + 1));
    return Array.from({ length: cuts + 1 }, (_, i) => args(n, json.slice(i * size, (i + 1) * size)));
  });
  out.push(...calls.map((_, n) => call(n)));
  while (waiting.some((pieces) => pieces.length > 0)) for (const pieces of waiting) out.push(...pieces.splice(0, 1));
  return out;
}

/** Cuts bytes at places that only depend on `seed`. */
function cut(bytes: Buffer, seed: number): Buffer[] {
  const out: Buffer[] = [];
  let state = seed + 1;
  for (let at = 0; at < bytes.length; ) {
    state = (state * 48_271) % 2_147_483_647;
    const size = 1 + (state % 60);
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}
