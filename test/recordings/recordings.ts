import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import type { FinishReason } from '../../src/providers/chat-model.ts';
import type { VendorType } from '../../src/providers/profiles.ts';

/** Real answers of the providers; not part of the repository. */
export const FOLDER = process.env.PROFCLAW_FIXTURES ?? join(import.meta.dirname, '../../../shared/fixtures');

/** The wires that this server speaks, by the recordings' names. */
const WIRES = ['chat-completions', 'responses', 'messages', 'generateContent', 'cohere-v2-chat', 'ollama-chat'];

/** One recorded exchange. */
export interface Recording {
  file: string;
  provider: VendorType;
  api: string;
  request: { body: { model?: string } | null };
  response: { status: number; kind: 'json' | 'sse' | 'ndjson'; body: string };
}

/** What a correct reader gets from a recording. */
export interface Expectation {
  file: string;
  text: string;
  reasoning: string;
  tools: { id: string | null; name: string; args: unknown }[];
  finish: string | null;
  usage: [number | null, number | null] | null;
  refusal: string;
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  completed: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  COMPLETE: 'stop',
  STOP: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  MAX_TOKENS: 'length',
  tool_calls: 'tool-calls',
  tool_use: 'tool-calls',
  TOOL_CALL: 'tool-calls',
  refusal: 'content-filter',
  content_filter: 'content-filter',
};

/** Every recorded answer and refusal of the wires that this server speaks; none if the folder is absent. */
export function loadRecordings(): { recording: Recording; expected: Expectation | undefined }[] {
  if (!existsSync(join(FOLDER, 'expect.jsonl'))) return [];
  const lines = readFileSync(join(FOLDER, 'expect.jsonl'), 'utf8').trim().split('\n');
  const expectations = new Map(
    lines.map((line) => JSON.parse(line) as Expectation).map((entry) => [entry.file, entry]),
  );
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return files.sort().flatMap((file) => {
    const recording = { ...(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Recording), file };
    const expected = expectations.get(file);
    const isOurs = WIRES.includes(recording.api) && (expected !== undefined || recording.response.status >= 400);
    return isOurs ? [{ recording, expected }] : [];
  });
}

/** What the error inside an answer says, if there is one. */
function errorIn(body: string): string | undefined {
  const line = /^data: (\{(?:"error":|"type":"error",).*)$/m.exec(body)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as { error: { message: string } }).error.message;
}

/** Where our endpoint gives something else than expect.jsonl has, and why. */
const EXCEPTIONS: Readonly<Record<string, Partial<Expectation>>> = {
  // Four answers, one after the other, were recorded as one stream; ours ends where the first one does.
  'azure/vercel-ai/azure-reasoning-encrypted-content.1.stream.0.json': {
    text: '',
    tools: [{ id: 'call_UdvUeOElp5zdU0DKr6IoyhjE', name: 'calculator', args: { a: 12, b: 7, op: 'add' } }],
    usage: [137, 28],
  },
  // The last event, which has the finish and the counts, is cut off; every item before it was finished.
  'openai/vercel-ai/parallel-tool-call-wrapper.1.stream.0.json': { finish: 'completed', usage: null },
};

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

/** What our endpoint must make of a recording. */
export function wanted(listed: Expectation, recording: Recording): unknown {
  const expected = { ...listed, ...EXCEPTIONS[recording.file] };
  const common = {
    text: expected.text + expected.refusal,
    reasoning: toolPlanIn(recording) + expected.reasoning,
    tools: expected.tools.map(({ id, name, args }) => ({
      id: id ?? expect.stringMatching(/^call_/),
      name,
      args: (args as { __invalid_json__?: string }).__invalid_json__ ?? args,
    })),
    usage: expected.usage ?? [0, 0],
  };
  if (expected.finish === null || expected.finish === 'failed') {
    const { usage: _, ...partial } = common;
    return { ...partial, error: errorIn(recording.response.body) };
  }
  const finish = FINISH[expected.finish];
  expect(finish, `${expected.finish} in the table`).toBeDefined();
  if (expected.refusal !== '') return { ...common, finish: 'content-filter' };
  // The wires' own word for a turn with tool calls is often `stop`; a cut turn stays a cut one.
  return { ...common, finish: finish === 'stop' && expected.tools.length > 0 ? 'tool-calls' : finish };
}

/** The code that a caller must get for a recorded refusal. */
export function codeOf(status: number, body: string): ErrorCode {
  if (status === 401 || body.includes('API key not valid')) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (status === 404 || /not a valid model|Invalid model/.test(body)) return 'model_not_found';
  return /too many tokens|too long/.test(body) ? 'context_length_exceeded' : 'provider_rejected';
}
