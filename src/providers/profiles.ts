import type { CustomType, ProviderType } from './chat-model.ts';
import {
  DEEPSEEK_EFFORT,
  type EffortRule,
  GPT_OSS_EFFORT,
  GROQ_EFFORT,
  MISTRAL_EFFORT,
  OPENAI_EFFORT,
  OPENROUTER_EFFORT,
  PERPLEXITY_EFFORT,
  XAI_EFFORT,
} from './efforts.ts';
import {
  CEREBRAS_REFUSED,
  DEEPSEEK_FORMATS,
  DEEPSEEK_REFUSED,
  GROQ_FORMATS,
  GROQ_REFUSED,
  MISTRAL_REFUSED,
  type ParameterQuirks,
  PERPLEXITY_FORMATS,
  PERPLEXITY_REFUSED,
  TOGETHER_REFUSED,
  TOP_K,
  XAI_REFUSED,
} from './parameters.ts';
import type { AttachmentLimits } from './wire/attachments.ts';

/** The wires that exist; `protocols/` has two files for each. */
export type WireName =
  | 'openai-chat'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'gemini'
  | 'ollama-chat'
  | 'cohere-chat';

/** How the key travels: the header's name, or nothing. `bearer` is `Authorization: Bearer …`. */
export type Authentication = 'bearer' | 'x-api-key' | 'x-goog-api-key' | 'api-key';

/** The tool-call ids that are taken back; others become as many hex digits of their hash. */
export interface ToolCallIds {
  pattern: RegExp;
  length: number;
}

/** How models of openai's chat wire want their own reasoning of earlier answers back; what is not said, they refuse. */
export interface ReasoningBack {
  /** Which models; absent: all. */
  models?: RegExp;
  /**
   * The field of the assistant's message. `reasoning_details` are the objects as they came, `content-parts` parts of
   * type thinking in its content.
   */
  as: 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'content-parts';
  /** Every assistant's message must have it, even if empty. */
  required?: boolean;
  /** Only since the last user message, in a tool loop; refused in what lies before. */
  openTurnOnly?: boolean;
}

/** How openai's chat wire takes files: its own part with inline data (or also a link), or another vendor's part. */
export const FILE_FORMS = ['file', 'file-or-link', 'document_url', 'file_url'] as const;

/** One of {@link FILE_FORMS}. */
export type FileForm = (typeof FILE_FORMS)[number];

/** Where a vendor departs from its wire. Absent means: as the wire says. */
export interface Quirks extends ParameterQuirks {
  /** Models that choose their words by themselves; on openai's chat wire they want `max_completion_tokens` too. */
  reasoningModels?: RegExp;
  /** A stream gives its token counts without being asked, and the question is refused. */
  usageUnasked?: boolean;
  /** Which tool-call ids are taken, if not those of the wire. */
  toolCallIds?: ToolCallIds;
  /** The first that fits the model; reasoning of others is left out. */
  reasoningBack?: readonly ReasoningBack[];
  /** On the wires of openai: the first that fits the model; without one, `effort` is left out. */
  effort?: readonly EffortRule[];
  /** On the wires of openai: how inline files go that are not text; absent: not at all. */
  files?: FileForm;
  /** Takes no tools: earlier calls and results go as text. */
  noTools?: boolean;
  /** System messages first; then user and assistant must alternate, and the last one must be the user's. */
  strictAlternation?: boolean;
  /** Reasoning stands in the text as `<think>…</think>`. */
  thinkTags?: boolean;
  /** JSON Schema keywords in tool parameters that are refused. */
  refusedSchemaKeywords?: readonly string[];
  /** On openai's responses wire: pictures and documents of a tool's result may stand in it. */
  resultMedia?: boolean;
}

/** One vendor as data: which wire, where, with what credentials, and its quirks. */
export interface Profile {
  name: string;
  wire: WireName;
  /** Models that want another wire than the row's. */
  otherWire?: { models: RegExp; wire: WireName };
  /** Undefined: the address is the customer's own (azure). */
  baseUrl: string | undefined;
  authentication: Authentication;
  /** Environment variables that hold the key; the first is the one to document. */
  keyVariables: readonly string[];
  /** Those of them that hold tokens: they travel as `Authorization: Bearer`, whatever the keys do. */
  tokenVariables?: readonly string[];
  /** True: works without a key. */
  keyless?: boolean;
  /** Where the model list lies, below the base URL; undefined: there is none. */
  modelsPath: string | undefined;
  /** Undefined: the first of the live list (ollama), or the deployment (azure). */
  defaultModel: string | undefined;
  headers?: Readonly<Record<string, string>>;
  /** The names of the vendor's models, also of those that are newer than any catalogue. */
  family?: RegExp;
  /** Models are named with a tag (`name:tag`); without one, `latest` is meant. */
  taggedModels?: boolean;
  /**
   * What the price package has of this vendor, if not all under the type's name: under which name, and which of those
   * models are served; false: nothing.
   */
  catalogue?: false | { name?: string; models?: RegExp };
  quirks: Quirks;
  attachments?: AttachmentLimits;
}

/** The types of the built-in vendors. */
export type VendorType = Exclude<ProviderType, 'demo' | CustomType>;

/** Every type that has settings: all but the demo model. */
export type RemoteType = VendorType | CustomType;

const ANTHROPIC_REASONING = /claude-(opus-(4-[7-9]|[5-9])|sonnet-[5-9]|fable)/;
const OPENAI_REASONING = /^(o\d|gpt-(?:[5-9]|[12]\d))/;
/** Those that give their reasoning back on openai's other wire; their variants for chat and search have none. */
const OPENAI_RESPONSES = /^(o\d|gpt-(?:[5-9]|[12]\d))(?!.*-(chat|search))/;

const MIB = 1024 ** 2;
const WEB_IMAGES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;

/** The fifteen vendors. Addresses, variables and quirks are the vendors' own documentation's. */
export const PROFILES: Readonly<Record<VendorType, Profile>> = {
  anthropic: {
    name: 'Anthropic',
    wire: 'anthropic-messages',
    baseUrl: 'https://api.anthropic.com/v1',
    authentication: 'x-api-key',
    keyVariables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
    tokenVariables: ['ANTHROPIC_AUTH_TOKEN'],
    modelsPath: '/models?limit=1000',
    defaultModel: 'claude-sonnet-5',
    headers: { 'anthropic-version': '2023-06-01' },
    family: /^claude-/i,
    quirks: { reasoningModels: ANTHROPIC_REASONING },
    // Of an image the base64 text counts.
    attachments: {
      imageTypes: WEB_IMAGES,
      maxImageBytes: (5 * MIB * 3) / 4,
      maxImages: 100,
      maxFileBytes: 32 * MIB,
      fileTypes: ['application/pdf'],
    },
  },
  openai: {
    name: 'OpenAI',
    wire: 'openai-chat',
    otherWire: { models: OPENAI_RESPONSES, wire: 'openai-responses' },
    baseUrl: 'https://api.openai.com/v1',
    authentication: 'bearer',
    keyVariables: ['OPENAI_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'gpt-5.5',
    family: /^(gpt-|o\d|chatgpt-)/i,
    quirks: {
      files: 'file',
      reasoningModels: OPENAI_REASONING,
      effort: OPENAI_EFFORT,
      strictTools: true,
      resultMedia: true,
    },
    attachments: { imageTypes: WEB_IMAGES, maxFileBytes: 50 * MIB },
  },
  azure: {
    name: 'Azure OpenAI',
    wire: 'openai-chat',
    otherWire: { models: OPENAI_RESPONSES, wire: 'openai-responses' },
    baseUrl: undefined,
    authentication: 'api-key',
    keyVariables: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
    modelsPath: '/models',
    defaultModel: undefined,
    family: /^(gpt-|o\d|chatgpt-)/i,
    quirks: { files: 'file', reasoningModels: OPENAI_REASONING, effort: OPENAI_EFFORT, strictTools: true },
    attachments: { imageTypes: WEB_IMAGES, maxImageBytes: 20 * MIB, maxImages: 50 },
  },
  google: {
    name: 'Google Gemini',
    wire: 'gemini',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    authentication: 'x-goog-api-key',
    keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    modelsPath: '/models?pageSize=1000',
    defaultModel: 'gemini-3.8-flash',
    family: /^gemini-/i,
    // The package has the guests of Google's cloud too, which this API does not serve.
    catalogue: { models: /^(gemini|gemma|learnlm)/i },
    quirks: {},
    attachments: { maxFileBytes: 50 * MIB },
  },
  groq: {
    name: 'Groq',
    wire: 'openai-chat',
    baseUrl: 'https://api.groq.com/openai/v1',
    authentication: 'bearer',
    keyVariables: ['GROQ_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'openai/gpt-oss-120b',
    quirks: {
      // Its other models refuse the field.
      reasoningBack: [{ models: /gpt-oss/, as: 'reasoning' }],
      effort: GROQ_EFFORT,
      refusedParameters: GROQ_REFUSED,
      responseFormats: GROQ_FORMATS,
      formatOrTools: true,
    },
    attachments: { maxImageBytes: 4 * MIB, maxImages: 5 },
  },
  xai: {
    name: 'xAI',
    wire: 'openai-chat',
    otherWire: { models: /^grok-(3-mini|[4-9]|\d\d)(?!.*non-reasoning)/, wire: 'openai-responses' },
    baseUrl: 'https://api.x.ai/v1',
    authentication: 'bearer',
    keyVariables: ['XAI_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'grok-4.6',
    family: /^grok-/i,
    catalogue: { name: 'x-ai' },
    quirks: { effort: XAI_EFFORT, refusedParameters: XAI_REFUSED },
    attachments: { imageTypes: ['image/png', 'image/jpeg'], maxImageBytes: 20 * MIB },
  },
  mistral: {
    name: 'Mistral',
    wire: 'openai-chat',
    baseUrl: 'https://api.mistral.ai/v1',
    authentication: 'bearer',
    keyVariables: ['MISTRAL_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'mistral-medium-latest',
    family: /^(mistral|codestral|ministral|magistral)-/i,
    quirks: {
      files: 'document_url',
      usageUnasked: true,
      toolCallIds: { pattern: /^[a-zA-Z0-9]{9}$/, length: 9 },
      reasoningBack: [{ as: 'content-parts' }],
      effort: MISTRAL_EFFORT,
      parameterNames: { seed: 'random_seed' },
      refusedParameters: MISTRAL_REFUSED,
      strictTools: true,
    },
    attachments: { imageTypes: WEB_IMAGES, maxImageBytes: 10 * MIB, maxImages: 8 },
  },
  deepseek: {
    name: 'DeepSeek',
    wire: 'openai-chat',
    baseUrl: 'https://api.deepseek.com',
    authentication: 'bearer',
    keyVariables: ['DEEPSEEK_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'deepseek-v4-flash',
    family: /^deepseek-/i,
    quirks: {
      reasoningBack: [
        // With tools they refuse a history in which an assistant's message lacks it, be it another model's.
        { models: /^deepseek-v([4-9]|\d\d)/, as: 'reasoning_content', required: true },
        { models: /^deepseek-reasoner/, as: 'reasoning_content', openTurnOnly: true },
      ],
      effort: DEEPSEEK_EFFORT,
      refusedParameters: DEEPSEEK_REFUSED,
      responseFormats: DEEPSEEK_FORMATS,
    },
    attachments: { images: false },
  },
  together: {
    name: 'Together AI',
    wire: 'openai-chat',
    baseUrl: 'https://api.together.xyz/v1',
    authentication: 'bearer',
    keyVariables: ['TOGETHER_API_KEY', 'TOGETHERAI_API_KEY', 'TOGETHER_AI_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    quirks: { effort: GPT_OSS_EFFORT, parameterNames: TOP_K, refusedParameters: TOGETHER_REFUSED },
  },
  fireworks: {
    name: 'Fireworks AI',
    wire: 'openai-chat',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    authentication: 'bearer',
    keyVariables: ['FIREWORKS_API_KEY', 'FIREWORKS_AI_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'accounts/fireworks/models/gpt-oss-120b',
    quirks: {
      reasoningBack: [{ as: 'reasoning_content' }],
      effort: GPT_OSS_EFFORT,
      parameterNames: TOP_K,
      strictTools: true,
    },
    attachments: { maxImages: 30, maxImageBytes: 10 * MIB },
  },
  cerebras: {
    name: 'Cerebras',
    wire: 'openai-chat',
    baseUrl: 'https://api.cerebras.ai/v1',
    authentication: 'bearer',
    keyVariables: ['CEREBRAS_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'gpt-oss-120b',
    quirks: {
      refusedSchemaKeywords: ['minItems', 'maxItems', 'pattern', 'format'],
      reasoningBack: [{ as: 'reasoning' }],
      effort: GPT_OSS_EFFORT,
      refusedParameters: CEREBRAS_REFUSED,
      strictTools: true,
    },
  },
  openrouter: {
    name: 'OpenRouter',
    wire: 'openai-chat',
    baseUrl: 'https://openrouter.ai/api/v1',
    authentication: 'bearer',
    keyVariables: ['OPENROUTER_API_KEY'],
    modelsPath: '/models',
    defaultModel: 'openrouter/auto',
    quirks: {
      files: 'file-or-link',
      reasoningBack: [{ as: 'reasoning_details' }],
      effort: OPENROUTER_EFFORT,
      parameterNames: TOP_K,
      strictTools: true,
    },
  },
  cohere: {
    name: 'Cohere',
    wire: 'cohere-chat',
    baseUrl: 'https://api.cohere.com/v2',
    authentication: 'bearer',
    keyVariables: ['COHERE_API_KEY', 'CO_API_KEY'],
    // The list is still the first version's.
    modelsPath: '/../v1/models?page_size=1000&endpoint=chat',
    defaultModel: 'command-a-03-2025',
    family: /^command-/i,
    quirks: {},
    attachments: { imageTypes: WEB_IMAGES, maxImageBytes: 20 * MIB, maxImages: 20 },
  },
  perplexity: {
    name: 'Perplexity',
    wire: 'openai-chat',
    baseUrl: 'https://api.perplexity.ai',
    authentication: 'bearer',
    keyVariables: ['PERPLEXITY_API_KEY', 'PERPLEXITYAI_API_KEY'],
    modelsPath: undefined,
    defaultModel: 'sonar',
    family: /^sonar/i,
    quirks: {
      files: 'file_url',
      usageUnasked: true,
      noTools: true,
      strictAlternation: true,
      thinkTags: true,
      effort: PERPLEXITY_EFFORT,
      parameterNames: TOP_K,
      refusedParameters: PERPLEXITY_REFUSED,
      responseFormats: PERPLEXITY_FORMATS,
    },
    attachments: { imageTypes: WEB_IMAGES, maxImageBytes: 50 * MIB, maxFileBytes: 50 * MIB },
  },
  ollama: {
    name: 'Ollama',
    wire: 'ollama-chat',
    baseUrl: 'http://localhost:11434',
    authentication: 'bearer',
    keyVariables: ['OLLAMA_API_KEY'],
    keyless: true,
    modelsPath: '/api/tags',
    defaultModel: undefined,
    taggedModels: true,
    catalogue: false,
    quirks: {},
  },
};
