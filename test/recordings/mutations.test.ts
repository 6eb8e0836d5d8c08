import { describe, expect, it } from 'vitest';
import { isObject, tryParseJson } from '../../src/core/json.ts';
import { PROFILES, type WireName } from '../../src/providers/profiles.ts';
import { type Reading, readStream, readWhole } from '../wires/reading.ts';
import { FOLDER, loadRecordings, type Recording } from './recordings.ts';

// Recorded answers are changed in ways that mean nothing on their wires; readers must not notice. Broken ones may be
// refused, but only as what they are: `readStream` and `readWhole` pass every other failure on.

const WIRES: Readonly<Record<string, WireName>> = {
  'chat-completions': 'openai-chat',
  responses: 'openai-responses',
  messages: 'anthropic-messages',
  generateContent: 'gemini',
  'cohere-v2-chat': 'cohere-chat',
  'ollama-chat': 'ollama-chat',
};

/** Objects of the caller's own, in which every field counts. */
const OPAQUE = new Set(['input', 'args', 'arguments']);
/** Fields that vendors leave out or set to null as they please. */
const NULLED = 'tool_calls refusal reasoning reasoning_content audio logprobs usage error x_groq phase signature'.split(
  ' ',
);

/** Changes every object, the inner ones first. */
function deep(value: unknown, change: (object: object) => object): unknown {
  if (Array.isArray(value)) return value.map((item) => deep(item, change));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, OPAQUE.has(key) ? inner : deep(inner, change)]);
  return change(Object.fromEntries(entries));
}

const OBJECTS: Readonly<Record<string, (object: object) => object>> = {
  'keys in reverse order': (object) => Object.fromEntries(Object.entries(object).reverse()),
  'unknown fields': (object) => ({ x_new: [{ text: 'no', content: 'no' }], ...object, x_other: null }),
  'null for absent': (object) => ({ ...Object.fromEntries(NULLED.map((key) => [key, null])), ...object }),
};

const afterEach = (body: string, frame: string) => body.replace(/\n\n+/g, `\n\n${frame}\n\n`);

const STREAMS: Readonly<Record<string, (body: string) => string>> = {
  CRLF: (body) => body.replace(/\r?\n/g, '\r\n'),
  'comments, ids and retries': (body) => afterEach(`: begin\n\n${body}`, ': ping\nid: 1\nretry: 100'),
  'no names of events': (body) => body.replace(/^event:.*\n/gm, ''),
  'no blank behind data:': (body) => body.replace(/^data: /gm, 'data:'),
  'empty frames': (body) => afterEach(body, 'data:'),
  pings: (body) => afterEach(body, 'event: ping\ndata: {"type":"ping"}'),
  'no [DONE]': (body) => body.replace(/^data: ?\[DONE\]\s*$/gm, ''),
  '[DONE] twice': (body) => `${body}data: [DONE]\n\ndata: [DONE]\n\n`,
  'no blank line at the end': (body) => body.trimEnd(),
};

function mutations({ kind, body }: Recording['response']): [string, string][] {
  const objects = Object.entries(OBJECTS).map(([name, change]): [string, string] => {
    const changed = (json: string) => {
      const value = tryParseJson(json);
      return value === undefined ? json : JSON.stringify(deep(value, change));
    };
    return [name, kind === 'json' ? changed(body) : body.replace(/(?<=^|^data: ?)\{.*$/gm, changed)];
  });
  const isStream = kind === 'sse' && /^(data|event|id|retry|):/m.test(body);
  if (!isStream) return objects;
  return [...objects, ...Object.entries(STREAMS).map(([name, change]): [string, string] => [name, change(body)])];
}

/** Cuts each frame of a stream short, or a whole answer, somewhere. */
function broken(body: string): string[] {
  return [0.1, 0.5, 0.9].map((share) => body.replace(/\{.*$/gm, (json) => json.slice(0, json.length * share)));
}

const recordings = loadRecordings().filter(({ expected }) => expected !== undefined);
if (recordings.length === 0)
  process.stderr.write(`skipped: no recorded answers in ${FOLDER} (PROFCLAW_FIXTURES names another folder)\n`);

describe.skipIf(recordings.length === 0)('recorded answers, changed', () => {
  for (const { recording } of recordings) {
    const { api, provider, response } = recording;
    const wire = WIRES[api] as WireName;
    const { quirks } = PROFILES[provider];
    const read = (body: string, size?: number): Reading =>
      response.kind === 'json'
        ? readWhole(wire, tryParseJson(body), quirks)
        : readStream(wire, body, quirks, size ?? body.length);

    it(recording.file, () => {
      const reading = read(response.body);
      for (const [name, body] of mutations(response)) expect(read(body), name).toEqual(reading);
      expect(read(response.body, 3), 'cut into pieces of three').toEqual(reading);
      for (const body of broken(response.body)) read(body);
    });
  }
});
