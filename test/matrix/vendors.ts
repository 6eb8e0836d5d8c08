import type { VendorType } from '../../src/providers/profiles.ts';
import { anthropicFake } from './anthropic.ts';
import { cohereFake } from './cohere.ts';
import type { Fake, Vendor } from './fake.ts';
import { geminiFake } from './gemini.ts';
import { ollamaFake } from './ollama.ts';
import { type ChatRules, chatFake } from './openai-chat.ts';
import { type ResponsesRules, responsesFake } from './responses.ts';

const openaiError: Fake['refusal'] = ({ message, code }) => ({
  error: { message, type: 'invalid_request_error', param: null, code: code ?? null },
});

const PENALTIES = ['frequency_penalty', 'presence_penalty'];
const LOGPROBS = ['logprobs', 'top_logprobs'];

/** What most followers of OpenAI's chat wire have in common. */
const CHAT = {
  body: ['stream_options', 'max_completion_tokens', 'reasoning_effort', 'seed'],
  assistant: ['tool_calls'],
  callId: (number) => `call_${String(number).padStart(24, 'a')}`,
  finish: 'tool_calls',
  unknown: (path) => `property '${path}' is unsupported`,
  refusal: openaiError,
} satisfies Partial<ChatRules>;

const CHAT_RULES = {
  groq: {
    ...CHAT,
    body: [...CHAT.body, ...PENALTIES, 'reasoning_format', 'include_reasoning'],
    formatOrTools: true,
    assistant: ['tool_calls', 'reasoning'],
    reasoning: 'reasoning',
    demanded: 'loop',
    callId: (number) => `fc_${String(number).padStart(8, '0')}-aaaa-4bbb-8ccc-dddddddddddd`,
  },
  mistral: {
    ...CHAT,
    body: [...PENALTIES, 'random_seed', 'prompt_mode', 'reasoning_effort'],
    strict: true,
    assistant: ['tool_calls', 'prefix'],
    reasoning: 'parts',
    demanded: 'loop',
    callId: (number) => String(number).padStart(9, 'M'),
    takesId: /^[a-zA-Z0-9]{9}$/,
    noUserAfterTool: true,
    unknown: (path) => `body.${path}: Extra inputs are not permitted`,
    unknownStatus: 422,
    refusal: ({ message, status, code }) =>
      status === 422
        ? { detail: [{ type: 'extra_forbidden', loc: ['body'], msg: message }] }
        : { object: 'error', message, type: 'invalid_request_message_order', code: code ?? '3000' },
  },
  deepseek: {
    ...CHAT,
    body: [...PENALTIES, ...LOGPROBS, 'stream_options', 'thinking', 'reasoning_effort'],
    formats: ['text', 'json_object'],
    assistant: ['tool_calls', 'reasoning_content', 'prefix'],
    reasoning: 'reasoning_content',
    demanded: 'always',
    callId: (number) => `call_00_${String(number).padStart(24, 'd')}`,
  },
  together: {
    ...CHAT,
    body: [...CHAT.body, ...PENALTIES, 'top_k', 'logit_bias'],
    assistant: ['tool_calls', 'reasoning'],
    reasoning: 'reasoning',
  },
  fireworks: {
    ...CHAT,
    body: [...CHAT.body, ...PENALTIES, ...LOGPROBS, 'top_k', 'logit_bias'],
    strict: true,
    assistant: ['tool_calls', 'reasoning_content'],
    reasoning: 'reasoning_content',
    demanded: 'loop',
    // Kimi counts its calls itself; others refuse such ids.
    callId: (number, name) => `functions.${name}:${number}`,
    finish: 'stop',
    unknown: (path) => `Extra inputs are not permitted, field: '${path}'`,
  },
  cerebras: {
    ...CHAT,
    body: [...CHAT.body, ...LOGPROBS, 'reasoning_format', 'clear_thinking'],
    strict: true,
    assistant: ['tool_calls', 'reasoning'],
    reasoning: 'reasoning',
    demanded: 'loop',
    callId: (number) => String(number).padStart(9, 'c'),
    refusedKeyword: 'minItems',
    refusal: ({ message }) => ({
      message,
      type: 'invalid_request_error',
      param: 'validation_error',
      code: 'wrong_api_format',
    }),
  },
  openrouter: {
    ...CHAT,
    body: [
      ...CHAT.body,
      ...PENALTIES,
      ...LOGPROBS,
      ...['top_k', 'logit_bias', 'reasoning', 'include_reasoning', 'provider', 'usage'],
    ],
    strict: true,
    assistant: ['tool_calls', 'reasoning', 'reasoning_details'],
    reasoning: 'details',
    demanded: 'loop',
    // Gemini's ids, as passed on, have the name of the tool in them, however long it is.
    callId: (number, name) => `tool_0_${name}_${String(number).padStart(24, 'r')}`,
    refusal: ({ message, status }) => ({
      error: {
        message: 'Provider returned error',
        code: status,
        metadata: { raw: JSON.stringify({ type: 'error', error: { message } }), provider_name: 'Anthropic' },
      },
    }),
  },
  perplexity: {
    ...CHAT,
    body: [...PENALTIES, ...LOGPROBS, 'top_k', 'search_mode', 'web_search_options', 'reasoning_effort'],
    formats: ['text', 'json_schema', 'regex'],
    assistant: [],
    reasoning: 'tags',
    plain: true,
    unknown: (path) => `${path}: Extra inputs are not permitted`,
    refusal: ({ message, status }) => ({ error: { message, type: 'invalid_message', code: status } }),
  },
} satisfies Readonly<Record<string, ChatRules>>;

const RESPONSES_RULES = {
  openai: {
    keyHeader: 'authorization',
    phases: true,
    temperature: false,
    callId: (number) => `call_${String(number).padStart(24, 'o')}`,
    refusal: openaiError,
  },
  azure: {
    keyHeader: 'api-key',
    phases: true,
    temperature: false,
    callId: (number) => `call_${String(number).padStart(24, 'z')}`,
    refusal: ({ message, code, status }) => ({ error: { code: code ?? String(status), message } }),
  },
  xai: {
    keyHeader: 'authorization',
    phases: false,
    temperature: true,
    callId: (number) => `call-${String(number).padStart(8, '0')}-aaaa-4bbb-8ccc-dddddddddddd-0`,
    refusal: ({ message }) => ({ code: 'Client specified an invalid argument', error: message }),
  },
} satisfies Readonly<Record<string, ResponsesRules>>;

function chat(type: keyof typeof CHAT_RULES): (model: string) => Fake {
  return (model) => chatFake(model, CHAT_RULES[type]);
}

function responses(type: keyof typeof RESPONSES_RULES): (model: string) => Fake {
  return (model) => responsesFake(model, RESPONSES_RULES[type]);
}

/** The fifteen vendors, and two current models of each that reason. */
const ROWS: Readonly<Record<VendorType, [make: (model: string) => Fake, first: string, second: string]>> = {
  anthropic: [anthropicFake, 'claude-sonnet-5', 'claude-opus-4-8'],
  openai: [responses('openai'), 'gpt-5.5', 'gpt-5.4'],
  azure: [responses('azure'), 'gpt-5.5', 'gpt-5.4'],
  google: [geminiFake, 'gemini-3.8-flash', 'gemini-3.1-pro-preview'],
  groq: [chat('groq'), 'openai/gpt-oss-120b', 'openai/gpt-oss-20b'],
  xai: [responses('xai'), 'grok-4.6', 'grok-4.3'],
  mistral: [chat('mistral'), 'magistral-medium-latest', 'magistral-small-latest'],
  deepseek: [chat('deepseek'), 'deepseek-v4-flash', 'deepseek-v4-pro'],
  together: [chat('together'), 'openai/gpt-oss-120b', 'openai/gpt-oss-20b'],
  fireworks: [
    chat('fireworks'),
    'accounts/fireworks/models/kimi-k2-thinking',
    'accounts/fireworks/models/gpt-oss-120b',
  ],
  cerebras: [chat('cerebras'), 'gpt-oss-120b', 'zai-glm-4.7'],
  openrouter: [chat('openrouter'), 'anthropic/claude-sonnet-5', 'google/gemini-3.1-pro-preview'],
  cohere: [cohereFake, 'command-a-reasoning-08-2025', 'command-a-plus-05-2026'],
  perplexity: [chat('perplexity'), 'sonar-reasoning', 'sonar-reasoning-pro'],
  ollama: [ollamaFake, 'gpt-oss:20b', 'qwen3:8b'],
};

const TYPES = Object.keys(ROWS) as VendorType[];

/** Every vendor with one of its models. */
export const VENDORS: readonly Vendor[] = TYPES.map((type) => {
  const [make, model] = ROWS[type];
  return { name: type, type, fake: make(model) };
});

/** Every vendor with another of its models, in the same order. */
export const SIBLINGS: readonly Vendor[] = TYPES.map((type) => {
  const [make, , model] = ROWS[type];
  return { name: `${type}2`, type, fake: make(model) };
});
