import { asArray, asNumber, asString, isObject, type JsonObject } from '../../core/json.ts';
import { isNestedAtMost } from '../../core/nesting.ts';
import { MAX_DATA_NESTING } from './protocol.ts';

/** Fields that come in pieces; of the others the last that is not null holds. */
const GROWING: ReadonlySet<string> = new Set(['text', 'summary', 'data']);

/** Far more than any answer has. */
const MAX_BLOCKS = 1000;

/**
 * Gathers OpenRouter's `reasoning_details`, which its models want back unmodified
 * (https://openrouter.ai/docs/guides/best-practices/reasoning-tokens). A stream brings a block in several objects of
 * the same `type` and `index`, a signature mostly in a last one without text; a signature holds for the whole text, so
 * the pieces must be one object again.
 */
export class ReasoningDetails {
  #blocks: JsonObject[] = [];
  /** The latest block of each place, with an id and without. */
  readonly #latest = new Map<string, JsonObject>();

  /** Takes one delta's `reasoning_details`. */
  add(details: unknown): void {
    for (const piece of asArray(details)) if (isObject(piece)) this.#add(piece);
  }

  /** The blocks since the last call, as `data` of a reasoning part; undefined if there are none. */
  take(): JsonObject | undefined {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#latest.clear();
    return detailsData(blocks);
  }

  #add(piece: JsonObject): void {
    const place = `${asString(piece.type)} ${asNumber(piece.index)}`;
    const own = typeof piece.id === 'string' ? `${place} ${piece.id}` : place;
    let block = this.#latest.get(own) ?? this.#latest.get(place);
    if (block && isSameBlock(block, piece)) grow(block, piece);
    else {
      // One beyond the limit is kept, so that it shows.
      if (this.#blocks.length > MAX_BLOCKS) return;
      block = { ...piece };
      this.#blocks.push(block);
    }
    this.#latest.set(place, block).set(own, block);
  }
}

/**
 * Details that came whole, as `data` of a reasoning part; undefined if there are none, or more than could be sent back:
 * some without the others would be refused.
 */
export function detailsData(details: unknown): JsonObject | undefined {
  const { length } = asArray(details);
  if (length === 0 || length > MAX_BLOCKS || !isNestedAtMost(details, MAX_DATA_NESTING - 1)) return undefined;
  return { reasoning_details: details };
}

/** What people may read of some details. */
export function detailsText(details: unknown): string {
  return asArray(details)
    .filter(isObject)
    .map(({ text, summary }) => asString(text) || asString(summary))
    .join('');
}

function isSameBlock(block: JsonObject, piece: JsonObject): boolean {
  if (block.type !== piece.type || block.index !== piece.index) return false;
  // Whole blocks have ids of their own, and text after a signature is the next block's.
  if (typeof block.id === 'string' && typeof piece.id === 'string' && block.id !== piece.id) return false;
  if (typeof block.signature === 'string' && asString(piece.text) !== '') return false;
  return piece.index !== undefined || piece.type !== 'reasoning.encrypted';
}

function grow(block: JsonObject, piece: JsonObject): void {
  for (const [key, value] of Object.entries(piece)) {
    if (value === null || value === undefined || key === '__proto__') continue;
    const before = block[key];
    const grows = GROWING.has(key) && typeof before === 'string' && typeof value === 'string';
    // Encrypted data that comes a second time is the same, not more.
    block[key] = grows && !(key === 'data' && value === before) ? before + value : value;
  }
}
