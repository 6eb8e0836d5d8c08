const MARKS = ['**', '__', '~~', '`'] as const;

/**
 * Closes what the last line of a growing text has begun and not ended yet, so that it does not look like something else
 * for a moment: emphasis, code, and a link whose address is still being written, of which only the text is shown.
 */
export function withEndsClosed(text: string): string {
  // Within code nothing means anything.
  if ((text.match(/^[ \t>]*(?:```|~~~)/gm)?.length ?? 0) % 2 === 1) return text;
  const from = text.lastIndexOf('\n\n') + 1;
  const last = text.slice(from);
  const unlinked = last
    .replace(/!?\[([^[\]\n]{0,500})(?:\]\([^()\n]{0,2000})$/, '$1')
    .replace(/!?\[([^[\]\n]{0,500})$/, '$1');
  const trimmed = unlinked.replace(/(?<![*_~`])[*_~`]{1,2}$/, '');
  const open = MARKS.filter((mark) => trimmed.split(mark).length % 2 === 0);
  if (open.includes('`')) return `${text.slice(0, from)}${trimmed}\``;
  return `${text.slice(0, from)}${trimmed.trimEnd()}${open.join('')}`;
}
