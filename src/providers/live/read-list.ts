import { asArray, asNumber, asObject, asString, isObject, type JsonObject } from '../../core/json.ts';

/** A model as a provider's own list gives it; undefined where the list does not say. Tokens. */
export interface LiveModel {
  id: string;
  name: string;
  contextWindow: number | undefined;
  maxOutput: number | undefined;
  supportsVision: boolean | undefined;
  supportsTools: boolean | undefined;
  supportsReasoning: boolean | undefined;
}

/** What a request may name. */
const MAX_ID_CHARS = 300;

/**
 * Reads the models of a list that can be chatted with: `{data: […]}` (openai-like, anthropic), `{models: […]}`
 * (google, ollama, cohere, xai's longer list) or a bare list (together). Fields are the vendors' own, from their
 * references of the list; each vendor has its own names for the same.
 */
export function readList(body: unknown): LiveModel[] {
  const { data, models } = asObject(body);
  return asArray(data ?? models ?? body)
    .filter(isObject)
    .filter(isChat)
    .map(readModel)
    .filter((model) => model.id !== '' && model.id.length <= MAX_ID_CHARS);
}

function idOf(item: JsonObject): string {
  return (asString(item.id) || asString(item.name) || asString(item.model)).replace(/^models\//, '');
}

function readModel(item: JsonObject): LiveModel {
  const id = idOf(item);
  const { top_provider: top, capabilities, architecture, features, supported_parameters: parameters } = item;
  const can = asObject(capabilities);
  const { context_length: topWindow, max_completion_tokens: topOutput } = asObject(top);
  const inputs = item.input_modalities ?? asObject(architecture).input_modalities;
  return {
    id,
    name:
      asString(item.display_name) || asString(item.displayName) || asString(item.name).replace(/^models\//, '') || id,
    contextWindow: firstCount(
      item.context_length,
      item.context_window,
      item.max_context_length,
      item.max_input_tokens,
      item.max_prompt_length,
      item.inputTokenLimit,
      topWindow,
    ),
    maxOutput: firstCount(
      item.outputTokenLimit,
      item.max_completion_tokens,
      item.max_output_tokens,
      item.max_tokens,
      topOutput,
    ),
    supportsVision: firstFlag(
      item.supports_image_input,
      item.supports_vision,
      can.vision,
      asObject(can.image_input).supported,
      among('image', inputs),
      among('vision', features),
    ),
    supportsTools: firstFlag(
      item.supports_tools,
      can.function_calling,
      among('tools', parameters),
      among('tools', features),
    ),
    supportsReasoning: firstFlag(
      item.thinking,
      can.reasoning,
      asObject(can.thinking).supported,
      among('reasoning', parameters),
      among('reasoning', features),
    ),
  };
}

function firstCount(...values: unknown[]): number | undefined {
  return values.map(asNumber).find((value) => value !== undefined && value > 0);
}

function firstFlag(...values: unknown[]): boolean | undefined {
  return values.find((value) => typeof value === 'boolean');
}

/** Is the word in the list; undefined if there is no list. */
function among(word: string, list: unknown): boolean | undefined {
  return Array.isArray(list) && list.length > 0 ? list.includes(word) : undefined;
}

/** Which types of together's list are chat models; other lists have other words there, which say nothing. */
const TYPES: Readonly<Record<string, boolean>> = {
  chat: true,
  language: false,
  code: false,
  image: false,
  video: false,
  audio: false,
  transcribe: false,
  embedding: false,
  rerank: false,
  moderation: false,
};

/**
 * Words in the names of models for something else than chat, for lists that do not say. Each stands by itself:
 * `gpt-oss-safeguard` chats, `llama-guard` does not.
 */
const NOT_CHAT =
  /(^|[-_/:. ])(embed(ding)?s?|bge|minilm|rerank(er)?|whisper|tts|stt|transcribe|speech|voice|orpheus|playai|image|images|imagen|imagine|dall|sora|veo|lyria|flux|video|audio|realtime|live|moderation|guard|ocr|aqa|computer-use|(text|code)-(ada|babbage|curie|davinci)|(babbage|davinci)-002|gpt-3\.5-turbo-instruct)(?=$|[-_/:. \d])/i;

function isChat(item: JsonObject): boolean {
  const can = asObject(item.capabilities);
  const said = firstFlag(
    TYPES[asString(item.type)],
    // mistral; azure; fireworks; cohere; openrouter; xai
    can.completion_chat,
    can.chat_completion,
    item.supports_chat,
    among('chat', item.endpoints),
    among('text', asObject(item.architecture).output_modalities),
    among('text', item.output_modalities),
  );
  // groq lists what it has switched off.
  if (said === false || item.active === false) return false;
  // google has the word for pictures and speech too.
  if (among('generateContent', item.supportedGenerationMethods) === false) return false;
  return said === true || !NOT_CHAT.test(idOf(item));
}
