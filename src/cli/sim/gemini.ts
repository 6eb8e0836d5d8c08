import { asArray, asObject, asString, type JsonObject } from '../../core/json.ts';
import { CALL, type FakeWire, inPieces, type Saying, SIM_KEY, sse, TOKENS } from './fake-wire.ts';

const USAGE = {
  promptTokenCount: TOKENS.prompt,
  candidatesTokenCount: TOKENS.completion,
  totalTokenCount: TOKENS.prompt + TOKENS.completion,
};

/** Google's generateContent: https://ai.google.dev/api/generate-content */
export const gemini: FakeWire = {
  wire: 'gemini',
  path: (model, stream) => `/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  key: ['x-goog-api-key', SIM_KEY],
  model: (path) => /^\/models\/([^:]+):/.exec(path)?.[1] ?? '',
  isStream: (path) => path.includes(':streamGenerateContent'),
  tools: (body) =>
    asArray(body.tools).flatMap((tool) =>
      asArray(asObject(tool).functionDeclarations).map((declaration) => asObject(declaration).name),
    ),
  result: (body) => {
    const parts = asArray(body.contents).flatMap((content) => asArray(asObject(content).parts).map(asObject));
    const response = parts
      .map(({ functionResponse }) => asObject(functionResponse))
      .find(({ name }) => name === CALL.name);
    return response && asString(asObject(response.response).result);
  },
  whole: (saying) =>
    answer(
      partsOf(saying, (text) => [text]),
      true,
    ),
  frames: (saying) => {
    const parts = partsOf(saying, inPieces);
    return parts.map((part, at) => sse(answer([part], at === parts.length - 1)));
  },
  contentType: 'text/event-stream',
  refusal: (message) => ({ error: { code: 401, message, status: 'UNAUTHENTICATED' } }),
};

function partsOf({ reasoning, text, calls }: Saying, cut: (text: string) => string[]): JsonObject[] {
  const { id, name, arguments: args } = CALL;
  return [
    ...(reasoning === undefined ? [] : cut(reasoning).map((piece) => ({ text: piece, thought: true }))),
    ...(text === undefined ? [] : cut(text).map((piece) => ({ text: piece }))),
    ...(calls ? [{ functionCall: { id, name, args }, thoughtSignature: 'c2ltdWxhdGVk' }] : []),
  ];
}

/** A stream says STOP after tool calls, too. */
function answer(parts: JsonObject[], isLast: boolean): JsonObject {
  const end = isLast ? { finishReason: 'STOP' } : {};
  const usage = isLast ? { usageMetadata: USAGE } : {};
  return { candidates: [{ index: 0, content: { role: 'model', parts }, ...end }], ...usage, modelVersion: 'sim' };
}
