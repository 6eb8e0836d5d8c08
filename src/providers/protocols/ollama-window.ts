import type { AssistantPart, ChatRequest, Message, UserPart } from '../chat-model.ts';
import type { ModelFacts } from './protocol.ts';
import { fileText } from './text-file.ts';
import { estimateTokens } from './token-estimate.ts';

/**
 * The least window that is asked for: enough for most conversations, and for an 8B model about 1 GB of memory.
 * Ollama's own default is 4096 on most machines (https://docs.ollama.com/context-length).
 */
export const MIN_WINDOW = 8192;
/**
 * The most that is asked for while the model's own window is not known. Memory is taken for the whole window, tens of
 * gigabytes for a larger one, and a long `maxTokens` is mostly no more than a limit.
 */
const MAX_GUESSED_WINDOW = 131_072;
/** Left for an answer of no given length. */
const ANSWER_TOKENS = 4096;
const IMAGE_TOKENS = 1500;
/** What a template puts around a message. */
const MESSAGE_TOKENS = 16;

/** Cloud models always have their whole window. */
export function isCloud(model: string): boolean {
  return /[:-]cloud$/.test(model);
}

/**
 * The context window for a call: what prompt and answer need, not all that the model could, since memory is taken for
 * the whole window. Another window makes Ollama load the model again, which takes seconds: so it grows by doubling,
 * and is not made smaller while the model is in use. More than the model's own window would be cut by Ollama anyway.
 */
export function windowFor(needed: number, { contextWindow, lastWindow }: ModelFacts): number {
  let window = Math.max(MIN_WINDOW, lastWindow ?? 0);
  while (window < needed) window *= 2;
  return Math.min(window, contextWindow ?? Math.max(MAX_GUESSED_WINDOW, lastWindow ?? 0));
}

/** What prompt and answer take, estimated. */
export function tokensOf({ messages, tools, maxTokens }: ChatRequest): number {
  const prompt = messages.reduce((sum, message) => sum + MESSAGE_TOKENS + tokensOfMessage(message), 0);
  const offered = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
  return prompt + offered + (maxTokens ?? ANSWER_TOKENS);
}

function tokensOfMessage(message: Message): number {
  if (message.role === 'system' || message.role === 'tool') return estimateTokens(message.text);
  return message.parts.reduce((sum, part) => sum + tokensOfPart(part), 0);
}

function tokensOfPart(part: UserPart | AssistantPart): number {
  if (part.type === 'image') return IMAGE_TOKENS;
  if (part.type === 'file') return estimateTokens(fileText(part) ?? '');
  return estimateTokens(part.type === 'tool-call' ? JSON.stringify(part.call.arguments) : part.text);
}
