import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import type { AssistantPart, ChatRequest, Media, Message, Provenance, ToolCall, UserPart } from '../chat-model.ts';
import type { Quirks } from '../profiles.ts';
import { askedEffort, thinkingBudget } from './effort.ts';
import { callsOf, systemText } from './message-parts.ts';
import { pathSegment } from './path-segment.ts';
import type { WireRequest } from './protocol.ts';
import {
  formatBesideTools,
  lowerSampling,
  noParallelToolCalls,
  noStrictTools,
  type SamplingNames,
} from './sampling.ts';
import { takenTemperature } from './temperature.ts';

/** Models that reason, and say how when they are asked to. */
const THINKS = /gemini-(2\.5|[3-9]|\d\d)(?!.*(image|tts|audio))/;
/** Models that take a budget of tokens for it, each up to a limit (https://ai.google.dev/gemini-api/docs/thinking). */
const BUDGETED = /gemini-2\.5-(pro|flash)/;
const MIN_BUDGET = 512;
const MAX_BUDGET = 24_576;
const MAX_BUDGET_PRO = 32_768;
/** Models that take a level instead (same page), of which the first one does not know the one in the middle. */
const LEVELLED = /gemini-(3(\.\d+)?-(pro|flash)|4(\.\d+)?-(pro|flash|argon|carbon|hydrogen))/;
const NO_MEDIUM = /gemini-3-pro/;
/** Models that refuse a tool call of the history without a signature. */
const WANTS_SIGNATURES = /gemini-([3-9]|\d\d)/;
/**
 * Models that take tools and a form of the answer together (https://ai.google.dev/gemini-api/docs/structured-output);
 * those before them refuse: "Function calling with a response mime type: 'application/json' is unsupported".
 */
const JSON_WITH_TOOLS = /gemini-([3-9]|\d\d|(pro|flash|flash-lite)-latest)/;
/** https://ai.google.dev/gemini-api/docs/thought-signatures: for calls that another model made. */
const NO_SIGNATURE = 'skip_thought_signature_validator';

const SAMPLING: SamplingNames = {
  topP: 'topP',
  topK: 'topK',
  stop: 'stopSequences',
  seed: 'seed',
  frequencyPenalty: 'frequencyPenalty',
  presencePenalty: 'presencePenalty',
};

/** Writes a request in the form of generateContent. */
export function lowerGemini(request: ChatRequest, quirks: Quirks): WireRequest {
  const warnings: string[] = [];
  const body: JsonObject = { contents: lowerMessages(request.messages, WANTS_SIGNATURES.test(request.model)) };
  const system = systemText(request.messages);
  if (system !== '') body.systemInstruction = { parts: [{ text: system }] };
  const config: JsonObject = {};
  const temperature = takenTemperature(request, quirks, warnings);
  if (temperature !== undefined) config.temperature = temperature;
  if (request.maxTokens !== undefined) config.maxOutputTokens = request.maxTokens;
  Object.assign(config, lowerSampling(request, SAMPLING, warnings, quirks));
  const format = formatBesideTools(request, JSON_WITH_TOOLS.test(request.model), warnings);
  if (format) config.responseMimeType = 'application/json';
  if (format?.type === 'json-schema') config.responseJsonSchema = format.schema;
  noParallelToolCalls(request, warnings);
  noStrictTools(request, warnings);
  if (THINKS.test(request.model)) config.thinkingConfig = { includeThoughts: true, ...lowerEffort(request) };
  if (Object.keys(config).length > 0) body.generationConfig = config;
  if (request.tools.length > 0) {
    const functionDeclarations = request.tools.map((tool) => ({
      name: tool.name,
      ...(tool.description === undefined ? {} : { description: tool.description }),
      parametersJsonSchema: tool.parameters,
    }));
    body.tools = [{ functionDeclarations }];
    if (request.toolChoice !== undefined) {
      body.toolConfig = { functionCallingConfig: lowerToolChoice(request.toolChoice) };
    }
  }
  return { path: pathOf(request), body, warnings };
}

function lowerEffort(request: ChatRequest): JsonObject {
  const { model, maxTokens = Number.POSITIVE_INFINITY } = request;
  const effort = askedEffort(request);
  if (effort === undefined) return {};
  if (BUDGETED.test(model)) {
    const limit = model.includes('pro') ? MAX_BUDGET_PRO : MAX_BUDGET;
    const budget = Math.min(thinkingBudget(effort, maxTokens), limit);
    return budget < MIN_BUDGET ? {} : { thinkingBudget: budget };
  }
  if (!LEVELLED.test(model) || (effort === 'medium' && NO_MEDIUM.test(model))) return {};
  return { thinkingLevel: effort === 'max' ? 'high' : effort };
}

function pathOf(request: ChatRequest): string {
  const named = /^(models|tunedModels)\//.test(request.model) ? request.model : `models/${request.model}`;
  const model = named.split('/').map(pathSegment).join('/');
  return request.stream ? `/${model}:streamGenerateContent?alt=sse` : `/${model}:generateContent`;
}

function lowerToolChoice(choice: NonNullable<ChatRequest['toolChoice']>): JsonObject {
  if (typeof choice !== 'string') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() };
}

interface Content {
  role: 'user' | 'model';
  parts: JsonObject[];
}

function lowerMessages(messages: Message[], wantsSignatures: boolean): Content[] {
  const contents: Content[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts = lowerParts(message, wantsSignatures);
    if (parts.length === 0) continue;
    const last = contents.at(-1);
    // The results of parallel calls must stand in one content.
    if (last?.role === role) for (const part of parts) last.parts.push(part);
    else contents.push({ role, parts });
  }
  return contents;
}

function lowerParts(message: Exclude<Message, { role: 'system' }>, wantsSignatures: boolean): JsonObject[] {
  switch (message.role) {
    case 'user':
      return message.parts.map(lowerUserPart);
    case 'tool':
      return [
        { functionResponse: { id: message.toolCallId, name: message.toolName, response: resultOf(message.text) } },
      ];
    case 'assistant':
      return lowerAssistantParts(message.parts, wantsSignatures);
  }
}

function resultOf(text: string): JsonObject {
  const parsed = tryParseJson(text);
  return isObject(parsed) ? parsed : { result: text };
}

function lowerUserPart(part: UserPart): JsonObject {
  return part.type === 'text' ? { text: part.text } : lowerMedia(part.media);
}

function lowerMedia(media: Media): JsonObject {
  if ('url' in media) return { fileData: { fileUri: media.url } };
  return { inlineData: { mimeType: media.mediaType, data: media.data } };
}

function lowerAssistantParts(parts: AssistantPart[], wantsSignatures: boolean): JsonObject[] {
  const calls = callsOf(parts);
  // Of calls made side by side Google signs the first only: the others need none.
  const unsigned = wantsSignatures && !calls.some(signatureOf) ? calls[0] : undefined;
  return parts.flatMap((part) => {
    if (part.type === 'tool-call') return [lowerCall(part.call, part.call === unsigned)];
    const signature = signatureOf(part);
    if (part.type === 'text') return part.text === '' && !signature ? [] : [{ text: part.text, ...signature }];
    // Summaries of thoughts are for people; the model reads only what is signed again.
    return signature ? [{ text: part.text, thought: true, ...signature }] : [];
  });
}

/** What Google wants back with a part. */
function signatureOf({ data }: Provenance): JsonObject | undefined {
  const signature = data?.thoughtSignature;
  return typeof signature === 'string' ? { thoughtSignature: signature } : undefined;
}

function lowerCall(call: ToolCall, unsigned: boolean): JsonObject {
  const signed = unsigned ? { thoughtSignature: NO_SIGNATURE } : signatureOf(call);
  // Google's ids are optional, and ones that we made are taken (as recorded): they tell calls of one name apart.
  return { functionCall: { id: call.id, name: call.name, args: call.arguments }, ...signed };
}
