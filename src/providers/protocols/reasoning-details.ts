import { asArray, asString, isObject, type JsonObject } from '../../core/json.ts';

/** Fields that come in pieces; of the others the last that is not null holds. */
const GROWING: ReadonlySet<string> = new Set(['text', 'summary', 'data']);

/**
 * Gathers OpenRouter's `reasoning_details`, which its models want back unmodified
 * (https://openrouter.ai/docs/guides/best-practices/reasoning-tokens). A stream brings a block in several objects of
 * the same `type` and `index`, a signature mostly in a last one without text; a signature holds for the whole text, so
 * the pieces must be one object again.
 */
export class ReasoningDetails {
  #blocks: JsonObject[] = [];

  /** Takes one delta's `reasoning_details`. */
  add(details: unknown): void {
    for (const piece of asArray(details)) {
      if (!isObject(piece)) continue;
      const block = this.#blocks.findLast((candidate) => isSameBlock(candidate, piece));
      if (block) grow(block, piece);
      else this.#blocks.push({ ...piece });
    }
  }

  /** The blocks since the last call, as `data` of a reasoning part; undefined if there are none. */
  take(): JsonObject | undefined {
    const blocks = this.#blocks;
    this.#blocks = [];
    return detailsData(blocks);
  }
}

/** Details that came whole, as `data` of a reasoning part; undefined if there are none. */
export function detailsData(details: unknown): JsonObject | undefined {
  return asArray(details).length === 0 ? undefined : { reasoning_details: details };
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
    if (value === null || value === undefined) continue;
    const before = block[key];
    const grows = GROWING.has(key) && typeof before === 'string' && typeof value === 'string';
    // Encrypted data that comes a second time is the same, not more.
    block[key] = grows && !(key === 'data' && value === before) ? before + value : value;
  }
}
