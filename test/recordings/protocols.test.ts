import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ndjsonFramer, sseFramer } from '../../src/core/framing.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { refusalError } from '../../src/providers/failure.ts';
import { PROFILES, type Quirks, type VendorType } from '../../src/providers/profiles.ts';
import { anthropicMessages } from '../../src/providers/protocols/anthropic-messages.ts';
import { cohereChat } from '../../src/providers/protocols/cohere-chat.ts';
import { gemini } from '../../src/providers/protocols/gemini.ts';
import { ollamaChat } from '../../src/providers/protocols/ollama-chat.ts';
import { openaiChat } from '../../src/providers/protocols/openai-chat.ts';
import { type Protocol, ReportedError } from '../../src/providers/protocols/protocol.ts';
import type { FinishReason, ProviderEvent } from '../../src/providers/types.ts';

// Real answers of the providers, not part of the repository: the readers must make of them what the folder's
// expect.jsonl says.
const FOLDER = process.env.PROFCLAW_FIXTURES ?? join(import.meta.dirname, '../../../shared/fixtures');

const WIRES: Readonly<Record<string, Protocol>> = {
  'chat-completions': openaiChat,
  messages: anthropicMessages,
  generateContent: gemini,
  'cohere-v2-chat': cohereChat,
  'ollama-chat': ollamaChat,
};

interface Recording {
  provider: VendorType;
  api: string;
  response: { status: number; kind: 'json' | 'sse' | 'ndjson'; body: string };
}

interface Expectation {
  file: string;
  text: string;
  reasoning: string;
  tools: { id: string | null; name: string; args: unknown }[];
  finish: string | null;
  usage: [number, number] | null;
  refusal: string;
}

interface Answer {
  text: string;
  reasoning: string;
  tools: { id: string; name: string; args: unknown }[];
  finish: FinishReason[];
  usage: [number, number] | null;
  error?: string;
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  COMPLETE: 'stop',
  STOP: 'stop',
  length: 'length',
  max_tokens: 'length',
  MAX_TOKENS: 'length',
  tool_calls: 'tool-calls',
  tool_use: 'tool-calls',
  TOOL_CALL: 'tool-calls',
  refusal: 'content-filter',
  content_filter: 'content-filter',
};

function recordingsOf(): { expected: Expectation; recording: Recording; protocol: Protocol }[] {
  const lines = readFileSync(join(FOLDER, 'expect.jsonl'), 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const expected = JSON.parse(line) as Expectation;
    const recording = JSON.parse(readFileSync(join(FOLDER, expected.file), 'utf8')) as Recording;
    const protocol = WIRES[recording.api];
    return protocol ? [{ expected, recording, protocol }] : [];
  });
}

/** All events of a recorded answer; a stream is cut into pieces of `size` bytes. */
function read(recording: Recording, protocol: Protocol, quirks: Quirks, size: number): Answer {
  const events: ProviderEvent[] = [];
  const { body, kind } = recording.response;
  try {
    if (kind === 'json') events.push(...protocol.read(JSON.parse(body), quirks));
    else {
      const framer = kind === 'sse' ? sseFramer() : ndjsonFramer();
      const reader = protocol.reader(quirks);
      const decoder = new TextDecoder();
      const bytes = Buffer.from(body);
      for (let at = 0; at < bytes.length; at += size) {
        const text = decoder.decode(bytes.subarray(at, at + size), { stream: true });
        for (const frame of framer.push(text)) events.push(...reader.step(frame));
      }
      for (const frame of framer.end()) events.push(...reader.step(frame));
      events.push(...reader.end());
    }
  } catch (error) {
    if (!(error instanceof ReportedError)) throw error;
    return { ...gather(events), error: error.reading.message };
  }
  return gather(events);
}

function gather(events: ProviderEvent[]): Answer {
  const answer: Answer = { text: '', reasoning: '', tools: [], finish: [], usage: null };
  for (const event of events) {
    if (event.type === 'text' || event.type === 'reasoning') answer[event.type] += event.text;
    else if (event.type === 'tool-call') {
      const { id, name, arguments: args, invalidArguments } = event.call;
      answer.tools.push({ id, name, args: invalidArguments ?? args });
    } else if (event.type === 'usage') answer.usage = [event.usage.promptTokens, event.usage.completionTokens];
    else if (event.type === 'finish') answer.finish.push(event.reason);
  }
  return answer;
}

/** What the error inside an answer says, if there is one. */
function errorIn(body: string): string | undefined {
  const line = /^data: (\{"error":.*)$/m.exec(body)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as { error: { message: string } }).error.message;
}

/** Cohere's plan before its tool calls: expect.jsonl leaves it out altogether, our reader gives it as reasoning. */
function toolPlanIn({ api, response: { kind, body } }: Recording): string {
  if (api !== 'cohere-v2-chat') return '';
  const messages = (kind === 'json' ? [body] : (body.match(/(?<=^data: )\{.*$/gm) ?? [])).map((json) => {
    const parsed = JSON.parse(json) as {
      message?: { tool_plan?: string };
      delta?: { message?: { tool_plan?: string } };
    };
    return parsed.message ?? parsed.delta?.message;
  });
  return messages.map((message) => message?.tool_plan ?? '').join('');
}

function wanted(expected: Expectation, recording: Recording): unknown {
  const common = {
    text: expected.text + expected.refusal,
    reasoning: toolPlanIn(recording) + expected.reasoning,
    tools: expected.tools.map(({ id, name, args }) => ({
      id: id ?? expect.stringMatching(/^call_/),
      name,
      args: (args as { __invalid_json__?: string }).__invalid_json__ ?? args,
    })),
    usage: expected.usage,
  };
  if (expected.finish === null) return { ...common, finish: [], error: errorIn(recording.response.body) };
  const finish = FINISH[expected.finish];
  expect(finish, `${expected.finish} in the table`).toBeDefined();
  if (expected.refusal !== '') return { ...common, finish: ['content-filter'] };
  // The wires' own word for a turn with tool calls is often `stop`; a cut turn stays a cut one.
  return { ...common, finish: [finish === 'stop' && expected.tools.length > 0 ? 'tool-calls' : finish] };
}

/** The recorded refusals, and the code that a caller must get for each. */
function refusalsOf(): { file: string; recording: Recording; protocol: Protocol; code: ErrorCode }[] {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return files.sort().flatMap((file) => {
    const recording = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Recording;
    const protocol = WIRES[recording.api];
    const { status, body } = recording.response;
    if (!protocol || status < 400) return [];
    return [{ file, recording, protocol, code: codeOf(status, body) }];
  });
}

function codeOf(status: number, body: string): ErrorCode {
  if (status === 401 || body.includes('API key not valid')) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (status === 404 || /not a valid model|Invalid model/.test(body)) return 'model_not_found';
  return /too many tokens|too long/.test(body) ? 'context_length_exceeded' : 'provider_rejected';
}

if (!existsSync(join(FOLDER, 'expect.jsonl'))) {
  const reason = `no recorded answers in ${FOLDER} (PROFCLAW_FIXTURES names another folder)`;
  process.stderr.write(`skipped: ${reason}\n`);
  describe.skip('recorded answers', () => {
    it(reason, () => undefined);
  });
} else {
  describe('recorded answers', () => {
    const found = recordingsOf();

    it('are found for every wire', () => {
      expect(new Set(found.map(({ recording }) => recording.api))).toEqual(new Set(Object.keys(WIRES)));
    });

    for (const { expected, recording, protocol } of found) {
      it(expected.file, () => {
        const { quirks } = PROFILES[recording.provider];
        const want = wanted(expected, recording);
        expect(read(recording, protocol, quirks, recording.response.body.length * 4)).toEqual(want);
        if (recording.response.kind !== 'json') expect(read(recording, protocol, quirks, 7)).toEqual(want);
      });
    }
  });
  describe('recorded refusals', () => {
    for (const { file, recording, protocol, code } of refusalsOf()) {
      it(file, () => {
        const { status, body } = recording.response;
        const reading = protocol.readError(JSON.parse(body));
        expect(JSON.stringify(JSON.parse(body))).toContain(JSON.stringify(reading?.message).slice(1, -1));
        const refusal = { provider: 'X', status, reading: reading ?? { message: '', kinds: [] } };
        expect(refusalError(refusal).code).toBe(code);
      });
    }
  });
}
