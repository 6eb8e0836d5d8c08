/** Characters of one text in a tool's result. */
const MAX_TEXT = 20_000;

/** Characters of all texts of one result together: what a model can take in at once. */
export const MAX_RESULT = 60_000;

/** A text of at most `max` characters, which says so if it was cut. */
export function bounded(text: string, max: number = MAX_TEXT): string {
  if (text.length <= max) return text;
  // Not within a surrogate pair.
  const kept = text.slice(0, max).replace(/[\uD800-\uDBFF]$/, '');
  return `${kept}\n[cut: ${text.length - kept.length} of ${text.length} characters left out]`;
}
