import type { AssistantPart, ChatRequest, FilePart, ImagePart, Message, UserPart } from '../providers/chat-model.ts';
import { isText } from '../providers/protocols/text-file.ts';
import { estimateTokens } from '../providers/protocols/token-estimate.ts';

/** How to count what no provider has counted. */
interface Rule {
  text(text: string): number;
  media(part: ImagePart | FilePart): number;
  /** What a message, tools, and the request as a whole take beside their texts. */
  message: number;
  tools: number;
  request: number;
}

/** Of base64. */
const BYTES_PER_CHARACTER = 0.75;

/**
 * A token has at least one byte, of whichever tokenizer. A picture of 2048 × 2048 is some 48,000 tokens at the most
 * expensive (https://platform.openai.com/docs/guides/images-vision, gpt-4o-mini), a document has as many as a window.
 */
const MOST: Rule = {
  text: Buffer.byteLength,
  media: (part) => (part.type === 'image' ? 50_000 : (textBytes(part) ?? 500_000)),
  message: 16,
  tools: 1000,
  request: 100,
};

/** Rather too many. Of pictures and documents what is usual, a page of which has some 60 KB. */
const LIKELY: Rule = {
  text: estimateTokens,
  media: (part) => Math.ceil(Math.max(1500, part.type === 'image' ? 0 : bytesOf(part) / 40)),
  message: 4,
  tools: 0,
  request: 0,
};

type Input = Pick<ChatRequest, 'messages' | 'tools'>;

/** No model of any provider reads more tokens than these. */
export function mostInput(request: Input): number {
  return count(MOST, request);
}

/** About as many tokens as the model has read, where its provider does not say. */
export function likelyInput(request: Input): number {
  return count(LIKELY, request);
}

function count(rule: Rule, { messages, tools }: Input): number {
  const offered = tools.length === 0 ? 0 : rule.tools + rule.text(JSON.stringify(tools));
  return messages.reduce((sum, message) => sum + rule.message + countMessage(rule, message), rule.request + offered);
}

function countMessage(rule: Rule, message: Message): number {
  if (message.role === 'system') return rule.text(message.text);
  if (message.role === 'tool') return rule.text(message.toolName) + rule.text(message.text);
  return message.parts.reduce((sum, part) => sum + countPart(rule, part), 0);
}

function countPart(rule: Rule, part: UserPart | AssistantPart): number {
  if (part.type === 'image' || part.type === 'file') return rule.media(part);
  if (part.type === 'tool-call') return rule.text(JSON.stringify(part.call));
  const data = 'data' in part && part.data ? rule.text(JSON.stringify(part.data)) : 0;
  return rule.text(part.text) + data;
}

function bytesOf({ media }: FilePart): number {
  return 'data' in media ? media.data.length * BYTES_PER_CHARACTER : 0;
}

function textBytes(part: FilePart): number | undefined {
  return isText(part) ? Math.ceil(bytesOf(part)) + Buffer.byteLength(part.filename ?? '') : undefined;
}
