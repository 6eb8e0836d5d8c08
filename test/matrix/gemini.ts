import type { Json } from '../server.ts';
import { demand, type Fake, halves, onlyKeys, type Past, type Plan, sse, TOOLS, type Turn } from './fake.ts';

const BODY = ['contents', 'systemInstruction', 'generationConfig', 'tools', 'toolConfig', 'safetySettings'];
const PART = ['text', 'thought', 'thoughtSignature', 'functionCall', 'functionResponse', 'inlineData', 'fileData'];
const CONFIG = [
  ...['temperature', 'maxOutputTokens', 'thinkingConfig', 'topP', 'topK', 'stopSequences', 'seed'],
  ...['frequencyPenalty', 'presencePenalty', 'responseMimeType', 'responseJsonSchema'],
];
const BYPASS = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

/** Google's generateContent: a model that signs its calls. */
export function geminiFake(model: string): Fake {
  return {
    model,
    calls: 'with text',
    keyHeader: 'x-goog-api-key',
    check: ({ path, body }, past) => {
      const known = [`/models/${model}:generateContent`, `/models/${model}:streamGenerateContent?alt=sse`];
      demand(known.includes(path), `${path} is not found for API version v1beta`, 404);
      checkBody(body);
      for (const [i, content] of body.contents.entries()) checkContent(content, i);
      checkTurns(body.contents);
      checkSignatures(body.contents, past);
    },
    give,
    isStream: ({ path }) => path.includes(':streamGenerateContent'),
    whole: ({ form }) => answer(form, 'STOP'),
    pieces: ({ form }) => [
      ...form.flatMap(({ text, ...part }: Json) =>
        text === undefined ? [sse(answer([part]))] : halves(text).map((half) => sse(answer([{ text: half, ...part }]))),
      ),
      sse(answer([{ text: '' }], 'STOP')),
    ],
    refusal: ({ message, status }) => ({ error: { code: status, message, status: 'INVALID_ARGUMENT' } }),
    ideal: ({ question, turn, results = [] }) => ({
      path: `/models/${model}:generateContent`,
      body: {
        tools: [
          {
            functionDeclarations: TOOLS.map(({ parameters, ...tool }) => ({
              ...tool,
              parametersJsonSchema: parameters,
            })),
          },
        ],
        contents: [
          { role: 'user', parts: [{ text: question }] },
          ...(turn ? [{ role: 'model', parts: turn.form.filter((part: Json) => !part.thought) }] : []),
          ...(turn
            ? [
                {
                  role: 'user',
                  parts: results.map((result, i) => ({
                    functionResponse: { name: turn.plan.calls[i]?.name, response: { result } },
                  })),
                },
              ]
            : []),
        ],
      },
    }),
  };
}

function answer(parts: Json[], finishReason?: string): object {
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason ? { finishReason } : {}) }],
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 3, thoughtsTokenCount: 2, totalTokenCount: 14 },
  };
}

/** Of calls made side by side only the first is signed; an answer without calls has its text signed. */
function give(plan: Plan, sealed: () => string): Turn {
  const calls = plan.calls.map(({ name, args }, i) => ({
    functionCall: { name, args },
    ...(i === 0 ? { thoughtSignature: sealed() } : {}),
  }));
  const signed = calls.length === 0 ? [{ text: '', thoughtSignature: sealed() }] : [];
  const thought = plan.reasoning === '' ? [] : [{ text: plan.reasoning, thought: true }];
  const text = plan.text === '' ? [] : [{ text: plan.text }];
  return { plan, ids: [], form: [...thought, ...text, ...signed, ...calls] };
}

function checkBody(body: Json): void {
  onlyKeys(body, BODY, unknownName);
  onlyKeys(body.generationConfig ?? {}, CONFIG, unknownName);
  demand(Array.isArray(body.contents) && body.contents.length > 0, 'contents is not specified');
  for (const tool of body.tools ?? []) {
    onlyKeys(tool, ['functionDeclarations'], unknownName);
    for (const declaration of tool.functionDeclarations) {
      onlyKeys(declaration, ['name', 'description', 'parameters', 'parametersJsonSchema'], unknownName);
    }
  }
}

function unknownName(key: string): string {
  return `Invalid JSON payload received. Unknown name "${key}": Cannot find field.`;
}

function checkContent(content: Json, i: number): void {
  onlyKeys(content, ['role', 'parts'], unknownName);
  demand(['user', 'model'].includes(content.role), 'Please use a valid role: user, model.');
  demand(content.parts?.length > 0, `contents[${i}].parts must not be empty`);
  for (const part of content.parts) {
    onlyKeys(part, PART, unknownName);
    const data = ['text', 'functionCall', 'functionResponse', 'inlineData', 'fileData'].filter((key) => key in part);
    demand(data.length === 1, `contents[${i}].parts: required oneof field 'data' must have one initialized field`);
    demand(!part.thought, `contents[${i}].parts: thoughts are not to be sent back`);
    if (part.functionCall) {
      onlyKeys(part.functionCall, ['id', 'name', 'args'], unknownName);
      demand(content.role === 'model', 'functionCall parts must be of the model');
      demand(part.functionCall.args?.constructor === Object, 'Invalid value at functionCall.args (Struct)');
    }
    if (part.functionResponse) {
      onlyKeys(part.functionResponse, ['id', 'name', 'response'], unknownName);
      demand(content.role === 'user', 'functionResponse parts must be of the user');
      demand(
        part.functionResponse.response?.constructor === Object,
        'Invalid value at functionResponse.response (Struct)',
      );
    }
  }
}

function checkTurns(contents: Json[]): void {
  demand(contents.at(-1)?.role === 'user', 'Please ensure that the last content is of the user.');
  for (const [i, { role, parts }] of contents.entries()) {
    demand(
      role === (i % 2 === 0 ? 'user' : 'model'),
      'Please ensure that multiturn requests alternate between user and model.',
    );
    if (role !== 'user') continue;
    const calls = partsOf(contents[i - 1], 'functionCall');
    const responses = partsOf({ parts }, 'functionResponse');
    const words =
      'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    demand(calls.length === responses.length, words);
    for (const [n, { name, id }] of responses.entries()) {
      demand(
        name === calls[n].name && id === calls[n].id,
        `contents[${i}]: function response ${n} is not that of call ${n}`,
      );
    }
    demand(
      parts.slice(0, responses.length).every((part: Json) => part.functionResponse),
      'Function responses must come first',
    );
  }
}

function partsOf(content: Json, kind: string): Json[] {
  return (content?.parts ?? []).flatMap((part: Json) => (part[kind] ? [part[kind]] : []));
}

/** The first call of every step of the current turn is signed: its own as issued, any other with the bypass. */
function checkSignatures(contents: Json[], past: Past): void {
  const loop = contents.findLastIndex(
    ({ role, parts }) => role === 'user' && parts.some((part: Json) => !part.functionResponse),
  );
  for (const [i, { role, parts }] of contents.entries()) {
    if (role !== 'model') continue;
    const first = parts.find((part: Json) => part.functionCall);
    for (const [n, part] of parts.entries()) {
      const { functionCall: call, thoughtSignature: signature } = part;
      const own = call ? past.ofCall(call.args) : undefined;
      const issued = own?.turn.form.filter((one: Json) => one.functionCall)[own.index].thoughtSignature;
      if (call && part === first && i > loop) {
        const words = `Function call is missing a thought_signature in functionCall parts. Function call \`${call.name}\`, position ${n}.`;
        demand(signature !== undefined, words);
        demand(!own || signature === issued, `${words} The one that was issued must come back.`);
      }
      if (signature === undefined || signature === issued) continue;
      const text = past.turns.some((turn) =>
        turn.form.some((one: Json) => 'text' in one && one.thoughtSignature === signature),
      );
      demand(call ? part === first && BYPASS.includes(signature) : text, 'Corrupted thought signature.');
    }
  }
}
