import { z } from 'zod';
import { assistantParts, type MessagePart } from '../chat/assistant-parts.ts';
import { type ContentPart, readMedia, toUserParts } from '../chat/content.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { misfits, PartsSchema, plainText, ToolCallSchema } from '../http/messages.ts';
import { text } from '../http/schemas.ts';
import type { Message, ToolCall, UserPart } from '../providers/chat-model.ts';
import { fileDataUrl, Ignored } from './openai-parameters.ts';

const MAX_MESSAGES = 2000;
const MAX_TEXT = 10_000_000;

/** Where an answer carries what its provider wants back with it; clients that keep a message whole send it back. */
export const CARRIER = 'profclaw';

/** Marks for a provider's cache, which the server sets by itself. */
const cached = { cache_control: Ignored };
const extra = {
  name: z.string().max(200).nullish().describe('Taken, and not sent on.'),
  id: Ignored,
  ...cached,
};
const TextPart = z.strictObject({ type: z.literal('text'), text: z.string().max(MAX_TEXT), ...cached });
const Texts = z.union([z.string().max(MAX_TEXT), z.array(TextPart)]);

const ImagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({
    url: z
      .string()
      .refine((url) => readMedia(url) !== undefined, 'must be a data URL with base64 or an https URL')
      .describe('A data URL with base64, or an https URL.'),
    detail: z.enum(['auto', 'low', 'high', 'original']).nullish().describe('A hint; not sent on.'),
  }),
  ...cached,
});

const FilePart = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({
    file_data: z
      .string({ error: 'is missing: files come inline, as a data URL with base64' })
      .refine(
        (data) => readMedia(fileDataUrl(data)) !== undefined,
        'must be a data URL with base64, or base64 of a PDF',
      ),
    filename: text(255).optional(),
    file_id: z.null({ error: 'no uploads are kept here: send file_data' }).optional(),
  }),
  ...cached,
});

const Part = z.discriminatedUnion('type', [TextPart, ImagePart, FilePart], {
  error: 'must be text, image_url or file; audio is not taken: send its transcript',
});
const UserContent = z.union([z.string().max(MAX_TEXT), z.array(Part).min(1, 'must have at least one part')]);
/** Of OpenAI's own only texts; some clients also give back pictures. */
const ResultContent = z.union([z.string().max(MAX_TEXT), z.array(Part)]).nullable();

/** A call, with what its provider wants back with it. */
const Call = z.strictObject({
  id: text(500),
  type: z.literal('function', { error: 'must be function: custom tools are not taken' }).default('function'),
  function: z.strictObject({
    name: text(200),
    arguments: z.string().max(MAX_TEXT),
    parsed_arguments: z.unknown().optional().describe('Of the client’s own helpers; not read.'),
  }),
  index: z.int().optional(),
  provider_specific_fields: Ignored,
  extra_content: z
    .looseObject({ [CARRIER]: ToolCallSchema.pick({ origin: true, data: true }).optional() })
    .nullish()
    .describe('As it came.'),
});

const Refusal = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });

const AssistantMessage = z
  .strictObject({
    role: z.literal('assistant'),
    content: z
      .union([z.string().max(MAX_TEXT), z.array(z.discriminatedUnion('type', [TextPart, Refusal])), z.null()])
      .optional(),
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish().describe('Another name of `reasoning_content`.'),
    tool_calls: z.array(Call).nullish(),
    extra_content: z
      .looseObject({ [CARRIER]: z.strictObject({ parts: PartsSchema }).optional() })
      .nullish()
      .describe('As it came.'),
    function_call: z.null({ error: 'is gone: use tool_calls' }).optional(),
    audio: z.null({ error: 'audio is not taken' }).optional(),
    annotations: z.unknown().optional().describe('Not read.'),
    parsed: z.unknown().optional().describe('Of the client’s own helpers; not read.'),
    provider_specific_fields: Ignored,
    reasoning_details: Ignored,
    thinking_blocks: Ignored,
    ...extra,
  })
  .superRefine((message, context) => {
    const calls = message.tool_calls ?? [];
    const carried = message.extra_content?.[CARRIER];
    if (saidBy(message) === '' && typeof message.content !== 'string' && calls.length === 0 && !carried)
      context.addIssue({ code: 'custom', message: 'must have content or tool_calls' });
    if (new Set(calls.map(({ id }) => id)).size < calls.length)
      context.addIssue({ code: 'custom', path: ['tool_calls'], message: 'ids must differ' });
  });

const MessageSchema = z
  .discriminatedUnion(
    'role',
    [
      z.strictObject({ role: z.literal('system'), content: Texts, ...extra }),
      z.strictObject({ role: z.literal('developer'), content: Texts, ...extra }),
      z.strictObject({ role: z.literal('user'), content: UserContent, ...extra }),
      AssistantMessage,
      z.strictObject({ role: z.literal('tool'), tool_call_id: text(500), content: ResultContent, ...extra }),
    ],
    { error: 'must be system, developer, user, assistant or tool; in place of function, use tools and the role tool' },
  )
  .meta({ id: 'ChatCompletionMessage' });

type InMessage = z.output<typeof MessageSchema>;
type ToolResult = Extract<Message, { role: 'tool' }>;

/** Is it something to answer? */
function asks(message: InMessage): boolean {
  if (message.role === 'user') return userParts(message.content).length > 0;
  return message.role !== 'system' && message.role !== 'developer';
}

/** The messages of a chat completion. */
export const ChatMessages = z
  .array(MessageSchema)
  .min(1, 'must have at least one message')
  .max(MAX_MESSAGES, `must have at most ${MAX_MESSAGES} messages`)
  .superRefine((messages, context) => {
    if (messages.length > 0 && !messages.some(asks))
      context.addIssue({
        code: 'custom',
        message: 'must have at least one message that is neither empty nor a system message',
      });
    const ids = new Set<string>();
    for (const [index, message] of messages.entries()) {
      if (message.role === 'assistant') for (const { id } of message.tool_calls ?? []) ids.add(id);
      if (message.role !== 'tool' || ids.has(message.tool_call_id)) continue;
      const id = JSON.stringify(message.tool_call_id);
      context.addIssue({
        code: 'custom',
        path: [index, 'tool_call_id'],
        message: `no assistant message before it has a tool call with the id ${id}`,
      });
    }
  });

/** Brings validated messages into the form that the wires out lower from. */
export function toChatMessages(messages: readonly InMessage[]): Message[] {
  const names = new Map<string, string>();
  const found: Message[] = [];
  for (const message of messages) {
    if (message.role === 'assistant') {
      for (const call of message.tool_calls ?? []) names.set(call.id, call.function.name);
      found.push(toAssistant(message));
    } else if (message.role === 'user') {
      found.push({ role: 'user', parts: userParts(message.content) });
    } else if (message.role === 'tool') {
      const { tool_call_id: toolCallId } = message;
      found.push({ role: 'tool', toolCallId, toolName: names.get(toolCallId) ?? '', ...toResult(message.content) });
    } else {
      const prompt = plainText(message.content);
      // Some clients send an empty one, which providers refuse.
      if (prompt !== '') found.push({ role: 'system', text: prompt });
    }
  }
  return found;
}

function toAssistant(message: z.output<typeof AssistantMessage>): Message {
  const toolCalls = (message.tool_calls ?? []).map(toCall);
  const content = saidBy(message);
  const carried = message.extra_content?.[CARRIER]?.parts;
  // A client may have shortened the history: then what it says counts.
  const parts = carried && misfits({ content, toolCalls, parts: carried }).length === 0 ? carried : undefined;
  if (parts) return { role: 'assistant', parts: assistantParts({ content, toolCalls, parts: parts as MessagePart[] }) };
  const reasoning = message.reasoning_content ?? message.reasoning ?? '';
  return {
    role: 'assistant',
    parts: [
      ...(reasoning === '' ? [] : [{ type: 'reasoning', text: reasoning } as const]),
      ...assistantParts({ content, toolCalls }),
    ],
  };
}

function saidBy({ content, refusal }: Pick<z.output<typeof AssistantMessage>, 'content' | 'refusal'>): string {
  if (typeof content === 'string' && content !== '') return content;
  const said = Array.isArray(content)
    ? content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('\n\n')
    : '';
  return said === '' ? (refusal ?? '') : said;
}

function toCall({ id, function: { name, arguments: written }, extra_content }: z.output<typeof Call>): ToolCall {
  const { origin, data } = extra_content?.[CARRIER] ?? {};
  const call = { id, name, ...(origin ? { origin } : {}), ...(data ? { data } : {}) };
  const given = written.trim() === '' ? {} : readObject(written);
  return given ? { ...call, arguments: given } : { ...call, arguments: {}, invalidArguments: written };
}

function readObject(written: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Some clients send empty texts, which providers refuse. */
function userParts(content: z.output<typeof UserContent>): UserPart[] {
  const parts: ContentPart[] = typeof content === 'string' ? [{ type: 'text', text: content }] : contentParts(content);
  return toUserParts(parts).filter((part) => part.type !== 'text' || part.text !== '');
}

function toResult(content: z.output<typeof ResultContent>): Pick<ToolResult, 'text' | 'media'> {
  if (typeof content === 'string' || content === null) return { text: content ?? '' };
  const parts = toUserParts(contentParts(content));
  const media = parts.filter((part) => part.type !== 'text');
  return { text: plainText(parts.filter((part) => part.type === 'text')), ...(media.length > 0 ? { media } : {}) };
}

function contentParts(content: readonly z.output<typeof Part>[]): ContentPart[] {
  return content.map((part): ContentPart => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'image_url') return { type: 'image', image: part.image_url.url };
    const { file_data, filename } = part.file;
    return { type: 'file', file: fileDataUrl(file_data), filename };
  });
}
