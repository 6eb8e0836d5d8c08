/**
 * A piece of a text, in UTF-16 units; one shorter than `limit` if else a character would be cut in two.
 * @returns it, and where the next one begins; null: the text has no more.
 */
export function pieceOf(text: string, offset: number, limit: number): { piece: string; next: number | null } {
  const end = Math.min(offset + limit, text.length);
  const isHalf = end - offset > 1 && end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1));
  const next = isHalf ? end - 1 : end;
  return { piece: text.slice(offset, next).toWellFormed(), next: next < text.length ? next : null };
}
