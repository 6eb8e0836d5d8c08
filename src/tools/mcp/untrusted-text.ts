import { readableText } from '../../core/readable-text.ts';

/** Somebody else's text as it may be shown to a model or written into the log: readable, and of so many characters at most. */
export function cleanText(given: string, maxChars: number): string {
  // What is far too long is not looked at as a whole.
  const clean = readableText(given.slice(0, 2 * maxChars));
  return clean.length <= maxChars ? clean : `${clean.slice(0, maxChars - 1).toWellFormed()}…`;
}
