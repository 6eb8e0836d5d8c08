import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VendorType } from '../../src/providers/profiles.ts';
import { type Json, startTestServer, type TestServer } from '../server.ts';
import { codeOf, FOLDER, loadRecordings, type Recording, wanted } from './recordings.ts';

// Every recorded answer goes the whole way: replayed by an upstream, asked for through our endpoint, and compared
// with what a correct reader gets. Streams come whole, frame by frame and in 7-byte pieces.

const KEY = 'sk-recorded-0000';

interface Answer {
  text: string;
  reasoning: string;
  tools: unknown[];
  finish?: string;
  usage?: [number, number];
  error?: string;
}

const recordings = loadRecordings();
if (recordings.length === 0)
  process.stderr.write(`skipped: no recorded answers in ${FOLDER} (PROFCLAW_FIXTURES names another folder)\n`);

describe.skipIf(recordings.length === 0)('recorded answers through the endpoint', () => {
  let server: TestServer;
  let replay: ReturnType<typeof spawn>;
  let upstream: string;

  beforeAll(async () => {
    replay = spawn(process.execPath, [join(FOLDER, 'replay.mjs'), FOLDER, '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(replay.stdout as NonNullable<typeof replay.stdout>, 'data')) as [Buffer];
    upstream = /http:\S+/.exec(line.toString())?.[0] ?? '';
    server = await startTestServer();
  });

  afterAll(async () => {
    await server.stop();
    replay.kill();
  });

  async function ask(
    recording: Recording,
    split: string,
    stream: boolean,
  ): Promise<{ status: number; body: Json; answer: Answer }> {
    const { type, model } = targetFor(recording);
    const baseUrl = `${upstream}/x/${split}/${recording.file.replace(/\.json$/, '')}`;
    const configured = await server.call(`/api/chat/providers/${type}/configure`, { apiKey: KEY, baseUrl });
    expect(configured.status).toBe(200);
    const request = {
      model: `${type}/${model}`,
      messages: [{ role: 'user', content: 'hi' }],
      stream,
    };
    if (!stream) {
      const { status, body } = await server.call('/api/chat/completions', request);
      return { status, body, answer: fromWhole(body) };
    }
    const { status, events } = await server.stream('/api/chat/completions', request);
    return { status, body: events[0], answer: status === 200 ? fromStream(events) : fromWhole(events[0]) };
  }

  /** The last parts of the paths that answers were asked of since the last call. */
  async function asked(): Promise<Set<string>> {
    const log = (await (await fetch(`${upstream}/_log`)).json()) as { method: string; path: string }[];
    return new Set(log.filter(({ method }) => method === 'POST').map(({ path }) => path.replace(/^.*\//, '')));
  }

  for (const { recording, expected } of recordings) {
    if (expected === undefined) {
      it(`refusal ${recording.file}`, async () => {
        for (const stream of [false, true]) {
          const { body } = await ask(recording, 'whole', stream);
          expect(body.code).toBe(codeOf(recording.response.status, recording.response.body));
          expect(JSON.stringify(JSON.parse(recording.response.body))).toContain(
            JSON.stringify(words(body.error)).slice(1, -1),
          );
        }
      });
      continue;
    }
    it(recording.file, async () => {
      const stream = recording.response.kind !== 'json';
      await asked();
      for (const split of stream ? ['whole', 'frames', 'bytes'] : ['whole']) {
        expect((await ask(recording, split, stream)).answer, split).toEqual(wanted(expected, recording));
      }
      if (recording.api === 'responses') expect(await asked()).toEqual(new Set(['responses']));
    });
  }
});

/**
 * A type and model that speak the recording's wire: some vendors were recorded on one of OpenAI's wires beside their
 * own, and which of the two is asked depends on the model.
 */
function targetFor({ provider, api, request }: Recording): { type: VendorType; model: string } {
  if (api === 'responses') {
    if (provider === 'xai') return { type: 'xai', model: 'grok-4' };
    return { type: provider === 'azure' ? 'azure' : 'openai', model: 'gpt-5' };
  }
  const hasOtherWire = provider === 'ollama' || provider === 'google' || provider === 'cohere';
  const type = api === 'chat-completions' && hasOtherWire ? 'together' : provider;
  return { type, model: request.body?.model ?? 'recorded' };
}

function fromWhole(body: Json): Answer {
  if (body.error !== undefined) return { text: '', reasoning: '', tools: [], error: words(body.error) };
  return {
    text: body.message.content,
    reasoning: body.reasoning ?? '',
    tools: (body.message.toolCalls ?? []).map(toTool),
    finish: body.finishReason,
    usage: [body.usage.promptTokens, body.usage.completionTokens],
  };
}

function fromStream(events: Json[]): Answer {
  const last = events.at(-1);
  const answer: Answer = { text: '', reasoning: '', tools: [] };
  for (const event of events) {
    answer.text += event.content ?? '';
    answer.reasoning += event.reasoning ?? '';
    if (event.toolCall) answer.tools.push(toTool(event.toolCall));
  }
  expect(last.done).toBe(true);
  if (last.error !== undefined) return { ...answer, error: words(last.error) };
  return { ...answer, finish: last.finishReason, usage: [last.usage.promptTokens, last.usage.completionTokens] };
}

/** An error's message without our name for the provider. */
function words(error: string): string {
  return error.replace(/^[^:]+: /, '');
}

function toTool(call: Json): unknown {
  return { id: call.id, name: call.name, args: call.invalidArguments ?? call.arguments };
}
