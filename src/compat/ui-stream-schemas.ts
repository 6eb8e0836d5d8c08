import { z } from 'zod';
import { type Content, type ContentPart, readMedia } from '../chat/content.ts';
import type { ImportedMessage } from '../conversations/import.ts';
import { InvalidRequestError, type Issue } from '../errors.ts';
import { SecurityMode, ToolNames } from '../http/run-schemas.ts';
import { MaxTokens, ModelName, Temperature, text } from '../http/schemas.ts';
import { EFFORTS } from '../providers/chat-model.ts';

const MAX_MESSAGES = 2000;
const MAX_PARTS = 5000;

const UiPart = z.looseObject({ type: text(200) });

/** A message as the AI SDK's `UIMessage` has it. Only what is new is looked into. */
const UiMessageSchema = z
  .looseObject({
    id: text(500),
    role: z.enum(['system', 'user', 'assistant']),
    parts: z.array(UiPart).max(MAX_PARTS),
  })
  .meta({ id: 'UIMessage' });

/** A validated message of the body. */
export type UiMessage = z.output<typeof UiMessageSchema>;

/** What `DefaultChatTransport` posts, and our options, which an app adds with `body`. */
export const UiBody = z.strictObject({
  id: text(500).describe('Of the chat: any name that the app gave it, or the id of a conversation.'),
  messages: z.array(UiMessageSchema).min(1, 'must have at least one message').max(MAX_MESSAGES),
  trigger: z.enum(['submit-message', 'regenerate-message']).default('submit-message'),
  messageId: text(500).optional().describe('Of the message that is edited, regenerated or went on from.'),
  model: ModelName.optional(),
  securityMode: SecurityMode.default('ask'),
  effort: z.enum(EFFORTS).optional().describe('How hard to reason, and steps: low 5, medium 20, high 50, max 200.'),
  maxSteps: z.int().min(1).max(200).optional().describe('Absent: by the effort, else 20.'),
  tools: ToolNames.optional(),
  temperature: Temperature.optional(),
  maxTokens: MaxTokens.optional(),
  systemPrompt: text(1_000_000).optional().describe('Of the conversation from now on.'),
});

/** A validated body. */
export type UiInput = z.output<typeof UiBody>;

/** A person's answer to a question about a call, as a tool's part of an assistant's message has it. */
export interface UiApproval {
  id: string;
  approved: boolean;
  reason?: string | undefined;
}

const AnsweredPart = z.looseObject({
  state: z.literal('approval-responded'),
  approval: z.looseObject({ id: text(200), approved: z.boolean(), reason: z.string().max(10_000).optional() }),
});

/** The questions that a person has answered and whose calls have no result yet. */
export function answeredApprovals(message: UiMessage): UiApproval[] {
  return message.parts.flatMap((part) => {
    const { data } = AnsweredPart.safeParse(part);
    return data ? [data.approval] : [];
  });
}

/** What a user's message says. @param index where it stands in the body. @throws InvalidRequestError */
export function contentOf(message: UiMessage, index: number): Content {
  const issues: Issue[] = [];
  const parts = message.parts.flatMap((part, at) => {
    const read = partOf(part);
    if (Array.isArray(read)) return read;
    issues.push({ path: `messages.${index}.parts.${at}${read.path}`, message: read.message });
    return [];
  });
  if (issues.length === 0 && parts.length === 0)
    issues.push({ path: `messages.${index}.parts`, message: 'must have text or a file' });
  if (issues.length > 0) throw new InvalidRequestError(issues);
  const [first] = parts;
  return parts.length === 1 && first?.type === 'text' ? first.text : parts;
}

/** None: there is nothing in it for a model. */
function partOf(part: z.output<typeof UiPart>): ContentPart[] | Issue {
  // An app's own data is not for the model; the AI SDK leaves it out as well.
  if (part.type.startsWith('data-') || part.type === 'step-start') return [];
  if (part.type === 'text') {
    if (typeof part.text !== 'string') return { path: '.text', message: 'must be a string' };
    return part.text === '' ? [] : [{ type: 'text', text: part.text }];
  }
  if (part.type !== 'file') {
    const message = `a user’s message consists of text and file parts, not of ${JSON.stringify(part.type)}`;
    return { path: '.type', message };
  }
  const { url, mediaType, filename } = part;
  const media = typeof url === 'string' ? readMedia(url) : undefined;
  if (typeof url !== 'string' || !media) {
    return { path: '.url', message: 'must be a data URL with base64 (data:image/png;base64,…) or an https URL' };
  }
  const kind = 'mediaType' in media ? media.mediaType : `${mediaType}`;
  if (kind.startsWith('image/')) return [{ type: 'image', image: url }];
  return [{ type: 'file', file: url, ...(typeof filename === 'string' && filename !== '' ? { filename } : {}) }];
}

/** Messages of a chat that we do not know, to be kept: what was said, without calls and reasoning. @throws InvalidRequestError */
export function importedMessages(messages: readonly UiMessage[]): ImportedMessage[] {
  return messages.flatMap((message, index): ImportedMessage[] => {
    if (message.role === 'user') return [{ role: 'user', content: contentOf(message, index) }];
    const said = message.parts.flatMap(({ type, text: words }) =>
      type === 'text' && typeof words === 'string' && words !== '' ? [words] : [],
    );
    return said.length === 0 ? [] : [{ role: 'assistant', content: said.join('\n\n'), toolCalls: [] }];
  });
}

/** @throws InvalidRequestError for system messages, which a conversation has as its prompt. */
export function refuseSystem(messages: readonly UiMessage[]): void {
  const issues = messages.flatMap(({ role }, index) =>
    role === 'system'
      ? [{ path: `messages.${index}.role`, message: 'a chat has no system messages: send systemPrompt in the body' }]
      : [],
  );
  if (issues.length > 0) throw new InvalidRequestError(issues);
}
