import { type Block, labelKey } from './blocks.ts';

/** What the labels of a text stand for, by label; those of footnotes begin with `^`. */
export type Definitions = ReadonlyMap<string, string>;

/** Characters that the labels of a block may become: few of them could be made into a great many. */
const MOST = 100_000;

/**
 * Collects what any block of a text may name.
 * @param before returned if nothing is other than in it, so that no block is rendered anew.
 */
export function definitionsOf(blocks: readonly Block[], before: Definitions): Definitions {
  const found = new Map<string, string>();
  for (const block of blocks) {
    if (block.kind === 'footnote') found.set(`^${labelKey(block.label)}`, `[^${block.label}]: -`);
    // Of two with one label the first counts.
    else if (block.kind === 'text')
      for (const { label, line } of block.definitions) if (!found.has(label)) found.set(label, line);
  }
  if (found.size !== before.size) return found;
  for (const [label, line] of found) if (before.get(label) !== line) return found;
  return before;
}

/** @returns the lines that a block needs besides its own text, so that the labels in it mean something. */
export function definitionsFor(text: string, all: Definitions): string {
  if (all.size === 0 || !text.includes('[')) return '';
  const lines = new Set<string>();
  let size = 0;
  for (const [, label = ''] of text.matchAll(/\[([^[\]]{1,200})\]/g)) {
    const line = all.get(labelKey(label));
    if (line === undefined) continue;
    size += line.length;
    if (size > MOST) return '';
    lines.add(line);
  }
  return [...lines].map((line) => `\n\n${line}`).join('');
}
