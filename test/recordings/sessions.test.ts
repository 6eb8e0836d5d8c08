import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestServer } from '../server.ts';
import { FOLDER, loadRecordings } from './recordings.ts';
import { ask, loadSessions, targetFor } from './session-client.ts';
import { opaqueIn } from './session-compare.ts';
import { type Replay, sentTo, settingsOf, startReplay } from './session-replay.ts';
import { runSession } from './session-run.ts';

// Recorded conversations go through our endpoint turn by turn: each request is the recorded one in our API's form, with
// our own answers pushed back as they came. What then goes upstream must say what the recorded client said, with
// everything that the provider wants back.

/** Sessions whose client changed an answer before it sent it back: the recorded history is used then. */
const CHANGED_ANSWERS: Readonly<Record<string, string>> = {
  'openai/pydantic-ai/test_openai_responses_test_openai_responses_thinking_with_modified_history':
    'the client put another text in place of the answer',
  'groq/pydantic-ai/test_groq_test_tool_use_failed_error_streaming':
    'the client made a tool call out of the failed generation that an error names',
  'ollama/rig/raw_capture_agent_matrix_multi_turn_tool_run_records_distinct_raw_blocking':
    'the client took a text that ends with a stray </think> for reasoning',
};

/** Sessions whose client sent reasoning back that we leave out. */
const LEFT_OUT_REASONING: Readonly<Record<string, string>> = {
  'google/rig/reasoning_roundtrip_streaming':
    'summaries of thoughts are for people; Google wants back signatures only, and this answer has none',
};

const sessions = loadSessions();
if (sessions.length === 0)
  process.stderr.write(`skipped: no recorded sessions in ${FOLDER} (PROFCLAW_FIXTURES names another folder)\n`);

describe.skipIf(sessions.length === 0)('recorded sessions through the endpoint', () => {
  const replays = new Map<string, Replay>();

  beforeAll(async () => {
    // A replay counts the turns of a session over all splits, so each split has its own.
    for (const split of ['whole', 'frames', 'bytes']) replays.set(split, await startReplay());
  });

  afterAll(() => {
    for (const replay of replays.values()) replay.stop();
  });

  for (const session of sessions) {
    const streams = session.turns.some(({ recording }) => recording.response.kind !== 'json');
    for (const split of streams ? ['whole', 'frames', 'bytes'] : ['whole']) {
      it(`${session.name} (${split})`, async () => {
        const [type, model] = targetFor(session);
        const upstream = replays.get(split)?.url ?? '';
        const server = await startTestServer(settingsOf(type, `${upstream}/s/${split}/${session.name}`));
        try {
          const { replaced, missing } = await runSession({ server, session, upstream, type, model });
          if (session.name in CHANGED_ANSWERS) expect(replaced, 'requests with a changed answer').not.toEqual([]);
          else expect(replaced, 'requests without our last answer').toEqual([]);
          if (session.name in LEFT_OUT_REASONING) expect(missing, 'what is left out').not.toEqual([]);
          else expect(missing, 'reasoning and opaque values that were lost').toEqual([]);
        } finally {
          await server.stop();
        }
      });
    }
  }
});

describe.skipIf(sessions.length === 0)('what only its provider can read goes back', () => {
  let replay: Replay;

  beforeAll(async () => {
    replay = await startReplay();
  });

  afterAll(() => {
    replay.stop();
  });

  for (const turn of loadRecordings()) {
    const { recording, expected } = turn;
    // Reasoning that was cut off before any answer is refused when it goes back.
    const hasAnswer = expected !== undefined && (expected.text !== '' || expected.tools.length > 0);
    const opaque = hasAnswer ? opaqueIn(recording.response.kind, recording.response.body) : [];
    if (opaque.length === 0) continue;
    const [type, model] = targetFor({ name: recording.file, turns: [turn] });
    // Some vendors were recorded on a wire on which they are not spoken to here.
    if (type !== recording.provider) continue;
    it(recording.file, async () => {
      const exchange = recording.file.replace(/\.json$/, '');
      const server = await startTestServer(settingsOf(type, `${replay.url}/x/frames/${exchange}`));
      try {
        const isStream = recording.response.kind !== 'json';
        const request = { model: `${type}/${model}`, messages: [{ role: 'user', content: 'hi' }] };
        const { message } = await ask(server, request, isStream);
        await ask(server, { ...request, messages: [...request.messages, message, ...followUp(message)] }, isStream);
        const [, second] = await sentTo(replay.url);
        expect(opaqueIn('json', second?.body ?? '')).toEqual(expect.arrayContaining(opaque));
      } finally {
        await server.stop();
      }
    });
  }
});

/** Results of all calls, or else a word of the person. */
function followUp({ toolCalls = [] }: Json): object[] {
  if (toolCalls.length === 0) return [{ role: 'user', content: 'go on' }];
  return toolCalls.map(({ id }: Json) => ({ role: 'tool', toolCallId: id, content: 'done' }));
}
