import type { AssistantContent } from '../chat/assistant-parts.ts';
import type { Content } from '../chat/content.ts';
import { TOOL_DATA_BYTES } from '../core/tool-data.ts';
import type { Tool } from '../providers/chat-model.ts';

/**
 * Estimates of how many tokens something is, before any provider has counted it. One rule for every model: four bytes
 * of UTF-8 are a token, which is near the truth for English, code and, with three bytes a character, Chinese. How far
 * it is off for a conversation's own texts and model is learnt from the provider's counts (`token_ratio`).
 */
const BYTES_PER_TOKEN = 4;

/** What every message takes beside its text. */
export const MESSAGE_TOKENS = 4;

/** About what vendors count for a picture of usual size, or a page of a document. */
const PICTURE_TOKENS = 1500;

/** Documents are mostly fonts and pictures: a page of 1,500 tokens has some 60 KB. */
const DOCUMENT_BYTES_PER_TOKEN = 40;

/** Of a text. */
export function textTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/**
 * Of a call's result, with the marks that it may have.
 * @param duration of the call, as it is stored.
 */
export function resultTokens(text: string, duration: number | null): number {
  return Math.ceil((Buffer.byteLength(text) + (duration === null ? 0 : TOOL_DATA_BYTES)) / BYTES_PER_TOKEN);
}

/** Of a user's message. */
export function contentTokens(content: Content): number {
  if (typeof content === 'string') return MESSAGE_TOKENS + textTokens(content);
  return content.reduce((sum, part) => {
    if (part.type === 'text') return sum + textTokens(part.text);
    return sum + mediaTokens(part.type === 'image' ? part.image : part.file);
  }, MESSAGE_TOKENS);
}

function mediaTokens(url: string): number {
  const isInline = url.startsWith('data:');
  if (!isInline || url.startsWith('data:image/')) return PICTURE_TOKENS;
  const bytes = url.length * 0.75;
  if (url.startsWith('data:text/')) return Math.ceil(bytes / BYTES_PER_TOKEN);
  return Math.max(PICTURE_TOKENS, Math.ceil(bytes / DOCUMENT_BYTES_PER_TOKEN));
}

/** Of an answer with its calls, without their results. */
export function assistantTokens({ content, toolCalls = [], parts }: AssistantContent): number {
  let tokens = MESSAGE_TOKENS + textTokens(content);
  for (const call of toolCalls) tokens += textTokens(JSON.stringify(call));
  for (const part of parts ?? []) {
    if (part.type === 'reasoning') tokens += textTokens(part.text);
    if (part.type !== 'tool-call' && part.data) tokens += textTokens(JSON.stringify(part.data));
  }
  return tokens;
}

/** Of the tools that are offered. */
export function toolTokens(tools: readonly Tool[] = []): number {
  return tools.reduce((sum, tool) => sum + textTokens(JSON.stringify(tool)), 0);
}
