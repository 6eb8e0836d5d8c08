import type { VendorType } from '../../src/providers/profiles.ts';
import type { Json } from '../server.ts';
import { VENDORS } from './vendors.ts';

/** A rule of some vendors, and how to break it in a request that is right. */
export interface Broken {
  vendors: VendorType[];
  rule: string;
  break(body: Json): void;
  says: RegExp;
}

const ALL = VENDORS.map(({ type }) => type);
const RESPONSES: VendorType[] = ['openai', 'azure', 'xai'];
const CHAT: VendorType[] = ['groq', 'mistral', 'deepseek', 'together', 'fireworks', 'cerebras', 'openrouter'];
const WITH_FIELD: VendorType[] = ['groq', 'deepseek', 'together', 'fireworks', 'cerebras'];

function rule(vendors: VendorType[], name: string, breaks: Broken['break'], says: RegExp): Broken {
  return { vendors, rule: name, break: breaks, says };
}

/** The reasoning field that a message has. */
function fieldOf(message: Json): string {
  return 'reasoning' in message ? 'reasoning' : 'reasoning_content';
}

const anthropic = [
  rule(['anthropic'], 'max_tokens is required', (b) => delete b.max_tokens, /max_tokens: Field required/),
  rule(['anthropic'], 'no temperature', (b) => (b.temperature = 1), /temperature/),
  rule(['anthropic'], 'no budget', (b) => (b.thinking = { type: 'enabled', budget_tokens: 1024 }), /not supported/),
  rule(['anthropic'], 'keys of a message', (b) => (b.messages[1].name = 'x'), /messages\.1\.name: Extra inputs/),
  rule(['anthropic'], 'keys of a block', (b) => (b.messages[1].content[2].data = 'x'), /Extra inputs/),
  rule(['anthropic'], 'kinds of blocks', (b) => (b.messages[1].content[2].type = 'output_text'), /Input tag/),
  rule(['anthropic'], 'tools of calls', (b) => delete b.tools, /must define tools/),
  rule(['anthropic'], 'keys of a tool', (b) => (b.tools[0].parameters = {}), /tools\.0\.parameters: Extra inputs/),
  rule(
    ['anthropic'],
    'signature unmodified',
    (b) => (b.messages[1].content[0].signature += 'x'),
    /Invalid `signature`/,
  ),
  rule(['anthropic'], 'thinking unmodified', (b) => (b.messages[1].content[0].thinking += '.'), /Invalid `signature`/),
  rule(['anthropic'], 'redacted unmodified', (b) => (b.messages[1].content[1].data += 'x'), /Invalid `data`/),
  rule(['anthropic'], 'thinking leads in a loop', (b) => b.messages[1].content.splice(0, 2), /Expected `thinking`/),
  rule(['anthropic'], 'redacted thinking too', (b) => b.messages[1].content.splice(1, 1), /cannot be modified/),
  rule(['anthropic'], 'empty thinking too', (b) => b.messages[1].content.splice(3, 1), /cannot be modified/),
  rule(['anthropic'], 'order kept', (b) => b.messages[1].content.reverse(), /Expected `thinking`/),
  rule(
    ['anthropic'],
    'no bare thinking',
    (b) => b.messages.splice(1, 2, { ...b.messages[1], content: b.messages[1].content.slice(0, 1) }, b.messages[0]),
    /cannot be thinking/,
  ),
  rule(['anthropic'], 'no empty text', (b) => (b.messages[0].content = ''), /must be non-empty/),
  rule(['anthropic'], 'no blank text', (b) => (b.messages[0].content = ' \n'), /non-whitespace/),
  rule(['anthropic'], 'no empty message', (b) => (b.messages[0].content = []), /non-empty content/),
  rule(['anthropic'], 'user begins', (b) => b.messages.shift(), /first message must use/),
  rule(['anthropic'], 'user ends', (b) => b.messages.pop(), /prefill/),
  rule(['anthropic'], 'no system message', (b) => (b.messages[0].role = 'system'), /role: Input should be/),
  rule(['anthropic'], 'ids', (b) => (b.messages[1].content[4].id = 'functions.x:0'), /should match pattern/),
  rule(
    ['anthropic'],
    'unique ids',
    (b) => (b.messages[1].content[5].id = b.messages[1].content[4].id),
    /must be unique/,
  ),
  rule(['anthropic'], 'input an object', (b) => (b.messages[1].content[4].input = '{}'), /valid dictionary/),
  rule(['anthropic'], 'a result for each', (b) => b.messages[2].content.pop(), /without `tool_result`/),
  rule(
    ['anthropic'],
    'no strange result',
    (b) => (b.messages[2].content[2] = { type: 'tool_result', tool_use_id: 'toolu_x', content: 'x' }),
    /unexpected `tool_use_id`/,
  ),
  rule(
    ['anthropic'],
    'no second result',
    (b) => b.messages[2].content.push(b.messages[2].content[0]),
    /unexpected `tool_use_id`/,
  ),
  rule(
    ['anthropic'],
    'results first',
    (b) => b.messages[2].content.unshift({ type: 'text', text: 'So:' }),
    /must come first/,
  ),
];

const responses = [
  rule(RESPONSES, 'store false', (b) => delete b.store, /store must be false/),
  rule(RESPONSES, 'encrypted reasoning asked for', (b) => delete b.include, /include must name/),
  rule(['openai', 'azure'], 'no temperature', (b) => (b.temperature = 1), /temperature/),
  rule(RESPONSES, 'no max_tokens', (b) => (b.max_tokens = 5), /Unknown parameter: 'max_tokens'/),
  rule(RESPONSES, 'keys of an item', (b) => (b.input[1].origin = 'x'), /Unknown parameter: 'input\[1\]\.origin'/),
  rule(RESPONSES, 'kinds of items', (b) => (b.input[1].type = 'thinking'), /Invalid value: 'thinking'/),
  rule(RESPONSES, 'roles', (b) => (b.input[0].role = 'tool'), /Invalid value: 'tool'/),
  rule(RESPONSES, 'ids of items', (b) => (b.input[3].id = b.input[3].call_id), /Expected fc_/),
  rule(
    RESPONSES,
    'parts of an answer',
    (b) => (b.input[2].content[0].type = 'input_text'),
    /Invalid value: 'input_text'/,
  ),
  rule(
    RESPONSES,
    'flat tools',
    (b) => (b.tools[0] = { type: 'function', function: b.tools[0] }),
    /Unknown parameter: 'tools/,
  ),
  rule(
    RESPONSES,
    'call ids of 64',
    (b) => (b.input[3].call_id = b.input[5].call_id = 'x'.repeat(65)),
    /string too long/,
  ),
  rule(RESPONSES, 'arguments are text', (b) => (b.input[3].arguments = {}), /expected a string/),
  rule(RESPONSES, 'output is text', (b) => (b.input[5].output = {}), /expected a string/),
  rule(RESPONSES, 'an output for each', (b) => b.input.pop(), /No tool output found/),
  rule(RESPONSES, 'a call for each', (b) => b.input.splice(4, 1), /No tool call found/),
  rule(RESPONSES, 'one output', (b) => b.input.push(b.input[5]), /Duplicate output/),
  rule(RESPONSES, 'one call', (b) => b.input.splice(4, 0, b.input[3]), /Duplicate function call/),
  rule(RESPONSES, 'reasoning of its own', (b) => (b.input[1].encrypted_content += 'x'), /could not be verified/),
  rule(RESPONSES, 'id and content together', (b) => (b.input[1].id += '9'), /could not be verified/),
  rule(RESPONSES, 'encrypted content', (b) => delete b.input[1].encrypted_content, /not persisted/),
  rule(RESPONSES, 'summary as it was', (b) => (b.input[1].summary = []), /not the one that was issued/),
  rule(RESPONSES, 'what follows reasoning', (b) => b.input.splice(2, 1), /without its required following item/),
  rule(
    RESPONSES,
    'call ids come back',
    (b) => {
      b.input[3].call_id = b.input[5].call_id = 'call_9';
    },
    /call_id is not the one/,
  ),
  rule(['openai', 'azure'], 'phases come back', (b) => delete b.input[2].phase, /phase is undefined, was commentary/),
  rule(RESPONSES, 'reasoning before calls', (b) => b.input.splice(1, 1), /without its required 'reasoning' item/),
];

const chat = [
  rule(CHAT, 'keys of a message', (b) => (b.messages[1].refusal = null), /refusal/),
  rule(
    ['groq', 'cerebras', 'mistral', 'together'],
    'no reasoning_content',
    (b) => (b.messages[1].reasoning_content = 'x'),
    /reasoning_content/,
  ),
  rule(
    ['deepseek', 'fireworks', 'mistral'],
    'no reasoning',
    (b) => (b.messages[1].reasoning = 'x'),
    /messages\.1\.assistant\.reasoning/,
  ),
  rule(CHAT, 'keys of a call', (b) => (b.messages[1].tool_calls[0].index = 0), /index/),
  rule(CHAT, 'keys of a result', (b) => (b.messages[2].is_error = false), /is_error/),
  rule(CHAT, 'roles', (b) => (b.messages[0].role = 'human'), /role/),
  rule(CHAT, 'user says something', (b) => (b.messages[0].content = ''), /must not be empty/),
  rule(
    CHAT,
    'no answer of nothing',
    (b) => b.messages.splice(1, 3, { role: 'assistant', content: null }, b.messages[0]),
    /content must be text/,
  ),
  rule(
    CHAT,
    'no empty list of calls',
    (b) => b.messages.splice(1, 3, { ...b.messages[1], tool_calls: [] }, b.messages[0]),
    /too short/,
  ),
  rule(CHAT, 'arguments are text', (b) => (b.messages[1].tool_calls[0].function.arguments = {}), /arguments/),
  rule(CHAT, 'type of a call', (b) => delete b.messages[1].tool_calls[0].type, /type/),
  rule(CHAT, 'unique ids', (b) => (b.messages[1].tool_calls[1].id = b.messages[1].tool_calls[0].id), /Duplicate/),
  rule(CHAT, 'a result for each', (b) => b.messages.pop(), /did not have response messages/),
  rule(CHAT, 'results at once', (b) => b.messages.splice(3, 0, b.messages[0]), /did not have response messages/),
  rule(CHAT, 'no strange result', (b) => (b.messages[2].tool_call_id = 'x'), /must be a response/),
  rule(CHAT, 'no second result', (b) => b.messages.push(b.messages[2]), /must be a response/),
  rule(CHAT, 'results are text', (b) => (b.messages[2].content = null), /content must be text/),
  rule(
    CHAT,
    'assistant does not end',
    (b) => b.messages.push({ role: 'assistant', content: 'x', reasoning_content: '' }),
    /expected last role|unsupported|Extra inputs/i,
  ),
  rule(
    CHAT,
    'ids come back',
    (b) => (b.messages[1].tool_calls[0].id = b.messages[2].tool_call_id = '123456789'),
    /not the call ids that were issued/,
  ),
  rule(WITH_FIELD, 'reasoning as issued', (b) => (b.messages[1][fieldOf(b.messages[1])] += '.'), /was not issued/),
  rule(
    WITH_FIELD,
    'no reasoning of others',
    (b) => b.messages.splice(1, 3, { ...b.messages[1], content: 'x', tool_calls: undefined }, b.messages[0]),
    /was not issued|tool_calls/,
  ),
  rule(['deepseek'], 'reasoning in every answer', (b) => delete b.messages[1].reasoning_content, /must be passed back/),
  rule(['deepseek'], 'its own, and not empty', (b) => (b.messages[1].reasoning_content = ''), /must be passed back/),
  rule(
    ['deepseek'],
    'in answers of others too',
    (b) => b.messages.push({ role: 'assistant', content: 'x' }, b.messages[0]),
    /must be passed back/,
  ),
  rule(['openrouter'], 'details in a loop', (b) => delete b.messages[1].reasoning_details, /is missing/),
  rule(
    ['groq', 'fireworks', 'cerebras'],
    'reasoning in a loop',
    (b) => delete b.messages[1][fieldOf(b.messages[1])],
    /is missing/,
  ),
  rule(['mistral'], 'thinking in a loop', (b) => b.messages[1].content.shift(), /is missing/),
  rule(
    ['openrouter'],
    'details as issued',
    (b) => (b.messages[1].reasoning_details[0].signature += 'x'),
    /was not issued/,
  ),
  rule(['openrouter'], 'all the details', (b) => b.messages[1].reasoning_details.pop(), /was not issued/),
  rule(
    ['mistral'],
    'ids of 9 characters',
    (b) => (b.messages[1].tool_calls[0].id = b.messages[2].tool_call_id = 'call_1'),
    /must be/,
  ),
  rule(['mistral'], 'thinking as issued', (b) => (b.messages[1].content[0].thinking[0].text += '.'), /was not issued/),
  rule(['mistral'], 'kinds of parts', (b) => (b.messages[1].content[0].type = 'reasoning'), /does not match/),
  rule(['mistral'], 'no user after a tool', (b) => b.messages.push(b.messages[0]), /Unexpected role/),
  rule(['mistral', 'perplexity'], 'no stream_options', (b) => (b.stream_options = {}), /stream_options/),
  rule(['cerebras'], 'no minItems', (b) => (b.tools[0].function.parameters.minItems = 1), /Unsupported JSON schema/),
  rule(['perplexity'], 'no tools', (b) => (b.tools = []), /tools/),
  rule(['perplexity'], 'no calls', (b) => (b.messages[1].tool_calls = []), /tool_calls/),
  rule(
    ['perplexity'],
    'no results',
    (b) => (b.messages[2] = { role: 'tool', content: 'x', tool_call_id: 'x' }),
    /Input should be/,
  ),
  rule(['perplexity'], 'alternation', (b) => b.messages.splice(1, 1), /should alternate/),
  rule(['perplexity'], 'user begins', (b) => b.messages.shift(), /should alternate/),
  rule(['perplexity'], 'user ends', (b) => b.messages.pop(), /last role/),
];

const google = [
  rule(['google'], 'keys of a content', (b) => (b.contents[0].id = 'x'), /Unknown name "id"/),
  rule(['google'], 'keys of a part', (b) => (b.contents[0].parts[0].type = 'text'), /Unknown name "type"/),
  rule(['google'], 'keys of a call', (b) => (b.contents[1].parts[1].functionCall.data = {}), /Unknown name "data"/),
  rule(['google'], 'keys of a response', (b) => (b.contents[2].parts[0].functionResponse.content = ''), /Unknown name/),
  rule(
    ['google'],
    'keys of the configuration',
    (b) => (b.generationConfig = { max_tokens: 1 }),
    /Unknown name "max_tokens"/,
  ),
  rule(['google'], 'keys of a tool', (b) => (b.tools[0].functionDeclarations[0].input_schema = {}), /Unknown name/),
  rule(['google'], 'roles', (b) => (b.contents[1].role = 'assistant'), /valid role/),
  rule(['google'], 'no content without parts', (b) => (b.contents[0].parts = []), /must not be empty/),
  rule(['google'], 'one kind in a part', (b) => (b.contents[1].parts[1].text = 'x'), /must have one/),
  rule(
    ['google'],
    'no thoughts',
    (b) => b.contents[1].parts.unshift({ text: 'x', thought: true }),
    /not to be sent back/,
  ),
  rule(['google'], 'arguments an object', (b) => (b.contents[1].parts[1].functionCall.args = '{}'), /Struct/),
  rule(['google'], 'response an object', (b) => (b.contents[2].parts[0].functionResponse.response = 'x'), /Struct/),
  rule(['google'], 'calls are the model’s', (b) => (b.contents[1].role = 'user'), /must be of the model/),
  rule(['google'], 'responses are the user’s', (b) => (b.contents[2].role = 'model'), /must be of the user/),
  rule(['google'], 'alternation', (b) => b.contents.splice(1, 0, b.contents[0]), /alternate/),
  rule(['google'], 'user begins', (b) => b.contents.shift(), /alternate/),
  rule(['google'], 'user ends', (b) => b.contents.pop(), /last content/),
  rule(['google'], 'as many responses', (b) => b.contents[2].parts.pop(), /number of function response parts/),
  rule(['google'], 'the order of responses', (b) => b.contents[2].parts.reverse(), /not that of call 0/),
  rule(['google'], 'responses first', (b) => b.contents[2].parts.unshift({ text: 'So:' }), /must come first/),
  rule(
    ['google'],
    'a signature in a loop',
    (b) => delete b.contents[1].parts[1].thoughtSignature,
    /missing a thought_signature/,
  ),
  rule(
    ['google'],
    'its own, not the bypass',
    (b) => (b.contents[1].parts[1].thoughtSignature = 'skip_thought_signature_validator'),
    /must come back/,
  ),
  rule(
    ['google'],
    'the first call has it',
    (b) => (b.contents[1].parts[2].thoughtSignature = b.contents[1].parts[1].thoughtSignature),
    /Corrupted/,
  ),
  rule(['google'], 'no other in text', (b) => (b.contents[1].parts[0].thoughtSignature = 'x'), /Corrupted/),
];

const ollama = [
  rule(['ollama'], 'keys of a message', (b) => (b.messages[1].reasoning = 'x'), /unknown field "messages.reasoning"/),
  rule(['ollama'], 'roles', (b) => (b.messages[0].role = 'human'), /invalid role/),
  rule(['ollama'], 'content is text', (b) => (b.messages[1].content = null), /cannot unmarshal/),
  rule(
    ['ollama'],
    'keys of a call',
    (b) => (b.messages[1].tool_calls[0].name = 'x'),
    /unknown field "tool_calls.name"/,
  ),
  rule(
    ['ollama'],
    'arguments an object',
    (b) => (b.messages[1].tool_calls[0].function.arguments = '{}'),
    /cannot unmarshal/,
  ),
  rule(['ollama'], 'a result for each', (b) => b.messages.pop(), /no results/),
  rule(['ollama'], 'results at once', (b) => b.messages.splice(3, 0, b.messages[0]), /no results/),
  rule(['ollama'], 'names of results', (b) => delete b.messages[2].tool_name, /not called/),
  rule(
    ['ollama'],
    'no thinking of others',
    (b) => b.messages.push({ role: 'assistant', content: 'x', thinking: 'y' }, b.messages[0]),
    /was not issued/,
  ),
  rule(['ollama'], 'thinking in a loop', (b) => delete b.messages[1].thinking, /is missing/),
  rule(['ollama'], 'thinking as issued', (b) => (b.messages[1].thinking += '.'), /or another/),
];

const cohere = [
  rule(['cohere'], 'keys of a message', (b) => (b.messages[1].reasoning = 'x'), /unknown field 'reasoning'/),
  rule(['cohere'], 'roles', (b) => (b.messages[0].role = 'developer'), /invalid role/),
  rule(
    ['cohere'],
    'no text beside calls',
    (b) => (b.messages[1].content = 'Let me see.'),
    /text content is not allowed/,
  ),
  rule(['cohere'], 'no empty content', (b) => (b.messages[1].content[0].thinking = ''), /empty content/),
  rule(['cohere'], 'kinds of content', (b) => (b.messages[1].content[0].type = 'reasoning'), /invalid content type/),
  rule(
    ['cohere'],
    'no answer of nothing',
    (b) => b.messages.splice(1, 3, { role: 'assistant' }, b.messages[0]),
    /must have content/,
  ),
  rule(
    ['cohere'],
    'no plan without calls',
    (b) => b.messages.splice(1, 3, { role: 'assistant', content: 'x', tool_plan: 'y' }, b.messages[0]),
    /tool_plan without/,
  ),
  rule(['cohere'], 'keys of a call', (b) => (b.messages[1].tool_calls[0].index = 0), /unknown field 'index'/),
  rule(
    ['cohere'],
    'arguments are text',
    (b) => (b.messages[1].tool_calls[0].function.arguments = {}),
    /must be a string/,
  ),
  rule(['cohere'], 'whole calls', (b) => delete b.messages[1].tool_calls[0].type, /incomplete tool call/),
  rule(['cohere'], 'a result for each', (b) => b.messages.pop(), /missing tool results/),
  rule(['cohere'], 'results at once', (b) => b.messages.splice(3, 0, b.messages[0]), /missing tool results/),
  rule(['cohere'], 'no strange result', (b) => (b.messages[2].tool_call_id = 'x'), /of no call before it/),
  rule(['cohere'], 'results say something', (b) => (b.messages[2].content = ''), /must have content/),
  rule(
    ['cohere'],
    'assistant does not end',
    (b) => b.messages.push({ role: 'assistant', content: 'x' }),
    /last message/,
  ),
  rule(['cohere'], 'thinking as issued', (b) => (b.messages[1].content[0].thinking += '.'), /thinking was not issued/),
  rule(['cohere'], 'thinking in a loop', (b) => delete b.messages[1].content, /thinking was not issued/),
  rule(['cohere'], 'own plan as issued', (b) => (b.messages[1].tool_plan = 'x'), /plan was not issued/),
  rule(
    ['cohere'],
    'ids come back',
    (b) => (b.messages[1].tool_calls[0].id = b.messages[2].tool_call_id = 'x'),
    /not the call ids that were issued/,
  ),
];

const all = [rule(ALL, 'keys of the body', (b) => (b.frobnicate = 1), /frobnicate/)];

/** Every rule of every fake, broken once. */
export const BROKEN: readonly Broken[] = [...all, ...anthropic, ...responses, ...chat, ...google, ...ollama, ...cohere];
