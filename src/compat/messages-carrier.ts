import { isObject, type JsonObject, tryParseJson } from '../core/json.ts';
import { isNestedAtMost } from '../core/nesting.ts';
import type { AnswerTextPart, Origin, ReasoningPart, ToolCall } from '../providers/chat-model.ts';

/** A block of thinking in an answer, as Anthropic's clients get it and send it back. */
export type ThinkingBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string };

/**
 * What travels where Anthropic's own opaque text would stand, since clients send that back untouched: where a part
 * came from, and what its provider wants back with it. Without `text` and `call` it is of reasoning.
 */
export interface Carried {
  origin?: Origin;
  data?: JsonObject;
  /** Of the text before it, or of a text part of its own that is empty. */
  text?: 'before' | 'empty';
  /** The id of the tool call that it is of. */
  call?: string;
  /** What the model wrote in place of the call's arguments. */
  invalidArguments?: string;
}

const PREFIX = 'profclaw:';
const MAX_NESTING = 100;

function write(carried: Carried): string {
  return PREFIX + Buffer.from(JSON.stringify(carried)).toString('base64url');
}

/** Is this opaque text our own, rather than Anthropic's? */
export function isCarried(opaque: string): boolean {
  return opaque.startsWith(PREFIX);
}

/** Reads our own opaque text; undefined if it is not as we write it. */
export function readCarried(opaque: string): Carried | undefined {
  const value = tryParseJson(Buffer.from(opaque.slice(PREFIX.length), 'base64url').toString());
  if (!isObject(value) || !isNestedAtMost(value, MAX_NESTING)) return undefined;
  const { origin, data, text, call, invalidArguments } = value;
  const isRight =
    (origin === undefined ||
      (isObject(origin) && typeof origin.provider === 'string' && typeof origin.model === 'string')) &&
    (data === undefined || isObject(data)) &&
    (text === undefined || text === 'before' || text === 'empty') &&
    (call === undefined || typeof call === 'string') &&
    (invalidArguments === undefined || typeof invalidArguments === 'string');
  return isRight ? (value as Carried) : undefined;
}

/** The signature of thinking that can be read: Anthropic's own, or ours. */
export function signatureOf({ origin, data }: Pick<ReasoningPart, 'origin' | 'data'>): string {
  return ownText(origin, data, 'signature') ?? write({ ...(origin ? { origin } : {}), ...(data ? { data } : {}) });
}

/** The block of a piece of reasoning; undefined if there is nothing in it. */
export function thinkingBlock(part: Pick<ReasoningPart, 'text' | 'origin' | 'data'>): ThinkingBlock | undefined {
  const { text: thinking, origin, data } = part;
  if (thinking !== '') return { type: 'thinking', thinking, signature: signatureOf(part) };
  if (!data) return undefined;
  const signature = ownText(origin, data, 'signature');
  if (signature !== undefined) return { type: 'thinking', thinking, signature };
  const redacted = ownText(origin, data, 'redacted');
  return { type: 'redacted_thinking', data: redacted ?? write({ ...(origin ? { origin } : {}), data }) };
}

/** The block that carries what belongs to a text, to stand behind it; undefined if nothing does. */
export function textCarrier({ text, origin, data }: Omit<AnswerTextPart, 'type'>): ThinkingBlock | undefined {
  if (!data) return undefined;
  const of = text === '' ? 'empty' : 'before';
  return { type: 'redacted_thinking', data: write({ ...(origin ? { origin } : {}), data, text: of }) };
}

/** The block that carries what belongs to a call, to stand before it; undefined if nothing does. */
export function callCarrier({ id, origin, data, invalidArguments }: ToolCall): ThinkingBlock | undefined {
  if (!data && invalidArguments === undefined) return undefined;
  const carried: Carried = {
    ...(data && origin ? { origin } : {}),
    ...(data ? { data } : {}),
    call: id,
    ...(invalidArguments === undefined ? {} : { invalidArguments }),
  };
  return { type: 'redacted_thinking', data: write(carried) };
}

/** Anthropic's own opaque text, which stays as it is; undefined for others, and where there is more to keep. */
function ownText(origin: Origin | undefined, data: JsonObject | undefined, name: string): string | undefined {
  if (origin?.provider !== 'anthropic' || !data || Object.keys(data).length !== 1) return undefined;
  const text = data[name];
  return typeof text === 'string' && !isCarried(text) ? text : undefined;
}
