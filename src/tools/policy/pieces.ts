/**
 * Is a text made of these pieces, in this order, with anything between them? Each is taken where it first fits, so the
 * time is in proportion to text and pieces.
 * @param pieces what stands between the stars of a pattern: at least two.
 */
export function matchesPieces(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const inner = text.slice(first.length, text.length - last.length);
  let at = 0;
  for (const piece of pieces.slice(1, -1)) {
    const found = inner.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}
