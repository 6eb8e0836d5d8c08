import { z } from 'zod';
import { type ContentPart, readMedia, toUserParts } from '../chat/content.ts';
import { isObject, type JsonObject, tryParseJson } from '../core/json.ts';
import type { Issue } from '../errors.ts';
import { text } from '../http/schemas.ts';
import type { AssistantPart, FilePart, ImagePart, Message, ToolCall } from '../providers/chat-model.ts';
import type { Carried } from './messages-carrier.ts';
import { fileDataUrl } from './openai-parameters.ts';
import { readOpaque } from './responses-carrier.ts';

const MAX_ITEMS = 2000;
const MAX_TEXT = 10_000_000;

const Status = z.enum(['in_progress', 'completed', 'incomplete']).nullish();
const Id = z.string().max(500).nullish();
const Text = z.string().max(MAX_TEXT);

const InputText = z.strictObject({ type: z.literal('input_text'), text: Text });
const InputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: z
    .string({ error: 'is missing: pictures come as a data URL with base64 or an https URL' })
    .refine((url) => readMedia(url) !== undefined, 'must be a data URL with base64 or an https URL'),
  file_id: z.null({ error: 'no uploads are kept here: send image_url' }).optional(),
  detail: z.enum(['auto', 'low', 'high', 'original']).nullish().describe('A hint; not sent on.'),
});
const InputFile = z
  .strictObject({
    type: z.literal('input_file'),
    file_data: z.string().nullish(),
    file_url: z.string().nullish(),
    filename: text(255).nullish(),
    file_id: z.null({ error: 'no uploads are kept here: send file_data or file_url' }).optional(),
    detail: z.string().nullish(),
  })
  .superRefine((part, context) => {
    if (readMedia(fileUrl(part)) === undefined)
      context.addIssue({
        code: 'custom',
        message: 'must have file_data (a data URL with base64, or base64 of a PDF) or file_url (an https URL)',
      });
  });

const UserPart = z.discriminatedUnion('type', [InputText, InputImage, InputFile], {
  error: 'must be input_text, input_image or input_file',
});
const UserContent = z.union([text(MAX_TEXT), z.array(UserPart).min(1, 'must have at least one part')]);
const PromptContent = z.union([Text, z.array(InputText)]);
const Said = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('output_text'),
      text: Text,
      annotations: z.array(z.unknown()).nullish(),
      logprobs: z.array(z.unknown()).nullish(),
      parsed: z.unknown().optional().describe('Of the client’s own helpers; not read.'),
    }),
    z.strictObject({ type: z.literal('refusal'), refusal: Text }),
    InputText,
  ],
  { error: 'must be output_text or refusal' },
);

const message = { type: z.literal('message').optional(), id: Id, status: Status };
const MessageItem = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ ...message, role: z.literal('user'), content: UserContent }),
    z.strictObject({ ...message, role: z.literal('system'), content: PromptContent }),
    z.strictObject({ ...message, role: z.literal('developer'), content: PromptContent }),
    z.strictObject({
      ...message,
      role: z.literal('assistant'),
      content: z.union([Text, z.array(Said)]),
      phase: z.string().nullish().describe('Not sent on.'),
    }),
  ],
  { error: 'must be user, assistant, system or developer' },
);

const CallItem = z.strictObject({
  type: z.literal('function_call'),
  id: Id,
  call_id: text(500),
  name: text(200),
  arguments: Text,
  status: Status,
  namespace: z.null({ error: 'is not taken' }).optional(),
  caller: z.unknown().optional().describe('Not sent on.'),
  parsed_arguments: z.unknown().optional().describe('Of the client’s own helpers; not read.'),
});
const ResultItem = z.strictObject({
  type: z.literal('function_call_output'),
  id: Id,
  call_id: text(500),
  output: z.union([Text, z.array(UserPart)]),
  status: Status,
  caller: z.unknown().optional().describe('Not sent on.'),
  name: z.string().nullish(),
});
const CustomCallItem = z
  .strictObject({
    type: z.literal('custom_tool_call'),
    id: Id,
    call_id: text(500),
    name: text(200),
    input: Text,
    status: Status,
    namespace: z.null({ error: 'is not taken' }).optional(),
    caller: z.unknown().optional().describe('Not sent on.'),
  })
  // The model has it as a function of a text.
  .transform(({ type: _, input, ...item }) => ({
    ...item,
    type: 'function_call' as const,
    arguments: JSON.stringify({ input }),
  }));
const CustomResultItem = ResultItem.extend({ type: z.literal('custom_tool_call_output') }).transform((item) => ({
  ...item,
  type: 'function_call_output' as const,
}));
const Piece = z.object({ text: Text });
const ReasoningItem = z.strictObject({
  type: z.literal('reasoning'),
  id: Id,
  summary: z.array(Piece).default([]),
  content: z.array(Piece).nullish(),
  encrypted_content: Text.nullish().describe('As it came.'),
  status: Status,
});

const ReferenceItem = z.strictObject({ type: z.literal('item_reference'), id: text(500) });

const ITEMS = {
  message: MessageItem,
  function_call: CallItem,
  function_call_output: ResultItem,
  custom_tool_call: CustomCallItem,
  custom_tool_call_output: CustomResultItem,
  reasoning: ReasoningItem,
  item_reference: ReferenceItem,
};
const TYPES = Object.keys(ITEMS);

/** One item, of which `type` says what it must look like; without one it is a message. */
const Item = z
  .looseObject({ type: z.string().optional() })
  .refine(({ type = 'message' }) => TYPES.includes(type), {
    path: ['type'],
    error: `must be ${TYPES.join(', ')}: items of built-in tools are not taken`,
    abort: true,
  })
  .transform((item, context) => {
    const schema = ITEMS[(item.type ?? 'message') as keyof typeof ITEMS];
    const { success, data, error } = schema.safeParse(item);
    if (success) return data;
    for (const { path, message } of error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });

/** An item of the input, validated. */
export type InputItem = z.output<typeof Item>;

/** An item that says itself what it is. */
export type OwnItem = Exclude<InputItem, { type: 'item_reference' }>;

/** Reads an item that we have given out. @throws ZodError if it is none. */
export function readItem(item: unknown): InputItem {
  return Item.parse(item);
}

/** The input of a response: a text, or items. */
export const ResponseInput = z.union([text(MAX_TEXT), z.array(z.unknown())]).transform((input, context) => {
  if (typeof input === 'string') return input;
  const parsed = z.array(Item).min(1, 'must have at least one item').max(MAX_ITEMS).safeParse(input);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  }
  if (parsed.data.every(isPrompt)) {
    context.addIssue({ code: 'custom', message: 'must have more than system messages' });
    return z.NEVER;
  }
  return parsed.data;
});

function isPrompt(item: InputItem): boolean {
  return 'role' in item && (item.role === 'system' || item.role === 'developer');
}

/** The complaints about outputs whose calls are not among the items before them. @param known further calls, by their ids. */
export function strayOutputs(items: readonly OwnItem[], known: readonly string[] = []): Issue[] {
  const calls = new Set<string>(known);
  return items.flatMap((item, index) => {
    if (item.type === 'function_call') calls.add(item.call_id);
    if (item.type !== 'function_call_output' || calls.has(item.call_id)) return [];
    const message = `no function_call before it has the call_id ${JSON.stringify(item.call_id)}`;
    return [{ path: `input.${index}.call_id`, message }];
  });
}

/** Brings validated input into the form that the wires out lower from. */
export function toResponseMessages(input: readonly OwnItem[]): Message[] {
  const out = new Gathered();
  for (const item of input) out.add(item);
  return out.messages;
}

/** Items of one answer become one message. */
class Gathered {
  readonly messages: Message[] = [];
  readonly #names = new Map<string, string>();
  /** What stands before its call. */
  readonly #ofCalls = new Map<string, Carried>();

  add(item: OwnItem): void {
    switch (item.type) {
      case 'function_call':
        this.#names.set(item.call_id, item.name);
        this.#said({ type: 'tool-call', call: toCall(item, this.#ofCalls.get(item.call_id)) });
        break;
      case 'function_call_output': {
        const { text: said, media } = toResult(item.output);
        const toolName = this.#names.get(item.call_id) ?? '';
        const result = { role: 'tool', toolCallId: item.call_id, toolName, text: said } as const;
        this.messages.push(media.length > 0 ? { ...result, media } : result);
        break;
      }
      case 'reasoning':
        this.#reasoning(item);
        break;
      default:
        this.#message(item);
    }
  }

  #message(item: z.output<typeof MessageItem>): void {
    if (item.role === 'user') this.messages.push({ role: 'user', parts: toUserParts(userContent(item.content)) });
    else if (item.role === 'assistant') {
      const said = typeof item.content === 'string' ? [item.content] : item.content.map(saidBy);
      for (const one of said) if (one !== '') this.#said({ type: 'text', text: one });
    } else {
      const prompt = typeof item.content === 'string' ? item.content : item.content.map(saidBy).join('\n\n');
      if (prompt !== '') this.messages.push({ role: 'system', text: prompt });
    }
  }

  #reasoning({ summary, content, encrypted_content }: z.output<typeof ReasoningItem>): void {
    const carried = readOpaque(encrypted_content);
    const { origin, data, call, text: place } = carried ?? {};
    const own = { ...(origin ? { origin } : {}), ...(data ? { data } : {}) };
    if (carried && call !== undefined) this.#ofCalls.set(call, carried);
    else if (place === 'empty') this.#said({ type: 'text', text: '', ...own });
    else if (place === 'before') {
      const before = this.#parts().at(-1);
      if (before?.type === 'text') Object.assign(before, own);
    } else {
      const said = (summary.length > 0 ? summary : (content ?? [])).map((piece) => piece.text).join('\n\n');
      if (said !== '' || data) this.#said({ type: 'reasoning', text: said, ...own });
    }
  }

  #said(part: AssistantPart): void {
    const parts = this.#parts();
    if (parts.length === 0) this.messages.push({ role: 'assistant', parts });
    parts.push(part);
  }

  /** Those of the last message, if it is an answer; else new ones. */
  #parts(): AssistantPart[] {
    const last = this.messages.at(-1);
    return last?.role === 'assistant' ? last.parts : [];
  }
}

function toCall(item: z.output<typeof CallItem>, carried: Carried | undefined): ToolCall {
  const { origin, data, invalidArguments } = carried ?? {};
  const call = { id: item.call_id, name: item.name, ...(origin ? { origin } : {}), ...(data ? { data } : {}) };
  if (invalidArguments !== undefined) return { ...call, arguments: {}, invalidArguments };
  const given: unknown = item.arguments.trim() === '' ? {} : tryParseJson(item.arguments);
  const read: JsonObject | undefined = isObject(given) ? given : undefined;
  return read ? { ...call, arguments: read } : { ...call, arguments: {}, invalidArguments: item.arguments };
}

function toResult(output: z.output<typeof ResultItem>['output']): { text: string; media: (ImagePart | FilePart)[] } {
  if (typeof output === 'string') return { text: output, media: [] };
  const parts = toUserParts(userContent(output));
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  return { text: texts.join('\n\n'), media: parts.flatMap((part) => (part.type === 'text' ? [] : [part])) };
}

function saidBy(part: z.output<typeof Said>): string {
  return part.type === 'refusal' ? part.refusal : part.text;
}

function userContent(content: z.output<typeof UserContent>): string | ContentPart[] {
  if (typeof content === 'string') return content;
  return content.map((part): ContentPart => {
    if (part.type === 'input_text') return { type: 'text', text: part.text };
    if (part.type === 'input_image') return { type: 'image', image: part.image_url };
    return { type: 'file', file: fileUrl(part), ...(part.filename ? { filename: part.filename } : {}) };
  });
}

function fileUrl({
  file_data: data,
  file_url: url,
}: Pick<z.output<typeof InputFile>, 'file_data' | 'file_url'>): string {
  return data ? fileDataUrl(data) : (url ?? '');
}
