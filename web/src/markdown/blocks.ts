/** A piece of Markdown that is rendered by itself. */
export type Block = TextBlock | CodeBlock | FootnoteBlock;

export interface TextBlock {
  kind: 'text';
  /** Where it begins in the whole text; so for all of them. */
  start: number;
  text: string;
  /** Lines in it that give an address to a label (`[label]: address`), which other blocks may name. */
  definitions: readonly Definition[];
}

/** What stands between two fences. */
export interface CodeBlock {
  kind: 'code';
  start: number;
  text: string;
  /** As written behind the fence; empty if nothing is. */
  language: string;
  /** The second fence is there. */
  isClosed: boolean;
}

export interface FootnoteBlock {
  kind: 'footnote';
  start: number;
  text: string;
  label: string;
}

export interface Definition {
  label: string;
  line: string;
}

/** A text and the blocks that it consists of. */
export interface Split {
  text: string;
  blocks: readonly Block[];
}

export const NO_TEXT: Split = { text: '', blocks: [] };

const NO_DEFINITIONS: readonly Definition[] = [];
/** From this length on a list is divided between two of its items. */
const LONG_LIST = 3000;

const FENCE = /^( {0,3})(`{3,}|~{3,})(.*)$/;
const ITEM = /^([-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
const FOOTNOTE = /^\[\^([^\]\s]{1,200})\]:[ \t]*/;
const DEFINITION =
  /^ {0,3}\[(?!\^)([^[\]\n]{1,200})\]:[ \t]*\S{1,2000}(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'|\([^)\n]{0,500}\)))?[ \t]*$/gm;

/**
 * Cuts a text where one block of Markdown certainly ends and another begins. It takes time in proportion to what is new.
 * @param before what came out for an earlier, shorter form of the text: what has not changed since is the same object.
 */
export function splitBlocks(text: string, before: Split = NO_TEXT): Split {
  if (text === before.text) return before;
  // The line that began the last block may have been half of what it is now, that of the one before it was whole.
  const kept = text.startsWith(before.text) ? before.blocks.slice(0, -2) : [];
  const from = before.blocks[kept.length]?.start ?? 0;
  const blocks: Block[] = [...kept];
  for (let at = kept.length === 0 ? 0 : from; at < text.length; ) {
    const [block, end] = readBlock(text, at);
    if (block) {
      const known = before.blocks[blocks.length];
      blocks.push(known && isSame(known, block) ? known : block);
    }
    at = end;
  }
  return { text, blocks };
}

/** Under what a label is known: case and the width of its gaps do not count. */
export function labelKey(label: string): string {
  return label.trim().replace(/\s+/g, ' ').toLowerCase();
}

function isSame(a: Block, b: Block): boolean {
  if (a.start !== b.start || a.text !== b.text) return false;
  if (a.kind === 'code') return b.kind === 'code' && a.language === b.language && a.isClosed === b.isClosed;
  if (a.kind === 'footnote') return b.kind === 'footnote' && a.label === b.label;
  return b.kind === 'text';
}

function readBlock(text: string, start: number): [Block | undefined, end: number] {
  const first = lineAt(text, start);
  if (isBlank(first)) return [undefined, start + first.length + 1];
  const fence = fenceOf(first);
  return fence ? readCode(text, start, fence) : readText(text, start, first);
}

/** @returns the line without its end. */
function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '');
}

function nextLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end + 1;
}

function isBlank(line: string): boolean {
  return /^[ \t]*$/.test(line);
}

interface Fence {
  indent: number;
  mark: string;
  language: string;
}

function fenceOf(line: string): Fence | undefined {
  const [, indent = '', mark = '', info = ''] = FENCE.exec(line.slice(0, 1000)) ?? [];
  if (mark === '' || (mark.startsWith('`') && info.includes('`'))) return undefined;
  return { indent: indent.length, mark, language: info.trim().split(/[\s,{]/)[0] ?? '' };
}

function readCode(text: string, start: number, { indent, mark, language }: Fence): [Block, end: number] {
  const from = nextLine(text, start);
  // Half a first line may be half a language.
  const isNamed = text[from - 1] === '\n';
  const closing = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*\\r?$`, 'gm');
  closing.lastIndex = from;
  const close = isNamed ? closing.exec(text) : null;
  const inner = text.slice(from, close ? Math.max(from, close.index - 1) : text.length);
  const code = indent === 0 ? inner : inner.replace(new RegExp(`^ {1,${indent}}`, 'gm'), '');
  const block: Block = {
    kind: 'code',
    start,
    text: code,
    language: isNamed ? language : '',
    isClosed: close !== null,
  };
  return [block, close ? nextLine(text, close.index) : text.length];
}

function readText(text: string, start: number, first: string): [Block, end: number] {
  const footnote = FOOTNOTE.exec(first);
  const isList = ITEM.test(first.trimStart());
  const isIndented = isDeep(first);
  /** May what stands after a blank line still belong to it? */
  const goesOn = (line: string): boolean => {
    if (isList) return /^(?: {2}|\t)/.test(line) || ITEM.test(line.replace(/^ /, ''));
    return footnote ? /^(?: {2}|\t)/.test(line) : isIndented && isDeep(line);
  };
  let wasBlank = false;
  let at = nextLine(text, start);
  for (; at < text.length; at = nextLine(text, at)) {
    const line = lineAt(text, at);
    if (isBlank(line)) {
      wasBlank = true;
      continue;
    }
    if (wasBlank && !goesOn(line)) break;
    if (FOOTNOTE.test(line) || (fenceOf(line) && !((isList || footnote) && /^ {2}/.test(line)))) break;
    if (isList && at - start > LONG_LIST && isNextItem(line)) break;
    wasBlank = false;
  }
  const own = text.slice(start, at).trimEnd();
  if (!footnote) return [{ kind: 'text', start, text: own, definitions: definitionsIn(own) }, at];
  const note = own.slice(footnote[0].length).replace(/^(?: {1,4}|\t)/gm, '');
  return [{ kind: 'footnote', start, text: note, label: footnote[1] ?? '' }, at];
}

function isDeep(line: string): boolean {
  return /^(?: {4}| {0,3}\t)/.test(line);
}

/** A list that goes on in another block goes on counting only if its own numbers do. */
function isNextItem(line: string): boolean {
  const marker = ITEM.exec(line)?.[1];
  return marker !== undefined && marker !== '1.' && marker !== '1)' && marker !== '0.';
}

function definitionsIn(text: string): readonly Definition[] {
  if (!text.includes(']:')) return NO_DEFINITIONS;
  return [...text.matchAll(DEFINITION)].map(([line, label = '']) => ({ label: labelKey(label), line: line.trim() }));
}
