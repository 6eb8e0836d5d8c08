import { isObject, type JsonObject } from '../../core/json.ts';

/** The parts of a lowered request that the cache goes by, in the order in which it reads them. */
export interface Cacheable {
  tools: JsonObject[];
  system: JsonObject[];
  messages: { role: 'user' | 'assistant'; content: JsonObject[] }[];
}

const MARK: JsonObject = { cache_control: { type: 'ephemeral' } };

/**
 * Tokens below which nothing is cached; the first match holds. From
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching (cache limitations).
 */
const MINIMUM: ReadonlyArray<readonly [RegExp, number]> = [
  [/(opus|fable|mythos)-5/, 512],
  [/opus-4-[56]|haiku-4-5/, 4096],
  [/opus-4-7|haiku-3|3(-5)?-haiku/, 2048],
];
const USUAL_MINIMUM = 1024;

/**
 * Fewer than a token has in any text but code and numbers: a mark on too little is ignored and costs nothing, while a
 * missing one loses the whole saving.
 */
const CHARS_PER_TOKEN = 3;

/**
 * Marks what the next call will send again. A marked prefix costs 1.25 times the price of its tokens when it is
 * written and 0.1 times when it is read within 5 minutes (same page), so a mark pays if more than every fourth is
 * read. That holds for tools and system prompt, which every call of an assistant shares, and for a conversation that
 * evidently goes on: one with an answer in it, or with tools, whose results follow in seconds. It does not for the
 * words of a single question.
 *
 * At most 3 marks of the 4 that are allowed. The second last one stands where the last call ended: the search for
 * what is cached goes only 20 blocks back from a mark, and a round with many tool calls has more.
 */
export function markCacheable(request: Cacheable, model: string): Cacheable {
  const enough = (MINIMUM.find(([pattern]) => pattern.test(model))?.[1] ?? USUAL_MINIMUM) * CHARS_PER_TOKEN;
  const { tools, system, messages } = request;
  const prefix = lengthOf(tools) + lengthOf(system);
  const goesOn = tools.length > 0 || messages.some((message) => message.role === 'assistant');
  const ends = goesOn && prefix + lengthOf(messages) >= enough ? lastOf('user', 2, messages) : [];
  const isLong = prefix >= enough;
  return {
    tools: isLong && system.length === 0 ? markLast(tools) : tools,
    system: isLong ? markLast(system) : system,
    messages: messages.map((message) =>
      ends.includes(message) ? { ...message, content: markLast(message.content) } : message,
    ),
  };
}

function lastOf(role: string, count: number, messages: Cacheable['messages']): Cacheable['messages'] {
  return messages.filter((message) => message.role === role).slice(-count);
}

function markLast(blocks: JsonObject[]): JsonObject[] {
  return blocks.map((block, index) => (index === blocks.length - 1 ? { ...block, ...MARK } : block));
}

/** Characters of all texts in a value, names of fields included; pictures count by their bytes, which is too much. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + lengthOf(item), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce((sum, [name, item]) => sum + name.length + lengthOf(item), 0);
}
