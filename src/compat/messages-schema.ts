import { z } from 'zod';
import { readMedia } from '../chat/content.ts';
import { asObject } from '../core/json.ts';
import { ShallowObject } from '../http/messages.ts';
import { MaxTokens, ModelName, Temperature, text } from '../http/schemas.ts';
import { isCarried, readCarried } from './messages-carrier.ts';
import { clientTool } from './messages-client-tools.ts';

const MAX_MESSAGES = 10_000;
/** Clients with many servers of tools have hundreds. A provider may take fewer, and says so. */
const MAX_TOOLS = 1000;

/** Taken and not used: marks are set by a rule of our own. */
const CacheControl = z.looseObject({ type: z.literal('ephemeral') }).nullish();
const cached = { cache_control: CacheControl };
/** Fields that answers of Anthropic's own tools have; clients send them back with a block. */
const Ignored = z.unknown().optional();

const TextBlock = z.strictObject({ type: z.literal('text'), text: z.string(), citations: Ignored, ...cached });

const Base64Source = z
  .strictObject({ type: z.literal('base64'), media_type: text(100), data: text(Number.MAX_SAFE_INTEGER) })
  .refine(({ media_type, data }) => readMedia(`data:${media_type};base64,${data}`), {
    path: ['data'],
    error: 'must be base64 of a media type such as image/png',
  });
const UrlSource = z.strictObject({
  type: z.literal('url'),
  url: z.string().refine(readMedia, 'must be an https URL'),
});
const PlainSource = z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() });

const ImageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [Base64Source, UrlSource], {
    error: 'must be of the type base64 or url; files are not kept here',
  }),
  ...cached,
});
/** A document in pieces, as those that clients have cut up themselves. */
const PiecesSource = z.strictObject({
  type: z.literal('content'),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [TextBlock, ImageBlock]))]),
});
const DocumentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [Base64Source, UrlSource, PlainSource, PiecesSource], {
    error: 'must be of the type base64, url, text or content; files are not kept here',
  }),
  title: text(500).nullish(),
  context: z.string().nullish(),
  citations: z.looseObject({ enabled: z.boolean().optional() }).nullish(),
  ...cached,
});

const SearchResultBlock = z.strictObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(TextBlock),
  citations: z.looseObject({ enabled: z.boolean().optional() }).nullish(),
  ...cached,
});
/** What a client's search for tools has found: all tools are sent anyway. */
const ToolReferenceBlock = z.strictObject({ type: z.literal('tool_reference'), tool_name: text(200), ...cached });

const ToolResultBlock = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: text(500),
  content: z
    .union([
      z.string(),
      z.array(
        z.discriminatedUnion('type', [TextBlock, ImageBlock, DocumentBlock, SearchResultBlock, ToolReferenceBlock], {
          error: 'must be of the type text, image, document, search_result or tool_reference',
        }),
      ),
    ])
    .optional(),
  is_error: z.boolean().optional(),
  toolset_name: Ignored,
  ...cached,
});

const Opaque = z
  .string()
  .refine((value) => !isCarried(value) || readCarried(value), 'must be sent back as it came; it has been changed');

const AssistantBlock = z.discriminatedUnion(
  'type',
  [
    TextBlock,
    z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: Opaque }),
    z.strictObject({ type: z.literal('redacted_thinking'), data: Opaque }),
    z.strictObject({
      type: z.literal('tool_use'),
      id: text(500),
      name: text(200),
      input: ShallowObject,
      caller: Ignored,
      toolset_name: Ignored,
      ...cached,
    }),
  ],
  { error: 'must be of the type text, thinking, redacted_thinking or tool_use' },
);
const UserBlock = z.discriminatedUnion(
  'type',
  [TextBlock, ImageBlock, DocumentBlock, SearchResultBlock, ToolResultBlock],
  { error: 'must be of the type text, image, document, search_result or tool_result' },
);

const MessageParam = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(UserBlock)]) }),
    z.strictObject({ role: z.literal('assistant'), content: z.union([z.string(), z.array(AssistantBlock)]) }),
    z.strictObject({ role: z.literal('system'), content: z.union([z.string(), z.array(TextBlock)]) }),
  ],
  { error: 'must be user, assistant or system' },
);

const CustomTool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, _ or -'),
  description: z.string().max(100_000).optional(),
  input_schema: ShallowObject.refine(({ type }) => type === 'object', 'must be a JSON Schema of type object'),
  strict: z.boolean().nullish(),
  input_examples: Ignored,
  eager_input_streaming: Ignored,
  allowed_callers: Ignored,
  defer_loading: Ignored,
  ...cached,
});
const Tool = z.preprocess((tool, context) => {
  const type = asObject(tool).type ?? 'custom';
  if (type === 'custom') return tool;
  const described = clientTool(type);
  if (described) {
    const { max_characters: _, ...given } = asObject(tool);
    return { ...given, ...described, type: 'custom' };
  }
  const message =
    `${String(type).slice(0, 100)} is a tool of Anthropic’s own, which there is not here; ` +
    'offer one of yours with an input_schema';
  context.addIssue({ code: 'custom', path: ['type'], message });
  return z.NEVER;
}, CustomTool);

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const ToolChoice = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('auto'), ...parallel }),
    z.strictObject({ type: z.literal('any'), ...parallel }),
    z.strictObject({ type: z.literal('tool'), name: text(128), ...parallel }),
    z.strictObject({ type: z.literal('none') }),
  ],
  { error: 'must be auto, any, tool or none' },
);

const thinkingFields = { display: Ignored, block_binding: Ignored };
const Thinking = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1), ...thinkingFields }),
    z.strictObject({ type: z.literal('adaptive'), ...thinkingFields }),
    z.strictObject({ type: z.literal('between_tools') }),
    z.strictObject({ type: z.literal('disabled') }),
  ],
  { error: 'must be enabled, adaptive, between_tools or disabled' },
);

const Format = z.strictObject({ type: z.literal('json_schema'), schema: ShallowObject });
const OutputConfig = z.strictObject({
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  format: Format.nullish(),
  task_budget: Ignored,
});

/** Well known, and needs something that is not here; an empty list asks for nothing. */
function refused(why: string) {
  return z.union([z.null({ error: why }), z.tuple([], { error: why })]).optional();
}

/** What is asked of a model, counted or answered. */
const Prompt = {
  model: ModelName.describe('An id, `provider/model` or an alias.'),
  messages: z
    .array(MessageParam)
    .min(1, 'must have at least one message')
    .max(MAX_MESSAGES, `must have at most ${MAX_MESSAGES} messages`),
  system: z.union([z.string(), z.array(TextBlock)]).nullish(),
  tools: z
    .array(Tool)
    .max(MAX_TOOLS)
    .refine((tools) => new Set(tools.map(({ name }) => name)).size === tools.length, 'names must differ')
    .nullish(),
  tool_choice: ToolChoice.nullish(),
  thinking: Thinking.nullish(),
  output_config: OutputConfig.nullish(),
  output_format: Format.nullish().describe('The older name of `output_config.format`.'),
  cache_control: CacheControl,
  context_management: Ignored,
  speed: Ignored,
  user_profile_id: Ignored,
  workspace_id: Ignored,
  betas: Ignored,
  anthropic_beta: Ignored,
  anthropic_version: Ignored,
  thread: Ignored.describe('Refused, in a way that makes clients send the whole conversation instead.'),
  mcp_servers: refused('servers of tools are set up at this server (POST /api/chat/mcp/servers), for its own runs'),
};

const Body = z.strictObject({
  ...Prompt,
  max_tokens: MaxTokens,
  stream: z.boolean().nullish(),
  temperature: Temperature.nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  stop_sequences: z.array(text(1000)).max(100).nullish(),
  metadata: Ignored,
  service_tier: Ignored,
  inference_geo: Ignored,
  diagnostics: Ignored,
  safeguards: Ignored,
  container: refused('there are no containers here; leave it out'),
  fallbacks: refused('name other models with `fallbacks` of POST /api/chat/completions'),
});
const CountBody = z.strictObject(Prompt);

type Prompted = Pick<z.output<typeof CountBody>, 'messages' | 'tools' | 'tool_choice'>;

function checkTogether({ value, issues }: z.core.ParsePayload<Prompted>): void {
  const say = (path: (string | number)[], message: string): void => {
    issues.push({ code: 'custom', path, message, input: value });
  };
  const { messages, tool_choice: choice } = value;
  const tools = value.tools ?? [];
  const calls = new Set<string>();
  for (const [i, { role, content }] of messages.entries()) {
    if (typeof content === 'string') continue;
    for (const [j, block] of content.entries()) {
      if (role === 'assistant' && block.type === 'tool_use') calls.add(block.id);
      if (block.type === 'tool_result' && !calls.has(block.tool_use_id))
        say(['messages', i, 'content', j, 'tool_use_id'], 'no tool_use block before it has this id');
    }
  }
  if (choice?.type === 'any' && tools.length === 0) say(['tool_choice'], 'any needs tools');
  if (choice?.type === 'tool' && !tools.some(({ name }) => name === choice.name))
    say(['tool_choice', 'name'], 'must be the name of one of the tools');
}

/** The body of `POST /v1/messages`. @see https://docs.anthropic.com/en/api/messages */
export const MessagesBody = Body.check(checkTogether);

/** The body of `POST /v1/messages/count_tokens`. */
export const CountTokensBody = CountBody.check(checkTogether);

/** A request for an answer, validated. */
export type MessagesInput = z.output<typeof MessagesBody>;

/** What is to be counted, validated. */
export type CountTokensInput = z.output<typeof CountTokensBody>;

/** Clients add `?beta=true` where they use what Anthropic calls a beta. */
export const MessagesQuery = z.strictObject({ beta: z.string().optional() });

const Usage = z.object({
  input_tokens: z.int().describe('Without those that came from or went to a cache.'),
  output_tokens: z.int(),
  cache_creation_input_tokens: z.int(),
  cache_read_input_tokens: z.int(),
});

/** An answer. */
export const MessageResponse = z.object({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  content: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
      z.object({ type: z.literal('redacted_thinking'), data: z.string() }),
      z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: ShallowObject }),
    ]),
  ),
  stop_reason: z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'refusal']),
  stop_sequence: z.string().nullable(),
  usage: Usage,
});
