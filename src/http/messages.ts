import { z } from 'zod';
import { type AssistantContent, assistantParts } from '../chat/assistant-parts.ts';
import { readMedia, toUserParts } from '../chat/content.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import type { Message, Tool } from '../providers/chat-model.ts';
import { text } from './schemas.ts';

const MAX_MESSAGES = 2000;
const MAX_NESTING = 100;

const isShallow = [
  (value: unknown) => isNestedAtMost(value, MAX_NESTING),
  // What else is checked may recurse.
  { error: `must be nested at most ${MAX_NESTING} levels deep`, abort: true },
] as const;

/** A data URL with base64, or an https URL. */
const MediaUrl = z
  .string()
  .refine(
    (url) => readMedia(url) !== undefined,
    'must be a data URL with base64 (data:image/png;base64,…) or an https URL',
  )
  .describe('A data URL with base64, or an https URL.');

const TextPart = z.strictObject({ type: z.literal('text'), text: text(10_000_000) });
const ImagePart = z.strictObject({ type: z.literal('image'), image: MediaUrl });
const FilePart = z.strictObject({ type: z.literal('file'), file: MediaUrl, filename: text(255).optional() });
/** What a user sends: text, or parts. */
export const ContentSchema = z.union([
  text(10_000_000),
  z.array(z.discriminatedUnion('type', [TextPart, ImagePart, FilePart])).min(1, 'must have at least one part'),
]);
const TextContent = z.union([text(10_000_000), z.array(TextPart).min(1, 'must have at least one part')]);

/** An object of any fields that can be stored and sent on, also of one named `__proto__`, which Zod's records lose. */
export const ShallowObject = z
  .custom<JsonObject>(isObject, {
    error: ({ input }) =>
      `Invalid input: expected object, received ${input === undefined ? 'undefined' : 'another type'}`,
    abort: true,
  })
  .refine(...isShallow)
  .meta({ type: 'object' });

const Opaque = ShallowObject.describe('What the provider wants back with this; opaque, to be sent back as it came.');

const provenance = {
  origin: z
    .strictObject({ provider: text(100), model: text(500) })
    .optional()
    .describe('Where it came from.'),
  data: Opaque.optional(),
};

/** A tool call as it is returned and taken back. */
export const ToolCallSchema = z
  .strictObject({
    id: text(500),
    name: text(200),
    arguments: ShallowObject,
    invalidArguments: z.string().optional().describe('What the model wrote, if it was not a JSON object.'),
    ...provenance,
  })
  .meta({ id: 'ToolCall' });

/** What an answer consists of, in order; there if `content` and `toolCalls` do not say all that should go back. */
export const PartsSchema = z
  .array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text'), text: z.string(), ...provenance }),
      z.strictObject({ type: z.literal('reasoning'), text: z.string(), ...provenance }),
      z.strictObject({ type: z.literal('tool-call'), id: text(500).describe('Of a call in `toolCalls`.') }),
    ]),
  )
  .meta({ id: 'Parts' });

const AssistantMessage = z
  .strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(TextPart), z.null()]).optional(),
    toolCalls: z.array(ToolCallSchema).optional(),
    parts: PartsSchema.optional().describe('As they came; they must fit content and toolCalls.'),
  })
  .superRefine((message, context) => {
    const { content, toolCalls = [], parts } = message;
    // An answer may be empty, and comes back as it was given.
    if (content === undefined || content === null || Array.isArray(content)) {
      const isNothing = (content?.length ?? 0) === 0 && toolCalls.length === 0 && !parts?.length;
      if (isNothing) context.addIssue({ code: 'custom', message: 'must have content, toolCalls or parts' });
    }
    for (const misfit of misfits(message)) context.addIssue({ code: 'custom', ...misfit });
  });

/** The complaints about an answer whose parts do not fit each other, so that no provider would take it back. */
export function misfits({
  content,
  toolCalls = [],
  parts,
}: {
  content?: string | { text: string }[] | null | undefined;
  toolCalls?: { id: string }[] | undefined;
  parts?: z.output<typeof PartsSchema> | undefined;
}): { path: string[]; message: string }[] {
  const ids = toolCalls.map((call) => call.id);
  const found = new Set(ids).size === ids.length ? [] : [{ path: ['toolCalls'], message: 'ids must differ' }];
  if (!parts) return found;
  const said = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  if (content !== undefined && content !== null && plainText(content) !== said) {
    const message = 'their text must be the content: send both as they came, or leave parts out';
    found.push({ path: ['parts'], message });
  }
  const named = parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : []));
  if (named.join('\n') !== ids.join('\n')) {
    found.push({ path: ['parts'], message: 'their tool calls must be those of toolCalls, in the same order' });
  }
  return found;
}

const MessageSchema = z
  .discriminatedUnion('role', [
    z.strictObject({ role: z.literal('system'), content: TextContent }),
    z.strictObject({ role: z.literal('user'), content: ContentSchema }),
    AssistantMessage,
    z.strictObject({
      role: z.literal('tool'),
      toolCallId: text(500),
      content: z.union([z.string(), z.array(TextPart)]),
    }),
  ])
  .meta({ id: 'Message' });

/** The messages of a request. */
export const MessagesSchema = z
  .array(MessageSchema)
  .min(1, 'must have at least one message')
  .max(MAX_MESSAGES, `must have at most ${MAX_MESSAGES} messages`)
  .refine(
    (messages) => messages.length === 0 || messages.some(({ role }) => role !== 'system'),
    'must have at least one message that is not a system message',
  );

/** A message as it comes in, validated. */
export type InputMessage = z.output<typeof MessageSchema>;

/** The complaints about results that answer no call of a message before them. */
export function strayResults(messages: readonly InputMessage[]): { path: (string | number)[]; message: string }[] {
  const calls = new Set<string>();
  return messages.flatMap((message, index) => {
    if (message.role === 'assistant') for (const call of message.toolCalls ?? []) calls.add(call.id);
    if (message.role !== 'tool' || calls.has(message.toolCallId)) return [];
    const id = JSON.stringify(message.toolCallId);
    return [
      {
        path: ['messages', index, 'toolCallId'],
        message: `no assistant message before it has a tool call with the id ${id}`,
      },
    ];
  });
}

/** The caller's own tools. */
export const ToolsSchema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
      description: z.string().max(10_000).optional(),
      parameters: z
        .looseObject({})
        .refine(...isShallow)
        .describe('A JSON Schema of type object.'),
      strict: z
        .boolean()
        .optional()
        .describe('Must the arguments fit the schema exactly, where the provider sees to that?'),
    }),
  )
  .max(128)
  .refine((tools) => new Set(tools.map((tool) => tool.name)).size === tools.length, 'names must differ');

/** May the model call tools, must it, or which. */
export const ToolChoiceSchema = text(64).describe('`auto`, `none`, `required`, or the name of one of the tools.');

/** Brings validated messages into the form that the wires lower from. */
export function toMessages(messages: readonly InputMessage[]): Message[] {
  const names = new Map<string, string>();
  const toMessage = (message: InputMessage): Message => {
    switch (message.role) {
      case 'system':
        return { role: 'system', text: plainText(message.content) };
      case 'user':
        return { role: 'user', parts: toUserParts(message.content) };
      case 'tool':
        return {
          role: 'tool',
          toolCallId: message.toolCallId,
          toolName: names.get(message.toolCallId) ?? '',
          text: plainText(message.content),
        };
      case 'assistant': {
        for (const call of message.toolCalls ?? []) names.set(call.id, call.name);
        return { role: 'assistant', parts: assistantParts(toAssistantContent(message)) };
      }
    }
  };
  return messages.map(toMessage);
}

/** An assistant's message as its sender has it from us. */
export function toAssistantContent({ content, toolCalls, parts }: z.output<typeof AssistantMessage>): AssistantContent {
  return { content: plainText(content ?? ''), toolCalls, parts } as AssistantContent;
}

/** Brings validated tools into the form that the wires lower from. */
export function toTools(tools: z.output<typeof ToolsSchema>): Tool[] {
  return tools.map(({ name, description, parameters, strict }) => ({
    ...{ name, description, parameters },
    ...(strict === undefined ? {} : { strict }),
  }));
}

/** The text of content that is text only. */
export function plainText(content: string | { text: string }[]): string {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('\n\n');
}
