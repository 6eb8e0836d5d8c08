import { diffWordsWithSpace, structuredPatch } from 'diff';

// Loaded when the first change is shown.

/** A piece of a line; `isChanged`: other than in the line that it stands for. */
export interface LinePiece {
  text: string;
  isChanged: boolean;
}

export interface DiffLine {
  kind: 'same' | 'added' | 'removed';
  pieces: readonly LinePiece[];
}

/** Changed lines and those around them. */
export interface Hunk {
  /** The number of its first line in what comes out, from 1. */
  line: number;
  lines: readonly DiffLine[];
}

const CONTEXT = 3;
const TIMEOUT_MS = 150;
/** Longer lines are not compared word by word. */
const LONGEST_LINE = 1000;
const MOST_WORDS_APART = 60;
/** Nor are more lines than that. */
const MOST_PAIRS = 300;

/** Compares two texts by lines, and changed lines by words. @returns undefined if that takes too long */
export function diffLines(before: string, after: string): Hunk[] | undefined {
  const patch = structuredPatch('', '', before, after, '', '', { context: CONTEXT, timeout: TIMEOUT_MS });
  let pairs = 0;
  return patch?.hunks.map(({ newStart, lines }) => {
    const out: DiffLine[] = [];
    for (let at = 0; at < lines.length; ) {
      const removed = run(lines, at, '-');
      const added = run(lines, at + removed.length, '+');
      if (removed.length + added.length === 0) {
        const line = lines[at] ?? '';
        // “\ No newline at end of file” is no line of either text.
        if (!line.startsWith('\\')) out.push(whole('same', line));
        at += 1;
        continue;
      }
      at += removed.length + added.length;
      const mayCompare = removed.length === added.length && pairs < MOST_PAIRS;
      pairs += removed.length;
      out.push(...changed(removed, added, mayCompare));
    }
    return { line: newStart, lines: out };
  });
}

function run(lines: readonly string[], from: number, sign: string): string[] {
  let to = from;
  while (lines[to]?.startsWith(sign)) to += 1;
  return lines.slice(from, to);
}

function changed(removed: readonly string[], added: readonly string[], mayCompare: boolean): DiffLine[] {
  const plain = [...removed.map((line) => whole('removed', line)), ...added.map((line) => whole('added', line))];
  if (!mayCompare) return plain;
  const pairs = removed.map((line, index) => byWords(line.slice(1), (added[index] ?? '').slice(1)));
  return plain.map((line, index) => {
    const pair = pairs[index % removed.length];
    return pair ? { ...line, pieces: line.kind === 'removed' ? pair.removed : pair.added } : line;
  });
}

/** @returns undefined if the lines have too little in common for it to help. */
function byWords(before: string, after: string): Record<'removed' | 'added', LinePiece[]> | undefined {
  if (before.length > LONGEST_LINE || after.length > LONGEST_LINE) return undefined;
  const changes = diffWordsWithSpace(before, after, { maxEditLength: MOST_WORDS_APART });
  const common =
    changes?.reduce((sum, { value, added, removed }) => sum + (added || removed ? 0 : value.length), 0) ?? 0;
  if (!changes || common * 3 < Math.max(before.length, after.length)) return undefined;
  const side = (hidden: 'added' | 'removed'): LinePiece[] =>
    changes.filter((one) => !one[hidden]).map((one) => ({ text: one.value, isChanged: one.added || one.removed }));
  return { removed: side('added'), added: side('removed') };
}

function whole(kind: DiffLine['kind'], line: string): DiffLine {
  return { kind, pieces: [{ text: line.slice(1), isChanged: false }] };
}
