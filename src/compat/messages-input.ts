import type { CompletionInput } from '../chat/complete.ts';
import { toUserParts } from '../chat/content.ts';
import { plainText } from '../http/messages.ts';
import type {
  AssistantPart,
  Effort,
  FilePart,
  ImagePart,
  Media,
  Message,
  Origin,
  Sampling,
  Tool,
  ToolCall,
  ToolChoice,
  UserPart,
} from '../providers/chat-model.ts';
import { type Carried, isCarried, readCarried } from './messages-carrier.ts';
import type { CountTokensInput, MessagesInput } from './messages-schema.ts';

type Param = CountTokensInput['messages'][number];
type Block<Role> = Exclude<Extract<Param, { role: Role }>['content'], string>[number];
type UserBlock = Block<'user'>;
type PartBlock =
  | Exclude<UserBlock, { type: 'tool_result' }>
  | Exclude<Extract<UserBlock, { type: 'tool_result' }>['content'], string | undefined>[number];
type MediaSource = Exclude<Extract<PartBlock, { type: 'image' | 'document' }>['source'], { type: 'content' }>;

/** The budgets of thinking up to which each effort goes, in tokens. */
const BUDGETS: readonly (readonly [number, Effort])[] = [
  [1024, 'low'],
  [8192, 'medium'],
  [24_576, 'high'],
];

/** Fields that change an answer at Anthropic's and nothing here. */
const NOT_HERE = ['context_management', 'speed', 'inference_geo', 'safeguards'] as const;

/**
 * A request in the common form.
 * @param target the model that it is for: bare signatures are taken for its own.
 * @returns `warnings`: what of it is not done, whichever the model.
 */
export function toCompletionInput(body: MessagesInput, target: Origin): { input: CompletionInput; warnings: string[] } {
  const warnings: string[] = NOT_HERE.flatMap((name) =>
    body[name] === undefined || body[name] === null ? [] : [`${name}: there is no such thing here; left out`],
  );
  if (hasCitations(body)) warnings.push('citations: answers have none; left out');
  const choice = body.tool_choice ?? undefined;
  const format = body.output_config?.format ?? body.output_format ?? undefined;
  const sampling = toSampling(body);
  const effort = toEffort(body, warnings);
  const input: CompletionInput = {
    ...toPrompt(body, target),
    model: body.model,
    maxTokens: body.max_tokens,
    stream: body.stream ?? false,
    ...(body.temperature === undefined || body.temperature === null ? {} : { temperature: body.temperature }),
    ...(choice ? { toolChoice: toToolChoice(choice) } : {}),
    ...(choice && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use
      ? { parallelToolCalls: false }
      : {}),
    ...(effort === undefined ? {} : { effort }),
    ...(Object.keys(sampling).length === 0 ? {} : { sampling }),
    ...(format
      ? { responseFormat: { type: 'json-schema', name: 'answer', schema: format.schema, strict: true } as const }
      : {}),
  };
  return { input, warnings };
}

/** What the model reads: the messages, the system prompt first, and the tools. */
export function toPrompt(body: CountTokensInput, target: Origin): { messages: Message[]; tools: Tool[] } {
  const system = plainText(body.system ?? '');
  const names = new Map<string, string>();
  return {
    messages: [
      ...(system === '' ? [] : [{ role: 'system', text: system } as const]),
      ...body.messages.flatMap((message) => toMessages(message, names, target)),
    ],
    tools: (body.tools ?? []).map(({ name, description, input_schema: parameters, strict }) => ({
      name,
      description,
      parameters,
      ...(strict ? { strict } : {}),
    })),
  };
}

/** @param names of the calls so far, by their ids; grows. */
function toMessages(message: Param, names: Map<string, string>, target: Origin): Message[] {
  const { role, content } = message;
  if (role === 'system') return [{ role, text: plainText(content) }];
  if (typeof content === 'string') return [{ role, parts: content === '' ? [] : [{ type: 'text', text: content }] }];
  if (role === 'user') return toUserMessages(message.content as UserBlock[], names);
  const blocks = message.content as Block<'assistant'>[];
  for (const block of blocks) if (block.type === 'tool_use') names.set(block.id, block.name);
  return [{ role, parts: toAssistantParts(blocks, target) }];
}

/** Results go to their calls before anything that is said after them. */
function toUserMessages(blocks: UserBlock[], names: ReadonlyMap<string, string>): Message[] {
  const results: Message[] = [];
  const parts: UserPart[] = [];
  for (const block of blocks) {
    if (block.type !== 'tool_result') {
      parts.push(...toParts(block));
      continue;
    }
    const content =
      typeof block.content === 'string' ? toUserParts(block.content) : (block.content ?? []).flatMap(toParts);
    const media = content.filter((part): part is ImagePart | FilePart => part.type !== 'text');
    results.push({
      role: 'tool',
      toolCallId: block.tool_use_id,
      toolName: names.get(block.tool_use_id) ?? '',
      text: plainText(content.filter((part) => part.type === 'text')),
      ...(block.is_error ? { isError: true } : {}),
      ...(media.length > 0 ? { media } : {}),
    });
  }
  return parts.length > 0 ? [...results, { role: 'user', parts }] : results;
}

function toParts(block: PartBlock): UserPart[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }];
    case 'image':
      return [{ type: 'image', media: toMedia(block.source) }];
    case 'search_result':
      return [{ type: 'text', text: [block.title, block.source, plainText(block.content)].join('\n\n') }];
    case 'tool_reference':
      return [{ type: 'text', text: `The tool ${block.tool_name} can be used.` }];
    case 'document':
      return toDocument(block);
  }
}

function toDocument({ source, title, context }: Extract<PartBlock, { type: 'document' }>): UserPart[] {
  const before = context ? [{ type: 'text', text: context } as const] : [];
  if (source.type !== 'content')
    return [...before, { type: 'file', media: toMedia(source), ...(title ? { filename: title } : {}) }];
  const heading = title ? [{ type: 'text', text: title } as const] : [];
  const pieces = typeof source.content === 'string' ? toUserParts(source.content) : source.content.flatMap(toParts);
  return [...before, ...heading, ...pieces];
}

function toMedia(source: MediaSource): Media {
  if (source.type === 'url') return { url: source.url };
  const data = source.type === 'text' ? Buffer.from(source.data).toString('base64') : source.data;
  return { data, mediaType: source.media_type };
}

function toAssistantParts(blocks: Block<'assistant'>[], target: Origin): AssistantPart[] {
  const parts: AssistantPart[] = [];
  const ofCalls = new Map<string, Carried>();
  for (const block of blocks) {
    switch (block.type) {
      case 'text':
        parts.push({ type: 'text', text: block.text });
        break;
      case 'thinking':
        parts.push(thoughtOf(block.thinking, block.signature, 'signature', target));
        break;
      case 'redacted_thinking': {
        const carried = isCarried(block.data) ? readCarried(block.data) : undefined;
        if (carried?.call !== undefined) ofCalls.set(carried.call, carried);
        else if (carried?.text !== undefined) giveBack(parts, carried);
        else parts.push(thoughtOf('', block.data, 'redacted', target));
        break;
      }
      case 'tool_use':
        parts.push({ type: 'tool-call', call: toCall(block, ofCalls.get(block.id)) });
    }
  }
  return parts;
}

/** Anthropic's own opaque text does not say which model it is of: that which is asked, since others would refuse it. */
function thoughtOf(text: string, opaque: string, name: 'signature' | 'redacted', { model }: Origin): AssistantPart {
  if (isCarried(opaque)) return { type: 'reasoning', text, ...provenance(readCarried(opaque)) };
  if (opaque === '') return { type: 'reasoning', text };
  return { type: 'reasoning', text, origin: { provider: 'anthropic', model }, data: { [name]: opaque } };
}

function giveBack(parts: AssistantPart[], carried: Carried): void {
  const last = parts.at(-1);
  if (carried.text === 'empty') parts.push({ type: 'text', text: '', ...provenance(carried) });
  else if (last?.type === 'text') Object.assign(last, provenance(carried));
}

function toCall({ id, name, input }: Extract<Block<'assistant'>, { type: 'tool_use' }>, carried?: Carried): ToolCall {
  const invalid = carried?.invalidArguments;
  return {
    ...{ id, name, arguments: input },
    ...(invalid === undefined ? {} : { invalidArguments: invalid }),
    ...provenance(carried),
  };
}

function provenance({ origin, data }: Carried = {}): Pick<Carried, 'origin' | 'data'> {
  return { ...(origin ? { origin } : {}), ...(data ? { data } : {}) };
}

function toToolChoice(choice: NonNullable<MessagesInput['tool_choice']>): ToolChoice {
  if (choice.type === 'tool') return { name: choice.name };
  return choice.type === 'any' ? 'required' : choice.type;
}

function toSampling({ top_p: topP, top_k: topK, stop_sequences: stop }: MessagesInput): Sampling {
  return {
    ...(typeof topP === 'number' ? { topP } : {}),
    ...(typeof topK === 'number' ? { topK } : {}),
    ...(stop && stop.length > 0 ? { stop } : {}),
  };
}

/** An effort that is named comes before one that a budget amounts to. Adaptive thinking alone is that of `high`. */
function toEffort({ thinking, output_config: config }: MessagesInput, warnings: string[]): Effort | undefined {
  const named = config?.effort ?? undefined;
  if (thinking?.type === 'disabled') {
    if (named !== undefined) warnings.push('output_config.effort: thinking is disabled; left out');
    return undefined;
  }
  if (named !== undefined) return named === 'xhigh' ? 'max' : named;
  if (thinking?.type === 'adaptive') return 'high';
  if (thinking?.type !== 'enabled') return undefined;
  return BUDGETS.find(([most]) => thinking.budget_tokens <= most)?.[1] ?? 'max';
}

function hasCitations({ messages }: MessagesInput): boolean {
  return messages.some(
    ({ content }) =>
      typeof content !== 'string' &&
      content.some(
        (block) => (block.type === 'document' || block.type === 'search_result') && block.citations?.enabled,
      ),
  );
}
